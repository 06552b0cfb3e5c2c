//! From a folder of a bundle to objects: by kustomize where it has a kustomization, else its YAML files as they are.

use super::kustomization;
use super::program::{Failed, Program, too_much};
use crate::TargetError;
use crate::archive::Files;
use crate::masking::shown;
use passerelle_contract::text;
use serde::Deserialize as _;
use serde_json::Value;

/// Most bytes of manifests, and most objects in them.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
const MOST_OBJECTS: usize = 200;

/// The objects of a folder (with a slash at its end, or empty), in the order in which they stand.
///
/// # Errors
/// [`TargetError::Artifact`] for manifests that cannot be rendered or read; [`TargetError::Refused`] when this machine has no program for it.
pub(super) async fn render(files: &Files, folder: &str) -> Result<Vec<Value>, TargetError> {
    if kustomization::of_folder(files, folder).is_none() {
        return plain(files, folder);
    }
    kustomization::check(files, folder)?;
    let program = Program::find(std::env::var_os("PATH").as_deref()).ok_or_else(no_program)?;
    let rendered = program.render(files, folder, MOST_BYTES).await.map_err(|failed| match failed {
        Failed::Manifests(why) => TargetError::Artifact(text!("the manifests cannot be rendered: {why}", why)),
        Failed::Machine(why) => TargetError::Refused(why),
    })?;
    let mut objects = Vec::new();
    read(folder, &rendered, &mut objects)?;
    Ok(objects)
}

fn no_program() -> TargetError {
    TargetError::Artifact(text!(
        "the manifests have a kustomization, and this machine has neither kustomize nor kubectl on its PATH to render it"
    ))
}

/// The files right in the folder, by name, as `kubectl apply -f FOLDER` takes them.
fn plain(files: &Files, folder: &str) -> Result<Vec<Value>, TargetError> {
    let is_manifest = |path: &str| {
        let name = path.strip_prefix(folder)?;
        let ends = [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
        (ends && !name.contains('/')).then_some(())
    };
    let mut objects = Vec::new();
    let mut size = 0;
    for (path, bytes) in files.iter().filter(|(path, _)| is_manifest(path).is_some()) {
        size += bytes.len() as u64;
        if size > MOST_BYTES {
            let (Failed::Manifests(why) | Failed::Machine(why)) = too_much(MOST_BYTES);
            return Err(TargetError::Artifact(why));
        }
        read(path, bytes, &mut objects)?;
    }
    if objects.is_empty() {
        let folder = if folder.is_empty() { "." } else { folder };
        return Err(TargetError::Artifact(text!("the bundle has no manifests in the folder {folder}", folder)));
    }
    Ok(objects)
}

/// Every document of a file; a `List` is the objects in it.
fn read(file: &str, bytes: &[u8], objects: &mut Vec<Value>) -> Result<(), TargetError> {
    for document in serde_yaml_ng::Deserializer::from_slice(bytes) {
        let value = Value::deserialize(document).map_err(|error| {
            let why: String = shown(&error.to_string()).chars().take(300).collect();
            TargetError::Artifact(text!("{file} is no YAML: {why}", file, why))
        })?;
        match value {
            Value::Null => {}
            Value::Object(mut list) if list.get("kind").is_some_and(|kind| kind == "List") => {
                if let Some(Value::Array(items)) = list.shift_remove("items") {
                    objects.extend(items);
                }
            }
            other => objects.push(other),
        }
        if objects.len() > MOST_OBJECTS {
            return Err(TargetError::Artifact(text!("the manifests are more than {max} objects", max = MOST_OBJECTS)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> Files {
        all.iter().map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec())).collect()
    }

    fn kinds(objects: &[Value]) -> Vec<&str> {
        objects.iter().map(|object| object["kind"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn plain_files_are_read_in_order_and_folders_below_are_not() {
        let bundle = files(&[
            ("deploy/b.yml", "kind: B\n---\n# nothing\n---\nkind: C\n"),
            ("deploy/a.yaml", "kind: List\nitems: [{kind: A1}, {kind: A2}]"),
            ("deploy/c.json", "{\"kind\": \"D\"}"),
            ("deploy/README.md", "kind: {"),
            ("deploy/more/x.yaml", "kind: X"),
            ("x.yaml", "kind: Y"),
        ]);
        assert_eq!(kinds(&render(&bundle, "deploy/").await.unwrap()), ["A1", "A2", "B", "C", "D"]);
        assert_eq!(kinds(&render(&bundle, "").await.unwrap()), ["Y"]);
        let missing = render(&bundle, "deploi/").await.unwrap_err().to_string();
        assert_eq!(missing, "the bundle has no manifests in the folder deploi/");
    }

    #[tokio::test]
    async fn what_is_no_yaml_or_too_much_is_told() {
        let broken = render(&files(&[("a.yaml", "kind: [")]), "").await.unwrap_err().to_string();
        assert!(broken.starts_with("a.yaml is no YAML"), "{broken}");
        let many = "---\nkind: A\n".repeat(MOST_OBJECTS + 1);
        assert!(render(&files(&[("a.yaml", &many)]), "").await.unwrap_err().to_string().contains("200 objects"));
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
        assert!(render(&files(&[("a.yaml", bomb)]), "").await.is_err());
    }

    /// With the program of this machine, when it has one.
    #[tokio::test]
    async fn an_overlay_is_rendered() {
        let bundle = files(&[
            (
                "base/kustomization.yaml",
                "resources: [deployment.yaml]\nconfigMapGenerator: [{name: web, literals: [A=b]}]",
            ),
            (
                "base/deployment.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, image: web, envFrom: [{configMapRef: {name: web}}]}]}}}",
            ),
            ("overlays/p/kustomization.yaml", "bases: [../../base]\nnamespace: shop"),
        ]);
        if Program::find(std::env::var_os("PATH").as_deref()).is_none() {
            assert!(
                render(&bundle, "overlays/p/").await.unwrap_err().to_string().contains("neither kustomize nor kubectl")
            );
            return;
        }
        let objects = render(&bundle, "overlays/p/").await.unwrap();
        assert_eq!(objects.len(), 2, "{objects:?}");
        assert!(objects.iter().all(|object| object["metadata"]["namespace"] == "shop"));
        let broken = files(&[("kustomization.yaml", "resources: [a.yaml]"), ("a.yaml", "kind: {")]);
        let said = render(&broken, "").await.unwrap_err().to_string();
        assert!(said.starts_with("the manifests cannot be rendered: ") && !said.contains("/tmp"), "{said}");
    }
}
