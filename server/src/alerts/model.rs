//! What a message must be, and what its labels say.

use crate::kernel::{AppError, Result, validate};
use passerelle_contract::alerts::{AlertState, AlertmanagerAlert, AlertmanagerIn, AlertmanagerOptions};
use passerelle_contract::{FieldError, Text, text};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// More than an Alertmanager sends at once unless somebody groups everything.
const MAX_ALERTS: usize = 1000;
const MAX_LABELS: usize = 64;
const MAX_NAME: usize = 200;
const MAX_VALUE: usize = 4000;
const MAX_FINGERPRINT: usize = 64;
const SERVICE_LABEL: &str = "service";

/// Checks a message; every wrong field is named.
///
/// # Errors
/// `Invalid` by field.
pub fn check(message: &AlertmanagerIn) -> Result<()> {
    let mut errors = Vec::new();
    if message.version != "4" {
        errors.push(FieldError::new("/version", text!("must be 4, the version of the message of a webhook")));
    }
    if message.alerts.len() > MAX_ALERTS {
        errors.push(FieldError::new("/alerts", text!("must be {max} at most", max = MAX_ALERTS)));
        return Err(AppError::Invalid(errors));
    }
    for (at, alert) in message.alerts.iter().enumerate() {
        errors
            .extend(wrong(alert).into_iter().map(|(field, why)| FieldError::new(format!("/alerts/{at}/{field}"), why)));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

fn wrong(alert: &AlertmanagerAlert) -> Vec<(&'static str, Text)> {
    let mut errors = Vec::new();
    let hex = alert.fingerprint.chars().all(|c| c.is_ascii_hexdigit());
    if alert.fingerprint.is_empty() || alert.fingerprint.len() > MAX_FINGERPRINT || !hex {
        errors.push(("fingerprint", text!("must be 1 to {max} characters 0-9 and a-f", max = MAX_FINGERPRINT)));
    }
    if alert.labels.get("alertname").is_none_or(|name| name.trim().is_empty()) {
        errors.push(("labels/alertname", text!("must be given: it is the name of the alert")));
    }
    if alert.starts_at > OffsetDateTime::now_utc() + time::Duration::DAY {
        errors.push(("startsAt", text!("must not be in the future")));
    }
    if alert.status == AlertState::Resolved && alert.ends_at < alert.starts_at {
        errors.push(("endsAt", text!("must not be before startsAt")));
    }
    for (field, pairs) in [("labels", &alert.labels), ("annotations", &alert.annotations)] {
        errors.extend(wrong_pairs(pairs).map(|why| (field, why)));
    }
    errors
}

fn wrong_pairs(pairs: &BTreeMap<String, String>) -> Option<Text> {
    if pairs.len() > MAX_LABELS {
        return Some(text!("must be {max} at most", max = MAX_LABELS));
    }
    let too_long = |(name, value): (&String, &String)| name.len() > MAX_NAME || value.len() > MAX_VALUE;
    if pairs.iter().any(too_long) {
        return Some(text!(
            "has a name of more than {name} or a value of more than {value} bytes",
            name = MAX_NAME,
            value = MAX_VALUE
        ));
    }
    let nul = |(name, value): (&String, &String)| name.contains('\0') || value.contains('\0');
    pairs.iter().any(nul).then(validate::nul)
}

/// The service that the labels name, as `namespace/name`.
pub fn service_named(alert: &AlertmanagerAlert, options: &AlertmanagerOptions) -> Option<String> {
    let label = options.service_label.as_deref().unwrap_or(SERVICE_LABEL);
    let named = alert.labels.get(label).filter(|value| !value.is_empty())?;
    match (&options.namespace, named.contains('/')) {
        (Some(namespace), false) => Some(format!("{namespace}/{named}")),
        _ => Some(named.clone()),
    }
}

/// Where it is: by its label, else as the address of the webhook says.
pub fn environment_named(alert: &AlertmanagerAlert, options: &AlertmanagerOptions) -> Option<String> {
    let labelled = alert.labels.get("environment").filter(|value| !value.is_empty());
    labelled.cloned().or_else(|| options.environment.clone())
}

/// The end of an occurrence; `None` while it fires.
pub fn ended_at(alert: &AlertmanagerAlert) -> Option<OffsetDateTime> {
    (alert.status == AlertState::Resolved).then_some(alert.ends_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(change: impl FnOnce(&mut serde_json::Value)) -> AlertmanagerIn {
        let mut value = json!({
            "version": "4",
            "alerts": [{
                "status": "firing", "fingerprint": "c0ffee", "labels": {"alertname": "ServiceDown", "service": "web"},
                "startsAt": "2026-11-01T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p/graph",
            }],
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    fn fields(message: &AlertmanagerIn) -> Vec<String> {
        match check(message) {
            Ok(()) => Vec::new(),
            Err(AppError::Invalid(errors)) => errors.into_iter().map(|error| error.pointer).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_message_as_it_is_sent_is_good() {
        assert_eq!(fields(&message(|_| {})), Vec::<String>::new());
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = message(|value| {
            value["version"] = json!("3");
            value["alerts"][0]["fingerprint"] = json!("../x");
            value["alerts"][0]["labels"] = json!({"service": "w\u{0}"});
            value["alerts"][0]["status"] = json!("resolved");
            value["alerts"][0]["startsAt"] = json!("2126-11-01T10:00:00Z");
        });
        let expected = [
            "/version",
            "/alerts/0/fingerprint",
            "/alerts/0/labels/alertname",
            "/alerts/0/startsAt",
            "/alerts/0/endsAt",
            "/alerts/0/labels",
        ];
        assert_eq!(fields(&wrong), expected);
    }

    #[test]
    fn a_service_is_named_whole_or_within_the_namespace_of_the_webhook() {
        let options = AlertmanagerOptions { namespace: Some("shop".into()), ..AlertmanagerOptions::default() };
        let alert =
            |service: &str| message(|value| value["alerts"][0]["labels"]["service"] = json!(service)).alerts.remove(0);
        assert_eq!(service_named(&alert("web"), &options).as_deref(), Some("shop/web"));
        assert_eq!(service_named(&alert("other/web"), &options).as_deref(), Some("other/web"));
        assert_eq!(service_named(&alert(""), &options), None);
        let by_job = AlertmanagerOptions { service_label: Some("job".into()), ..options };
        assert_eq!(service_named(&alert("web"), &by_job), None);
    }
}
