//! The Deployments of a cluster as what could be adopted.

use super::error::call;
use super::names::{Label, Name};
use super::snapshot::labels_of;
use super::surroundings::routes;
use crate::TargetError;
use crate::running::{MOST_RUNNING, Running, in_order};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, Probe, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::ListParams;
use kube::{Api, Client, Resource};
use passerelle_contract::{Text, text};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;

/// What a cluster brings itself is nobody's service.
const OF_THE_CLUSTER: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// In one namespace, or in all that the account may list.
pub(super) async fn list(client: &Client, namespace: Option<&str>) -> Result<Vec<Running>, TargetError> {
    if let Some(name) = namespace {
        Label::try_from(name.to_owned())
            .map_err(|message| TargetError::Config { pointer: "/group".to_owned(), message })?;
    }
    let deployments = all::<Deployment>(client, namespace, text!("the Deployments")).await;
    let deployments = deployments.map_err(|error| match error {
        TargetError::Forbidden(_) if namespace.is_none() => {
            TargetError::Refused(text!("this account may not list all namespaces: name one"))
        }
        other => other,
    })?;
    // The name from outside is a help only: without the right to read it, the rest is told.
    let (services, ingresses) = tokio::join!(
        all::<Service>(client, namespace, text!("the Services")),
        all::<Ingress>(client, namespace, text!("the Ingresses"))
    );
    let (services, ingresses) = (services.unwrap_or_default(), ingresses.unwrap_or_default());
    Ok(in_order(deployments.iter().filter_map(|one| read(one, &services, &ingresses)).collect()))
}

async fn all<K>(client: &Client, namespace: Option<&str>, what: Text) -> Result<Vec<K>, TargetError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let list = ListParams::default().limit(u32::try_from(MOST_RUNNING).unwrap_or(u32::MAX));
    Ok(call(what, api.list(&list)).await?.items)
}

fn read(deployment: &Deployment, services: &[Service], ingresses: &[Ingress]) -> Option<Running> {
    let (group, name) = (deployment.metadata.namespace.clone()?, deployment.metadata.name.clone()?);
    if OF_THE_CLUSTER.contains(&group.as_str()) || Name::try_from(name.clone()).is_err() {
        return None;
    }
    let spec = deployment.spec.as_ref()?;
    let containers = spec.template.spec.as_ref().map(|pod| pod.containers.as_slice()).unwrap_or_default();
    // Beside a proxy the container of the service most often has the name of its Deployment.
    let container = containers.iter().find(|one| one.name == name).or_else(|| containers.first())?;
    let mut binding = json!({ "namespace": group, "deployment": name });
    if containers.len() > 1 {
        binding["container"] = json!(container.name);
    }
    let labels = labels_of(&spec.template);
    let inside = |one: &Option<String>| one.as_deref() == Some(group.as_str());
    let services: Vec<Service> = services.iter().filter(|one| inside(&one.metadata.namespace)).cloned().collect();
    let ingresses: Vec<Ingress> = ingresses.iter().filter(|one| inside(&one.metadata.namespace)).cloned().collect();
    let host = routes::of(labels, &services, &ingresses).into_iter().map(|found| found.route.host);
    Some(Running {
        binding,
        image: container.image.clone(),
        replicas: spec.replicas.and_then(|number| u32::try_from(number).ok()),
        port: port(container),
        ready_path: path(container.readiness_probe.as_ref()),
        health_path: path(container.liveness_probe.as_ref()),
        host: host.into_iter().find(|host| host != "*"),
        group,
        name,
    })
}

/// The one that its probe asks, else the first that it names.
fn port(container: &Container) -> Option<u16> {
    let ports = container.ports.as_deref().unwrap_or_default();
    let asked = container.readiness_probe.as_ref().and_then(|probe| probe.http_get.as_ref()).map(|get| &get.port);
    let number = match asked {
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => {
            ports.iter().find(|port| port.name.as_ref() == Some(name)).map(|port| port.container_port)
        }
        None => ports.first().map(|port| port.container_port),
    };
    number.and_then(|number| u16::try_from(number).ok())
}

fn path(probe: Option<&Probe>) -> Option<String> {
    probe?.http_get.as_ref()?.path.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn of<K: DeserializeOwned>(value: Value) -> K {
        serde_json::from_value(value).unwrap()
    }

    fn deployment(namespace: &str, containers: &Value) -> Deployment {
        of(json!({"metadata": {"namespace": namespace, "name": "web"}, "spec": {"replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}}}))
    }

    #[test]
    fn a_deployment_tells_what_the_form_asks() {
        let containers = json!([{"name": "proxy", "image": "proxy:1"}, {"name": "web", "image": "shop/web:2",
            "ports": [{"name": "metrics", "containerPort": 9100}, {"name": "http", "containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
            "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}}}]);
        let service =
            of(json!({"metadata": {"namespace": "shop", "name": "front"}, "spec": {"selector": {"app": "web"}}}));
        let ingress = of(
            json!({"metadata": {"namespace": "shop", "name": "apps"}, "spec": {"rules": [{"host": "shop.example.org",
            "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "front", "port": {"number": 80}}}}]}}]}}),
        );
        let found = read(&deployment("shop", &containers), &[service], &[ingress]).unwrap();
        assert_eq!(found.binding, json!({"namespace": "shop", "deployment": "web", "container": "web"}));
        assert_eq!((found.image.as_deref(), found.replicas, found.port), (Some("shop/web:2"), Some(3), Some(8080)));
        assert_eq!((found.ready_path.as_deref(), found.health_path.as_deref()), (Some("/ready"), Some("/live")));
        assert_eq!(found.host.as_deref(), Some("shop.example.org"));
    }

    #[test]
    fn other_namespaces_lead_nowhere_and_the_clusters_own_are_left_out() {
        let containers = json!([{"name": "x", "image": "x"}]);
        let service =
            of(json!({"metadata": {"namespace": "other", "name": "front"}, "spec": {"selector": {"app": "web"}}}));
        let found = read(&deployment("shop", &containers), &[service], &[]).unwrap();
        assert_eq!(
            (found.binding, found.host, found.port),
            (json!({"namespace": "shop", "deployment": "web"}), None, None)
        );
        assert_eq!(read(&deployment("kube-system", &containers), &[], &[]), None);
    }
}
