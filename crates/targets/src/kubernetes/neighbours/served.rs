//! Whether the Ingress of the service is served: its class is there, and a controller gave it an address.

use super::super::error::call;
use super::super::snapshot::Snapshot;
use super::super::surroundings::routes;
use super::super::workload::Workload;
use super::finding;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::Api;
use kube::api::ListParams;
use passerelle_contract::deployments::{Finding, Route, Severity};
use passerelle_contract::text;

const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";

pub(super) async fn check(
    workload: &Workload,
    snapshot: &Snapshot,
    services: &[Service],
    ingresses: &[Ingress],
) -> Vec<Finding> {
    let mut routes: Vec<Route> =
        routes::of(snapshot.pod_labels(), services, ingresses).into_iter().map(|found| found.route).collect();
    // One finding an Ingress is enough.
    routes.dedup_by(|a, b| a.name == b.name);
    if routes.is_empty() {
        return Vec::new();
    }
    let api: Api<IngressClass> = Api::all(workload.client.clone());
    let classes = call(text!("the ingress classes"), api.list(&ListParams::default().limit(100))).await;
    let classes = classes.ok().map(|found| found.items);
    routes.iter().filter_map(|route| of(route, classes.as_deref())).collect()
}

/// `classes` is absent when they may not be looked up.
fn of(route: &Route, classes: Option<&[IngressClass]>) -> Option<Finding> {
    let (name, host) = (&route.name, &route.host);
    let known =
        |class: &str| classes.is_none_or(|all| all.iter().any(|one| one.metadata.name.as_deref() == Some(class)));
    let is_default = |one: &IngressClass| {
        one.metadata.annotations.as_ref().and_then(|all| all.get(DEFAULT)).is_some_and(|value| value == "true")
    };
    let message = match &route.class {
        Some(class) if !known(class) => {
            text!(
                "Ingress {name} names the class {class}, which does not exist: nobody serves {host}",
                name,
                class,
                host
            )
        }
        None if classes.is_some_and(|all| !all.iter().any(is_default)) => {
            text!("Ingress {name} names no class, and the cluster has no default one: nobody serves {host}", name, host)
        }
        _ if route.address.is_none() => {
            text!("Ingress {name} has no address: no controller serves {host}", name, host)
        }
        _ => return None,
    };
    Some(finding(Severity::Warning, "ingress_not_served", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_ingress_without_class_controller_or_address_is_told() {
        let class = |name: &str, default: &str| -> IngressClass {
            serde_json::from_value(json!({"metadata": {"name": name, "annotations": {DEFAULT: default}}})).unwrap()
        };
        let route = |class: Option<&str>, address: Option<&str>| Route {
            name: "exai".into(),
            host: "api.exai-pipeline.fr".into(),
            path: "/".into(),
            tls: true,
            class: class.map(str::to_owned),
            address: address.map(str::to_owned),
        };
        let nginx = [class("nginx", "false")];
        let said = |route: &Route, classes: Option<&[IngressClass]>| {
            of(route, classes).map(|finding| finding.message.to_string())
        };
        assert_eq!(said(&route(Some("nginx"), Some("20.1.2.3")), Some(&nginx)), None);
        assert!(said(&route(Some("traefik"), Some("20.1.2.3")), Some(&nginx)).unwrap().contains("class traefik"));
        assert!(said(&route(None, Some("20.1.2.3")), Some(&nginx)).unwrap().contains("no default one"));
        assert_eq!(said(&route(None, Some("20.1.2.3")), Some(&[class("nginx", "true")])), None);
        assert!(said(&route(Some("nginx"), None), Some(&nginx)).unwrap().contains("no address"));
        assert_eq!(
            said(&route(Some("traefik"), Some("20.1.2.3")), None),
            None,
            "classes that may not be read are not missed"
        );
    }
}
