//! The Ingress rules that lead to the pods of a Deployment. Pure.

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{Ingress, IngressBackend};
use passerelle_contract::deployments::Route;
use std::collections::{BTreeMap, BTreeSet};

/// A class given the old way.
const CLASS: &str = "kubernetes.io/ingress.class";

/// A route with the Secret of its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Found {
    pub route: Route,
    pub secret: Option<String>,
}

/// Those of a pod template.
type Labels = BTreeMap<String, String>;

/// Names of the Services whose selector takes the pods of the template.
fn services(labels: &Labels, all: &[Service]) -> BTreeSet<String> {
    let takes = |service: &&Service| {
        let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        selector.is_some_and(|wanted| {
            !wanted.is_empty() && wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
        })
    };
    all.iter().filter(takes).filter_map(|service| service.metadata.name.clone()).collect()
}

pub(in super::super) fn of(labels: &Labels, all: &[Service], ingresses: &[Ingress]) -> Vec<Found> {
    let services = services(labels, all);
    let leads =
        |backend: &IngressBackend| backend.service.as_ref().is_some_and(|service| services.contains(&service.name));
    let mut found = Vec::new();
    for ingress in ingresses {
        let Some(spec) = &ingress.spec else { continue };
        let class =
            spec.ingress_class_name.clone().or_else(|| ingress.metadata.annotations.as_ref()?.get(CLASS).cloned());
        let mut push = |host: &str, path: &str| {
            let tls = spec.tls.iter().flatten().find(|tls| tls.hosts.iter().flatten().any(|name| covers(name, host)));
            found.push(Found {
                secret: tls.and_then(|tls| tls.secret_name.clone()),
                route: Route {
                    name: ingress.metadata.name.clone().unwrap_or_default(),
                    host: host.to_owned(),
                    path: path.to_owned(),
                    tls: tls.is_some(),
                    class: class.clone(),
                    address: address(ingress),
                },
            });
        };
        for rule in spec.rules.iter().flatten() {
            for path in rule.http.iter().flat_map(|http| &http.paths).filter(|path| leads(&path.backend)) {
                push(rule.host.as_deref().unwrap_or("*"), path.path.as_deref().unwrap_or("/"));
            }
        }
        if spec.default_backend.as_ref().is_some_and(leads) {
            push("*", "/");
        }
    }
    found
}

fn covers(name: &str, host: &str) -> bool {
    name == host
        || name
            .strip_prefix('*')
            .is_some_and(|rest| host.split_once('.').is_some_and(|(_, tail)| rest == format!(".{tail}")))
}

fn address(ingress: &Ingress) -> Option<String> {
    let balancer = ingress.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?;
    balancer.iter().find_map(|point| point.hostname.clone().or_else(|| point.ip.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_that_lead_to_the_pods_are_found() {
        let service = |name: &str, app: &str| -> Service {
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"selector": {"app": app}}})).unwrap()
        };
        let backend = |name: &str| json!({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}});
        let ingress: Ingress = serde_json::from_value(json!({"metadata": {"name": "apps"},
            "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["*.monapp.com"], "secretName": "monapp-tls"}],
                "rules": [{"host": "web.monapp.com", "http": {"paths": [backend("front")]}}, {"host": "api.monapp.com", "http": {"paths": [backend("api")]}}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "34.1.2.3"}]}}}))
        .unwrap();
        let labels = [("app".to_owned(), "web".to_owned())].into();
        let found = of(&labels, &[service("front", "web"), service("api", "api")], &[ingress]);
        assert_eq!(found.len(), 1);
        let Found { route, secret } = &found[0];
        assert_eq!(
            (route.host.as_str(), route.class.as_deref(), route.address.as_deref()),
            ("web.monapp.com", Some("nginx"), Some("34.1.2.3"))
        );
        assert!(route.tls && secret.as_deref() == Some("monapp-tls"));
        assert!(!covers("*.monapp.com", "a.b.monapp.com") && covers("a.fr", "a.fr"));
    }
}
