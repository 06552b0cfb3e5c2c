//! The services of a region as what could be adopted. Pure.

use super::config::Name;
use super::state::short;
use crate::running::Running;
use serde_json::{Value, json};

/// A service; nothing for one whose name no binding can have. Of several containers the one that takes requests counts: it alone has a port.
pub(super) fn read(service: &Value) -> Option<Running> {
    let name = short(&service["name"]);
    Name::try_from(name.to_owned()).ok()?;
    let containers = service["template"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let container = containers.iter().find(|one| one["ports"].is_array()).or_else(|| containers.first());
    let mut binding = json!({ "service": name });
    if let ([_, _, ..], Some(own)) = (containers, container.and_then(|one| one["name"].as_str())) {
        binding["container"] = json!(own);
    }
    let text = |pointer: &str| container?.pointer(pointer)?.as_str().map(str::to_owned);
    Some(Running {
        name: name.to_owned(),
        binding,
        image: text("/image"),
        port: container
            .and_then(|one| one.pointer("/ports/0/containerPort")?.as_u64())
            .and_then(|port| u16::try_from(port).ok()),
        ready_path: text("/startupProbe/httpGet/path"),
        health_path: text("/livenessProbe/httpGet/path"),
        ..Running::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_that_takes_requests_counts() {
        let found = read(&json!({"name": "projects/p/locations/r/services/user-service", "template": {"containers": [
            {"name": "proxy", "image": "p:1"},
            {"name": "app", "image": "app:2", "ports": [{"containerPort": 8080}], "livenessProbe": {"httpGet": {"path": "/live"}}}]}}))
        .unwrap();
        assert_eq!((found.name.as_str(), found.port), ("user-service", Some(8080)));
        assert_eq!(found.binding, json!({"service": "user-service", "container": "app"}));
        assert_eq!((found.image.as_deref(), found.health_path.as_deref()), (Some("app:2"), Some("/live")));
        let plain = read(&json!({"name": "a", "template": {"containers": [{"image": "b"}]}})).unwrap();
        assert_eq!(plain.binding, json!({"service": "a"}));
        assert_eq!(read(&json!({"name": "A/b!"})), None);
    }
}
