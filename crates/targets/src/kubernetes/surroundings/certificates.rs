//! Certificates of the hosts, as cert-manager tells them. Pure.

use super::routes::Found;
use crate::masking::shown;
use kube::api::DynamicObject;
use passerelle_contract::deployments::Certificate;
use serde_json::Value;
use std::collections::BTreeSet;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const MAX_MESSAGE_CHARS: usize = 300;

/// Those that fill the Secrets of the routes, or name their hosts.
pub(super) fn of(routes: &[Found], all: &[DynamicObject]) -> Vec<Certificate> {
    let secrets: BTreeSet<&str> = routes.iter().filter_map(|found| found.secret.as_deref()).collect();
    let hosts: BTreeSet<&str> = routes.iter().map(|found| found.route.host.as_str()).collect();
    let mut found: Vec<_> = all
        .iter()
        .filter(|object| {
            let names = names(object);
            object.data["spec"]["secretName"].as_str().is_some_and(|secret| secrets.contains(secret))
                || names.iter().any(|name| hosts.contains(name.as_str()))
        })
        .map(certificate)
        .collect();
    found.sort_by_key(|certificate| certificate.expires_at);
    found
}

fn names(object: &DynamicObject) -> Vec<String> {
    let names = object.data["spec"]["dnsNames"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).map(shown).collect()
}

fn certificate(object: &DynamicObject) -> Certificate {
    let status = &object.data["status"];
    let time = |field: &str| OffsetDateTime::parse(status[field].as_str()?, &Rfc3339).ok();
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let ready = conditions.clone().find(|one| one["type"] == "Ready");
    let is_ready = ready.is_some_and(|one| one["status"] == "True");
    let message = ready.and_then(|one| one["message"].as_str()).filter(|_| !is_ready);
    Certificate {
        name: object.metadata.name.clone().unwrap_or_default(),
        hosts: names(object),
        ready: is_ready,
        expires_at: time("notAfter"),
        renews_at: time("renewalTime"),
        message: message.map(|text| shown(text).chars().take(MAX_MESSAGE_CHARS).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::deployments::Route;
    use serde_json::json;

    #[test]
    fn certificates_of_the_routes_are_told_with_their_end() {
        let route = Route {
            name: "apps".into(),
            host: "web.monapp.com".into(),
            path: "/".into(),
            tls: true,
            class: None,
            address: None,
        };
        let routes = [Found { route, secret: Some("monapp-tls".into()) }];
        let certificate = |name: &str, secret: &str, ready: &str| -> DynamicObject {
            serde_json::from_value(json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": name},
                "spec": {"secretName": secret, "dnsNames": ["x.test"]},
                "status": {"notAfter": "2026-12-01T00:00:00Z", "conditions": [{"type": "Ready", "status": ready, "message": "challenge fails"}]}}))
            .unwrap()
        };
        let found = of(&routes, &[certificate("other", "other", "True"), certificate("monapp", "monapp-tls", "False")]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].ready, found[0].message.as_deref()), (false, Some("challenge fails")));
        assert_eq!(found[0].expires_at.unwrap().year(), 2026);
        assert_eq!(of(&routes, &[certificate("monapp", "monapp-tls", "True")])[0].message, None);
    }
}
