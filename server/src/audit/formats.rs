//! A row of the audit in the formats of others: CSV for spreadsheets, OCSF and CEF for a SIEM.

use passerelle_contract::audit::{AuditEventOut, ExportedEvent, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Jsonl,
    Csv,
    Ocsf,
    Cef,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
const CSV_HEAD: &str =
    "id,at,actor,via,action,object,service,environment,reason,before,after,request_id,outcome,sealed\r\n";
/// Of the schema whose fields are used.
const OCSF_VERSION: &str = "1.3.0";
/// "API Activity", in the category "Application Activity".
const OCSF_CLASS: u32 = 6003;
/// What CEF allows for `msg`, in characters.
const CEF_MESSAGE: usize = 1023;

impl Format {
    /// Before the first line.
    pub const fn head(self) -> &'static str {
        match self {
            Self::Csv => CSV_HEAD,
            Self::Jsonl | Self::Ocsf | Self::Cef => "",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Ocsf => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Cef => "text/plain; charset=utf-8",
        }
    }

    /// The line with its end.
    pub fn line(self, exported: &ExportedEvent) -> String {
        match self {
            Self::Jsonl => serde_json::to_string(exported).unwrap_or_default() + "\n",
            Self::Csv => csv(&exported.event),
            Self::Ocsf => ocsf(exported).to_string() + "\n",
            Self::Cef => cef(exported) + "\n",
        }
    }
}

fn csv(event: &AuditEventOut) -> String {
    let json = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
    let fields = [
        event.id.to_string(),
        event.at.format(&Rfc3339).unwrap_or_default(),
        event.actor.clone(),
        event.via.clone(),
        event.action.clone(),
        event.object.clone(),
        event.service.clone().unwrap_or_default(),
        event.environment.clone().unwrap_or_default(),
        event.reason.clone().unwrap_or_default(),
        json(&event.before),
        json(&event.after),
        event.request_id.clone(),
        event.outcome.as_str().to_owned(),
        event.sealed.to_string(),
    ];
    fields.iter().map(|field| csv_field(field)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// Quoted where needed; a text that a spreadsheet would run as a formula gets an apostrophe before it.
fn csv_field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Milliseconds since 1970, as both formats want them.
fn millis(event: &AuditEventOut) -> i64 {
    i64::try_from(event.at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// `create`, `read`, `update` and `delete` have numbers in OCSF; everything else is told by its name.
fn ocsf_activity(action: &str) -> u32 {
    match action.rsplit(['.', '_']).next() {
        Some("create") => 1,
        Some("read") => 2,
        Some("edit") => 3,
        _ => 99,
    }
}

/// An event of the class API Activity, <https://schema.ocsf.io/1.3.0/classes/api_activity>.
fn ocsf(exported: &ExportedEvent) -> Value {
    let event = &exported.event;
    let activity = ocsf_activity(&event.action);
    let (status_id, status, severity) = match event.outcome {
        Outcome::Success => (1, "Success", 1),
        Outcome::Failure => (2, "Failure", 2),
        Outcome::Denied => (2, "Denied", 3),
        Outcome::Intent => (99, "Intent", 1),
    };
    let kind = event.object.split(':').next().unwrap_or_default();
    let mut resources = vec![json!({"type": kind, "name": event.object})];
    if let Some(service) = event.service.as_ref().filter(|service| event.object != format!("service:{service}")) {
        resources.push(json!({"type": "service", "name": service}));
    }
    let mut out = json!({
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": OCSF_CLASS,
        "class_name": "API Activity",
        "activity_id": activity,
        "activity_name": event.action,
        "type_uid": OCSF_CLASS * 100 + activity,
        "time": millis(event),
        "severity_id": severity,
        "status_id": status_id,
        "status": status,
        "actor": {"user": {"name": event.actor}},
        "api": {"operation": event.action, "service": {"name": "Passerelle"}, "request": {"uid": event.request_id}},
        // The audit keeps which door was taken, and no address.
        "src_endpoint": {"name": event.via},
        "resources": resources,
        "metadata": {
            "version": OCSF_VERSION,
            "uid": event.id.to_string(),
            "log_name": "audit",
            "correlation_uid": event.request_id,
            "product": {"name": "Passerelle", "vendor_name": "Passerelle", "version": VERSION},
        },
        "unmapped": {"environment": event.environment, "before": event.before, "after": event.after},
    });
    if let Some(reason) = &event.reason {
        out["message"] = json!(reason);
    }
    if let Some(chain) = &exported.chain {
        out["metadata"]["sequence"] = json!(chain.position);
        out["unmapped"]["chain"] = json!(chain);
    }
    out
}

/// `CEF:0|vendor|product|version|class|name|severity|extension`. What changed (`before`, `after`) has no field there and is left out.
fn cef(exported: &ExportedEvent) -> String {
    let event = &exported.event;
    let severity = match event.outcome {
        Outcome::Intent | Outcome::Success => 3,
        Outcome::Failure => 5,
        Outcome::Denied => 7,
    };
    let action = cef_header(&event.action);
    let mut line = format!("CEF:0|Passerelle|Passerelle|{VERSION}|{action}|{action}|{severity}|");
    let custom = [
        ("cs1", "object", Some(&event.object)),
        ("cs2", "service", event.service.as_ref()),
        ("cs3", "environment", event.environment.as_ref()),
        ("cs4", "via", Some(&event.via)),
        ("cs5", "request", Some(&event.request_id)),
        ("cs6", "chain", exported.chain.as_ref().map(|chain| &chain.hash)),
    ];
    let mut fields = vec![
        ("externalId".to_owned(), event.id.to_string()),
        ("rt".to_owned(), millis(event).to_string()),
        ("suser".to_owned(), event.actor.clone()),
        ("act".to_owned(), event.action.clone()),
        ("outcome".to_owned(), event.outcome.as_str().to_owned()),
    ];
    if let Some(reason) = &event.reason {
        fields.push(("msg".to_owned(), reason.chars().take(CEF_MESSAGE).collect()));
    }
    for (key, label, value) in custom {
        if let Some(value) = value {
            fields.push((format!("{key}Label"), label.to_owned()));
            fields.push((key.to_owned(), value.clone()));
        }
    }
    if let Some(chain) = &exported.chain {
        fields.push(("cn1Label".to_owned(), "position".to_owned()));
        fields.push(("cn1".to_owned(), chain.position.to_string()));
    }
    let written: Vec<String> = fields.iter().map(|(key, value)| format!("{key}={}", cef_value(value))).collect();
    line.push_str(&written.join(" "));
    line
}

fn cef_header(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\r', '\n'], " ")
}

fn cef_value(text: &str) -> String {
    text.replace('\\', "\\\\").replace('=', "\\=").replace('\r', "\\r").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::audit::ChainOut;
    use time::OffsetDateTime;

    fn event() -> ExportedEvent {
        let event = AuditEventOut {
            id: 12,
            at: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap(),
            actor: "ada".into(),
            via: "api".into(),
            action: "gate.policy_edit".into(),
            object: "policy:a|b=c".into(),
            service: Some("shop/web".into()),
            environment: None,
            reason: Some("one\ntwo = \\ |".into()),
            before: None,
            after: Some(json!({"a": 1})),
            request_id: "r1".into(),
            outcome: Outcome::Denied,
            sealed: true,
        };
        let chain = ChainOut { position: 9, hash: "ab".repeat(32), checkpoint: None, follows: None };
        ExportedEvent { event, chain: Some(chain) }
    }

    #[test]
    fn a_spreadsheet_runs_nothing() {
        assert_eq!(csv_field("=cmd()"), "'=cmd()");
        assert_eq!(csv_field("@x,\"y\""), "\"'@x,\"\"y\"\"\"");
        assert_eq!(csv_field("plain"), "plain");
    }

    #[test]
    fn ocsf_has_what_its_class_requires() {
        let out: Value = serde_json::from_str(&Format::Ocsf.line(&event())).unwrap();
        for required in [
            "activity_id",
            "actor",
            "api",
            "category_uid",
            "class_uid",
            "metadata",
            "severity_id",
            "src_endpoint",
            "time",
            "type_uid",
        ] {
            assert!(!out[required].is_null(), "{required}");
        }
        assert_eq!((out["class_uid"].as_u64(), out["type_uid"].as_u64()), (Some(6003), Some(600_303)));
        assert_eq!(out["time"], 1_700_000_000_000_i64);
        assert_eq!((out["status_id"].as_u64(), out["severity_id"].as_u64()), (Some(2), Some(3)));
        assert_eq!(out["resources"][1]["name"], "shop/web");
        assert_eq!(out["metadata"]["sequence"], 9);
        assert_eq!(out["unmapped"]["after"]["a"], 1);
    }

    #[test]
    fn a_line_of_cef_stays_one_line_and_its_fields_stay_apart() {
        let line = Format::Cef.line(&event());
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(line.starts_with("CEF:0|Passerelle|Passerelle|"), "{line}");
        assert!(
            line.contains("|gate.policy_edit|gate.policy_edit|7|externalId=12 rt=1700000000000 suser=ada "),
            "{line}"
        );
        assert!(
            line.contains(r"msg=one\ntwo \= \\ | cs1Label=object cs1=policy:a|b\=c cs2Label=service cs2=shop/web"),
            "{line}"
        );
        assert!(line.ends_with("cn1Label=position cn1=9\n"), "{line}");
        assert_eq!(cef_header("a|b\\"), r"a\|b\\");
    }
}
