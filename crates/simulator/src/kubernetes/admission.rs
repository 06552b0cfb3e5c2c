//! Defaults and validation: what the API server does to an object before it is stored.

use super::kinds::{self, Kind};
use super::refusal::Refusal;
use super::selector::selects;
use crate::object::{default, list, text};
use serde_json::{Value, json};

/// Fills in defaults and refuses what the real API server would.
pub(crate) fn admit(kind: &'static Kind, object: &mut Value, before: Option<&Value>) -> Result<(), Refusal> {
    object["kind"] = json!(kind.kind);
    object["apiVersion"] = json!(kind.api_version());
    let name = text(object, "/metadata/name").to_owned();
    validate_name(kind, &name)?;
    match kind.kind {
        "Deployment" | "ReplicaSet" => admit_workload(kind, &name, object, before),
        "Rollout" => admit_rollout(kind, &name, object),
        "Job" => {
            default(object, &["spec", "backoffLimit"], || json!(6));
            default(object, &["spec", "completions"], || json!(1));
            default(object, &["spec", "parallelism"], || json!(1));
            if before.is_some_and(|before| before["spec"]["template"] != object["spec"]["template"]) {
                return Err(Refusal::invalid(kind, &name, "spec.template", "field is immutable"));
            }
            pod_spec(kind, &name, "spec.template.spec", object.pointer_mut("/spec/template/spec"))
        }
        "Pod" => pod_spec(kind, &name, "spec", object.pointer_mut("/spec")),
        "Secret" => {
            default(object, &["type"], || json!("Opaque"));
            fold_string_data(object);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn validate_name(kind: &Kind, name: &str) -> Result<(), Refusal> {
    let allowed = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-' || sign == '.';
    let edges = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit();
    let valid = !name.is_empty() && name.len() <= 253 && name.chars().all(allowed);
    if valid && name.starts_with(edges) && name.ends_with(edges) {
        return Ok(());
    }
    let why = format!(
        "Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
    );
    Err(Refusal::invalid(kind, name, "metadata.name", &why))
}

fn admit_workload(kind: &'static Kind, name: &str, object: &mut Value, before: Option<&Value>) -> Result<(), Refusal> {
    default(object, &["spec", "replicas"], || json!(1));
    if kind == &kinds::DEPLOYMENT {
        default(object, &["spec", "strategy", "type"], || json!("RollingUpdate"));
        if object["spec"]["strategy"]["type"] == "RollingUpdate" {
            default(object, &["spec", "strategy", "rollingUpdate", "maxSurge"], || json!("25%"));
            default(object, &["spec", "strategy", "rollingUpdate", "maxUnavailable"], || json!("25%"));
        }
        default(object, &["spec", "revisionHistoryLimit"], || json!(10));
        default(object, &["spec", "progressDeadlineSeconds"], || json!(600));
    }
    if object["spec"]["replicas"].as_i64().is_none_or(|count| count < 0) {
        let why = format!("Invalid value: {}: must be greater than or equal to 0", object["spec"]["replicas"]);
        return Err(Refusal::invalid(kind, name, "spec.replicas", &why));
    }
    let selector = &object["spec"]["selector"];
    if !selector.is_object() {
        return Err(Refusal::invalid(kind, name, "spec.selector", "Required value"));
    }
    if !selects(selector, &object["spec"]["template"]["metadata"]["labels"]) {
        let why = "Invalid value: `selector` does not match template `labels`";
        return Err(Refusal::invalid(kind, name, "spec.template.metadata.labels", why));
    }
    if before.is_some_and(|before| before["spec"]["selector"] != *selector) {
        return Err(Refusal::invalid(kind, name, "spec.selector", "Invalid value: field is immutable"));
    }
    pod_spec(kind, name, "spec.template.spec", object.pointer_mut("/spec/template/spec"))
}

/// A custom resource is stored as it was given; its schema asks for little.
fn admit_rollout(kind: &'static Kind, name: &str, object: &Value) -> Result<(), Refusal> {
    let spec = &object["spec"];
    if !spec.is_object() {
        return Err(Refusal::invalid(kind, name, "spec", "Required value"));
    }
    match spec["replicas"].as_i64() {
        None if spec["replicas"].is_null() => Ok(()),
        Some(count) if count >= 0 => Ok(()),
        _ => Err(Refusal::invalid(kind, name, "spec.replicas", "Invalid value: must be an integer of 0 or more")),
    }
}

fn pod_spec(kind: &Kind, name: &str, field: &str, spec: Option<&mut Value>) -> Result<(), Refusal> {
    let required = |rest: &str| Refusal::invalid(kind, name, &format!("{field}{rest}"), "Required value");
    let Some(spec) = spec else { return Err(required("")) };
    if list(spec, "/containers").is_empty() {
        return Err(required(".containers"));
    }
    default(spec, &["restartPolicy"], || json!("Always"));
    default(spec, &["terminationGracePeriodSeconds"], || json!(30));
    default(spec, &["dnsPolicy"], || json!("ClusterFirst"));
    default(spec, &["securityContext"], || json!({}));
    default(spec, &["schedulerName"], || json!("default-scheduler"));
    let Some(containers) = spec["containers"].as_array_mut() else { return Err(required(".containers")) };
    for (at, container) in containers.iter_mut().enumerate() {
        for need in ["name", "image"] {
            if text(container, &format!("/{need}")).is_empty() {
                return Err(required(&format!(".containers[{at}].{need}")));
            }
        }
        default_container(container);
    }
    Ok(())
}

fn default_container(container: &mut Value) {
    let image = text(container, "/image").to_owned();
    let floating = !image.contains('@') && crate::behaviour::version_of(&image) == "latest";
    default(container, &["imagePullPolicy"], || json!(if floating { "Always" } else { "IfNotPresent" }));
    default(container, &["terminationMessagePath"], || json!("/dev/termination-log"));
    default(container, &["terminationMessagePolicy"], || json!("File"));
    default(container, &["resources"], || json!({}));
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        default(port, &["protocol"], || json!("TCP"));
    }
    for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) else { continue };
        if probe["httpGet"].is_object() {
            default(probe, &["httpGet", "scheme"], || json!("HTTP"));
        }
        for (field, value) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            default(probe, &[field], || json!(value));
        }
    }
}

/// `stringData` is write-only: it ends up encoded in `data`.
fn fold_string_data(object: &mut Value) {
    use base64::Engine as _;
    let Some(Value::Object(plain)) = crate::object::remove(object, &["stringData"]) else { return };
    for (key, value) in plain {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or_default());
        crate::object::set(object, &["data", &key], json!(encoded));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Value {
        json!({"metadata": {"name": "web"}, "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "web:1"}]}},
        }})
    }

    #[test]
    fn defaults_are_those_of_the_platform() {
        let mut object = deployment();
        admit(&kinds::DEPLOYMENT, &mut object, None).unwrap();
        assert_eq!(object["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
        assert_eq!(object["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
        let once = object.clone();
        admit(&kinds::DEPLOYMENT, &mut object, Some(&once)).unwrap();
        assert_eq!(object, once);
    }

    #[test]
    fn mistakes_name_their_field() {
        for (pointer, value, field) in [
            ("/spec/template/spec/containers/0/image", json!(""), "spec.template.spec.containers[0].image"),
            ("/spec/template/metadata/labels/app", json!("other"), "spec.template.metadata.labels"),
            ("/spec/template/spec/containers", json!([]), "spec.template.spec.containers"),
            ("/metadata/name", json!("Web_1"), "metadata.name"),
        ] {
            let mut object = deployment();
            *object.pointer_mut(pointer).unwrap() = value;
            let refusal = admit(&kinds::DEPLOYMENT, &mut object, None).unwrap_err();
            assert_eq!(refusal.details["causes"][0]["field"], field);
        }
    }

    #[test]
    fn string_data_becomes_data() {
        let mut secret = json!({"metadata": {"name": "s"}, "stringData": {"k": "v"}});
        admit(&kinds::SECRET, &mut secret, None).unwrap();
        assert_eq!(secret["data"]["k"], "dg==");
        assert!(secret.get("stringData").is_none());
    }
}
