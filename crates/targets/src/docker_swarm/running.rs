//! The services of a Swarm as what could be adopted. Pure.

use super::config::ServiceName;
use super::spec;
use crate::running::{Running, host_of};
use serde_json::{Value, json};

/// The stack that `docker stack deploy` made a service for.
const STACK: &str = "com.docker.stack.namespace";
/// Ends a label of Traefik that names the port of a service.
const PORT: &str = ".loadbalancer.server.port";

/// A service; nothing for a job, which ends, and for one whose name no binding can have.
pub(super) fn read(spec: &Value) -> Option<Running> {
    let name = spec["Name"].as_str().filter(|_| !spec::is_job(spec))?;
    ServiceName::try_from(name.to_owned()).ok()?;
    let labels = spec["Labels"].as_object();
    let label = |key: &str| labels.and_then(|all| all.get(key)).and_then(Value::as_str);
    let of_traefik = |end: &str| {
        let found = labels.into_iter().flatten().find(|(key, _)| key.starts_with("traefik.") && key.ends_with(end));
        found.and_then(|(_, value)| value.as_str())
    };
    Some(Running {
        group: label(STACK).unwrap_or_default().to_owned(),
        name: name.to_owned(),
        binding: json!({ "service": name }),
        image: Some(spec::image(spec).to_owned()).filter(|image| !image.is_empty()),
        replicas: spec::replicas(spec),
        port: of_traefik(PORT).and_then(|port| port.parse().ok()),
        host: of_traefik(".rule").and_then(host_of),
        ..Running::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_and_the_labels_of_traefik_are_read() {
        let spec = json!({"Name": "exai_gateway", "Mode": {"Replicated": {"Replicas": 2}},
            "Labels": {"com.docker.stack.namespace": "exai", "traefik.http.routers.gateway.rule": "Host(`api.exai.example`)",
                "traefik.http.services.gateway.loadbalancer.server.port": "8000", "other.rule": "x"},
            "TaskTemplate": {"ContainerSpec": {"Image": "exai/gateway:1.2"}}});
        let found = read(&spec).unwrap();
        assert_eq!((found.group.as_str(), found.name.as_str()), ("exai", "exai_gateway"));
        assert_eq!(found.binding, json!({"service": "exai_gateway"}));
        assert_eq!(
            (found.replicas, found.port, found.host.as_deref()),
            (Some(2), Some(8000), Some("api.exai.example"))
        );
        assert_eq!(found.image.as_deref(), Some("exai/gateway:1.2"));
    }

    #[test]
    fn what_ends_or_cannot_be_named_is_left_out() {
        assert_eq!(read(&json!({"Name": "seed", "Mode": {"ReplicatedJob": {}}})), None);
        assert_eq!(read(&json!({"Name": "a/b"})), None);
        assert_eq!(read(&json!({})), None);
    }
}
