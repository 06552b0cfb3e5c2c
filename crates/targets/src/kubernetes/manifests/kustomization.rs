//! What a kustomization may ask for, read before any program sees it. Pure.
//!
//! Only fields of a list are let through, and every value that kustomize would load must be a file or a folder of the bundle by a plain name:
//! kustomize takes anything that looks like an address for one, even when a folder of that name is there.

use crate::TargetError;
use crate::archive::Files;
use crate::masking::shown;
use passerelle_contract::{Text, text};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Most kustomizations that one may be made of.
const MOST: usize = 50;

/// Fields that load nothing.
const PLAIN: [&str; 16] = [
    "apiVersion",
    "kind",
    "metadata",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "images",
    "replicas",
    "generatorOptions",
    "vars",
    "sortOptions",
    "buildMetadata",
    "imageTags",
];
/// Lists of names.
const FOLDERS: [&str; 3] = ["resources", "bases", "components"];
const FILES: [&str; 2] = ["configurations", "crds"];
const GENERATORS: [&str; 2] = ["configMapGenerator", "secretGenerator"];
const GENERATOR_FIELDS: [&str; 9] =
    ["name", "namespace", "behavior", "literals", "options", "type", "files", "envs", "env"];
const PATCH_FIELDS: [&str; 4] = ["path", "patch", "target", "options"];
const REPLACEMENT_FIELDS: [&str; 3] = ["path", "source", "targets"];

/// The kustomization of a folder (with a slash at its end, or empty), if it has one.
pub(super) fn of_folder(files: &Files, folder: &str) -> Option<String> {
    NAMES.iter().map(|name| format!("{folder}{name}")).find(|path| files.contains_key(path))
}

/// Reads the kustomization of a folder and every one that it is made of.
///
/// # Errors
/// [`TargetError::Artifact`] with the file and the field for what is not let through.
pub(super) fn check(files: &Files, folder: &str) -> Result<(), TargetError> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        if seen.len() > MOST {
            return Err(TargetError::Artifact(text!("more than {max} kustomizations are put together", max = MOST)));
        }
        let named = || TargetError::Artifact(text!("folder {folder} has no kustomization.yaml", folder = &folder));
        let path = of_folder(files, &folder).ok_or_else(named)?;
        let one = One { files, folder: &folder, path: &path };
        open.extend(one.check().map_err(TargetError::Artifact)?);
    }
    Ok(())
}

/// One kustomization file.
struct One<'a> {
    files: &'a Files,
    folder: &'a str,
    path: &'a str,
}

impl One<'_> {
    /// The folders that it is made of.
    fn check(&self) -> Result<Vec<String>, Text> {
        let file = self.path;
        let bytes = self.files.get(file).map(Vec::as_slice).unwrap_or_default();
        let unreadable = |why: String| text!("{file} cannot be read: {why}", file, why = shown(&why));
        let read: Value = serde_yaml_ng::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
        let fields = read.as_object().ok_or_else(|| unreadable("it is no mapping".to_owned()))?;
        let mut folders = Vec::new();
        for (field, value) in fields {
            let name = field.as_str();
            if value.is_null() || PLAIN.contains(&name) {
                continue;
            }
            if FOLDERS.contains(&name) {
                for item in list(value) {
                    folders.extend(self.file_or_folder(name, item)?);
                }
            } else if FILES.contains(&name) {
                list(value).try_for_each(|item| self.file(name, item))?;
            } else if GENERATORS.contains(&name) {
                list(value).try_for_each(|item| self.generator(name, item))?;
            } else {
                match name {
                    "patches" | "patchesJson6902" => {
                        list(value).try_for_each(|item| self.loads(name, item, &PATCH_FIELDS))?;
                    }
                    "replacements" => list(value).try_for_each(|item| self.loads(name, item, &REPLACEMENT_FIELDS))?,
                    "patchesStrategicMerge" => list(value).try_for_each(|item| self.patch(name, item))?,
                    "openapi" => self.loads(name, value, &["path"])?,
                    _ => return Err(self.refused(name, &text!("this field is not allowed"))),
                }
            }
        }
        Ok(folders)
    }

    fn refused(&self, field: &str, why: &Text) -> Text {
        text!(
            "{file}: {field} is refused: {why}; only files of the bundle are read, no addresses, charts, plug-ins or programs",
            file = self.path,
            field = shown(field),
            why
        )
    }

    /// A name that stays in the bundle, as its path there.
    fn inside(&self, field: &str, value: &Value) -> Result<String, Text> {
        let wrong = |what: &str| {
            let what: String = shown(what).chars().take(120).collect();
            self.refused(field, &text!("'{what}' is not the name of a file or folder of the bundle", what))
        };
        let name = value.as_str().ok_or_else(|| wrong(&value.to_string()))?;
        let mut parts: Vec<&str> = self.folder.split('/').filter(|part| !part.is_empty()).collect();
        if name.is_empty() || name.starts_with('/') || name.len() > 400 {
            return Err(wrong(name));
        }
        for part in name.split('/') {
            let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte));
            // A host that kustomize knows, or the end of a repository's name, makes an address of it.
            let address = part.to_ascii_lowercase().contains("github.com") || part.ends_with(".git") || part == "_git";
            match part {
                "" | "." => {}
                ".." => drop(parts.pop().ok_or_else(|| wrong(name))?),
                _ if !plain || address => return Err(wrong(name)),
                part => parts.push(part),
            }
        }
        Ok(parts.join("/"))
    }

    fn file(&self, field: &str, value: &Value) -> Result<(), Text> {
        let path = self.inside(field, value)?;
        if self.files.contains_key(&path) {
            return Ok(());
        }
        Err(self.refused(field, &text!("{path} is not in the bundle", path)))
    }

    /// The folder, when it is one.
    fn file_or_folder(&self, field: &str, value: &Value) -> Result<Option<String>, Text> {
        let path = self.inside(field, value)?;
        if self.files.contains_key(&path) {
            return Ok(None);
        }
        let folder = if path.is_empty() { path } else { format!("{path}/") };
        if self.files.keys().any(|file| file.starts_with(&folder)) {
            return Ok(Some(folder));
        }
        Err(self.refused(field, &text!("{path} is not in the bundle", path = folder)))
    }

    /// A patch as such, or the file that it is in.
    fn patch(&self, field: &str, value: &Value) -> Result<(), Text> {
        if value.as_str().is_some_and(|text| text.contains('\n')) {
            return Ok(());
        }
        self.file(field, value)
    }

    /// An object of these fields, or the name of a file.
    fn loads(&self, field: &str, value: &Value, allowed: &[&str]) -> Result<(), Text> {
        let Some(fields) = value.as_object() else { return self.file(field, value) };
        for (name, value) in fields {
            if !allowed.contains(&name.as_str()) {
                return Err(self.refused(&format!("{field}.{name}"), &text!("this field is not allowed")));
            }
            if name == "path" {
                self.file(&format!("{field}.path"), value)?;
            }
        }
        Ok(())
    }

    fn generator(&self, field: &str, value: &Value) -> Result<(), Text> {
        let fields = value.as_object().ok_or_else(|| self.refused(field, &text!("this field is not allowed")))?;
        for (name, value) in fields {
            let field = format!("{field}.{name}");
            match name.as_str() {
                // `key=file`, or a file whose name is the key.
                "files" => list(value).try_for_each(|item| {
                    let path = item.as_str().map(|text| text.rsplit_once('=').map_or(text, |(_, path)| path));
                    self.file(&field, &path.map_or_else(|| item.clone(), Value::from))
                })?,
                "envs" => list(value).try_for_each(|item| self.file(&field, item))?,
                "env" => self.file(&field, value)?,
                name if GENERATOR_FIELDS.contains(&name) => {}
                _ => return Err(self.refused(&field, &text!("this field is not allowed"))),
            }
        }
        Ok(())
    }
}

/// One value counts as a list of it.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        other => std::slice::from_ref(other).iter(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(overlay: &str) -> Files {
        let base = "resources: [deployment.yaml]\nconfigMapGenerator:\n- name: web\n  literals: ['URL=https://example.test/']\n";
        [
            ("base/kustomization.yaml", base),
            ("base/deployment.yaml", "kind: Deployment"),
            ("github.com/evil/repo/kustomization.yaml", ""),
            ("overlays/p/kustomization.yaml", overlay),
            ("overlays/p/patch.yaml", "x: 1"),
        ]
        .into_iter()
        .map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec()))
        .collect()
    }

    fn said(overlay: &str) -> Result<(), String> {
        check(&bundle(overlay), "overlays/p/").map_err(|error| error.to_string())
    }

    #[test]
    fn a_kustomization_of_files_passes() {
        for overlay in [
            "resources: [../../base]\npatches: [{path: patch.yaml, target: {kind: Deployment}}]\nnamespace: shop",
            "bases: [../../base]\npatchesStrategicMerge: [patch.yaml, \"kind: Deployment\\nmetadata: {name: x}\"]",
            "resources: [../../base/deployment.yaml]\nconfigMapGenerator: [{name: a, files: [x=patch.yaml, patch.yaml], envs: [patch.yaml]}]",
            "resources: [../../base]\nimages: [{name: web, newTag: 'v1'}]\ncommonAnnotations: {link: 'https://example.test'}",
        ] {
            assert_eq!(said(overlay), Ok(()), "{overlay}");
        }
    }

    #[test]
    fn what_leads_outside_or_runs_something_is_refused_by_file_and_field() {
        for (overlay, field) in [
            ("resources: ['https://example.test/x.yaml']", "resources"),
            ("resources: ['github.com/evil/repo']", "resources"),
            ("resources: ['../../github.com/evil/repo']", "resources"),
            ("resources: ['git@example.test:a/b']", "resources"),
            ("resources: ['../../../x']", "resources"),
            ("resources: ['/etc']", "resources"),
            ("resources: [missing.yaml]", "resources"),
            ("bases: ['example.test/a//b?ref=v1']", "bases"),
            ("components: ['ssh://git@example.test/a']", "components"),
            ("helmCharts: [{name: x, repo: 'https://example.test'}]", "helmCharts"),
            ("helmChartInflationGenerator: [{chartName: x}]", "helmChartInflationGenerator"),
            ("generators: [patch.yaml]", "generators"),
            ("transformers: [patch.yaml]", "transformers"),
            ("validators: [patch.yaml]", "validators"),
            ("patches: [{path: 'https://example.test/p.yaml'}]", "patches.path"),
            ("patches: [{<<: {path: patch.yaml}}]", "patches.<<"),
            ("patchesStrategicMerge: ['https://example.test/p.yaml']", "patchesStrategicMerge"),
            ("configMapGenerator: [{name: a, files: ['k=https://example.test/x']}]", "configMapGenerator.files"),
            ("secretGenerator: [{name: a, kvSources: [{pluginType: Go}]}]", "secretGenerator.kvSources"),
            ("secretGenerator: [{name: a, env: '../../../etc/passwd'}]", "secretGenerator.env"),
            ("openapi: {path: 'https://example.test'}", "openapi.path"),
            ("<<: {helmCharts: []}", "<<"),
        ] {
            let refusal = said(overlay).expect_err(overlay);
            assert!(refusal.starts_with(&format!("overlays/p/kustomization.yaml: {field} is refused")), "{refusal}");
        }
        assert!(said("resources: [").is_err());
        assert!(said("- a").is_err());
    }

    #[test]
    fn every_kustomization_below_is_read() {
        let mut files = bundle("resources: [../../base]");
        files.insert("base/kustomization.yaml".to_owned(), b"helmCharts: [{name: x}]".to_vec());
        let refusal = check(&files, "overlays/p/").unwrap_err().to_string();
        assert!(refusal.starts_with("base/kustomization.yaml: helmCharts is refused"), "{refusal}");
        // Two that lead to each other end.
        files.insert("base/kustomization.yaml".to_owned(), b"resources: [../overlays/p]".to_vec());
        assert_eq!(check(&files, "overlays/p/"), Ok(()));
    }
}
