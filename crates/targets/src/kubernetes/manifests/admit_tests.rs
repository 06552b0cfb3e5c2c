//! What is let through.

use super::super::kinds::known;
use super::*;

const PLACE: Place<'_> = Place { namespace: "shop", deployment: "web", container: None };
const PINNED: &str = "reg.example/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn settings(allow_rbac: bool) -> Manifests {
    serde_json::from_value(json!({"path": ".", "allow_rbac": allow_rbac})).unwrap()
}

fn object(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}})
}

fn workload(kind: &str, name: &str, image: &str) -> Value {
    let mut value = object(if kind == "CronJob" { "batch/v1" } else { "apps/v1" }, kind, name);
    let template = json!({"spec": {"containers": [{"name": "web", "image": image}],
        "initContainers": [{"name": "migrate", "image": image}]}});
    match kind {
        "CronJob" => value["spec"] = json!({"jobTemplate": {"spec": {"template": template}}}),
        _ => value["spec"] = json!({"template": template}),
    }
    value
}

fn admitted(more: Vec<Value>, allow_rbac: bool) -> Result<Admitted, String> {
    let all = [workload("Deployment", "web", "web")].into_iter().chain(more).collect();
    admit(all, &settings(allow_rbac), PLACE, &known).map_err(|error| error.to_string())
}

#[test]
fn objects_are_labelled_ordered_and_put_into_the_namespace() {
    let mut config = object("v1", "ConfigMap", "web");
    config["metadata"]["uid"] = json!("x");
    config["metadata"]["labels"] = json!({"app": "web"});
    config["status"] = json!({});
    let all = vec![
        object("networking.k8s.io/v1", "Ingress", "web"),
        object("v1", "Service", "web"),
        config,
        object("v1", "Namespace", "shop"),
        workload("Deployment", "worker", "worker:1"),
        workload("StatefulSet", "db", "postgres:16"),
    ];
    let admitted = admitted(all, false).unwrap();
    let names: Vec<_> = admitted.objects.iter().map(|object| object.id.title()).collect();
    assert_eq!(
        names,
        ["ConfigMap web", "Service web", "StatefulSet db", "Deployment worker", "Deployment web", "Ingress web"]
    );
    assert_eq!(
        admitted.objects[0].value,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop",
            "labels": {"app": "web", "app.kubernetes.io/managed-by": "passerelle", "passerelle.dev/binding": "web"}}})
    );
    assert!(admitted.namespace.is_some());
}

#[test]
fn what_is_of_the_cluster_of_others_or_gives_rights_is_refused_by_name() {
    let elsewhere = {
        let mut value = object("v1", "ConfigMap", "a");
        value["metadata"]["namespace"] = json!("kube-system");
        value
    };
    for (value, said) in [
        (object("rbac.authorization.k8s.io/v1", "ClusterRole", "all"), "ClusterRole all is of the whole cluster"),
        (object("v1", "Namespace", "other"), "Namespace other is of the whole cluster"),
        (object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "a.b"), "is of the whole cluster"),
        (object("rbac.authorization.k8s.io/v1", "RoleBinding", "r"), "RoleBinding r gives rights"),
        (elsewhere, "ConfigMap a is for the namespace kube-system"),
        (object("example.test/v1", "Widget", "w"), "the cluster does not know example.test/v1 Widget"),
        (object("v1", "ConfigMap", "../x"), "is not a Kubernetes name"),
        (json!({"kind": "ConfigMap"}), "no apiVersion and kind"),
        (json!("text"), "no apiVersion and kind"),
        (
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}),
            "is not a Kubernetes name",
        ),
        (workload("Deployment", "web", "other"), "Deployment web is there twice"),
    ] {
        let refusal = admitted(vec![value], false).unwrap_err();
        assert!(refusal.starts_with("the manifests are refused: ") && refusal.contains(said), "{refusal}");
    }
    assert!(admitted(vec![object("rbac.authorization.k8s.io/v1", "Role", "r")], true).is_ok());
    let none = admit(vec![workload("Deployment", "api", "api")], &settings(false), PLACE, &known).unwrap_err();
    assert!(none.to_string().ends_with("which the binding names; they have: api"), "{none}");
}

#[test]
fn the_image_of_the_release_is_what_runs() {
    let all = vec![workload("CronJob", "nightly", "web"), workload("Deployment", "worker", "worker:1")];
    let mut objects = admitted(all, false).unwrap().objects;
    pin(&mut objects, PLACE, PINNED).unwrap();
    let image = |kind: &str, name: &str, pointer: &str| {
        let object = objects.iter().find(|object| object.is(kind, name)).unwrap();
        object.value.pointer(pointer).unwrap().clone()
    };
    assert_eq!(image("Deployment", "web", "/spec/template/spec/containers/0/image"), PINNED);
    assert_eq!(image("Deployment", "web", "/spec/template/spec/initContainers/0/image"), PINNED);
    assert_eq!(image("CronJob", "nightly", "/spec/jobTemplate/spec/template/spec/containers/0/image"), PINNED);
    assert_eq!(image("Deployment", "worker", "/spec/template/spec/containers/0/image"), "worker:1");
    let wrong = Place { container: Some("api"), ..PLACE };
    let refusal = pin(&mut objects, wrong, PINNED).unwrap_err().to_string();
    assert!(refusal.contains("Deployment web: the Deployment has no container 'api'"), "{refusal}");
}
