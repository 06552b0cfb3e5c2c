//! `cargo xtask sbom`: the list of parts of the program in CycloneDX 1.5, from what cargo itself resolves.
//!
//! The parts are those that are linked: the server's for this machine's platform, and the browser client's; neither what only tests
//! and builds use, nor the system's libraries. Two runs of one commit on one platform write the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::paths::Paths;
use crate::process::{cargo, output};

/// What is looked into: package, its features, the platform.
const PROGRAMS: [(&str, &[&str]); 2] = [
    ("passerelle", &[]),
    ("passerelle-app", &["--no-default-features", "--features", "hydrate", "--target", "wasm32-unknown-unknown"]),
];
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Name and version.
type Id = (String, String);

/// # Errors
/// When cargo cannot resolve, or the file cannot be written.
pub fn write(paths: &Paths) -> Result<PathBuf> {
    let metadata = output(cargo(paths).args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("what cargo metadata says")?;
    let lock = std::fs::read_to_string(paths.root().join("Cargo.lock")).context("Cargo.lock")?;
    let mut linked = BTreeSet::new();
    for (package, options) in PROGRAMS {
        let tree =
            ["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package", package];
        linked.extend(ids(&output(cargo(paths).args(tree).args(options))?));
    }
    let bom = bom(&metadata, &linked, &checksums(&lock))?;
    let folder = paths.target().join("sbom");
    std::fs::create_dir_all(&folder).context("the folder of the list")?;
    let file = folder.join("passerelle.cdx.json");
    let text = serde_json::to_string_pretty(&bom).context("the list as JSON")? + "\n";
    std::fs::write(&file, text).with_context(|| file.display().to_string())?;
    let count = bom["components"].as_array().map_or(0, Vec::len);
    eprintln!("      {count} parts in {}", file.display());
    Ok(file)
}

/// Lines such as `serde v1.0.228` or `server v0.1.0 (/some/folder)`; cargo marks repeated ones by `(*)`.
fn ids(tree: &str) -> BTreeSet<Id> {
    tree.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
            Some((name.to_owned(), version.to_owned()))
        })
        .collect()
}

/// SHA-256 of each archive of the registry, from the lock file.
fn checksums(lock: &str) -> BTreeMap<Id, String> {
    let value =
        |line: &str, key: &str| Some(line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')?.to_owned());
    lock.split("[[package]]")
        .filter_map(|package| {
            let find = |key: &str| package.lines().find_map(|line| value(line, key));
            Some(((find("name")?, find("version")?), find("checksum")?))
        })
        .collect()
}

fn bom(metadata: &Value, linked: &BTreeSet<Id>, checksums: &BTreeMap<Id, String>) -> Result<Value> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let mut by_cargo: BTreeMap<&str, (Id, &Value)> = BTreeMap::new();
    for package in packages {
        let text = |key: &str| package[key].as_str().map(str::to_owned);
        let id = (text("name").context("a package without a name")?, text("version").context("without a version")?);
        if linked.contains(&id) {
            by_cargo.insert(package["id"].as_str().context("a package without an id")?, (id, package));
        }
    }
    let mut components: Vec<Value> =
        by_cargo.values().map(|(id, package)| component(id, package, checksums.get(id))).collect();
    components.sort_by(|a, b| a["bom-ref"].as_str().cmp(&b["bom-ref"].as_str()));
    let own = components
        .iter()
        .position(|component| component["name"] == PROGRAMS[0].0)
        .context("the program itself is not in the list")?;
    let mut own = components.remove(own);
    own["type"] = json!("application");
    let mut digest = Sha256::new();
    digest.update(json!(components).to_string());
    let dependencies = dependencies(metadata, &by_cargo);
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": serial(&digest.finalize()),
        "version": 1,
        "metadata": { "component": own },
        "components": components,
        "dependencies": dependencies,
    }))
}

fn component(id: &Id, package: &Value, checksum: Option<&String>) -> Value {
    let (name, version) = id;
    let mut component = json!({ "type": "library", "bom-ref": address(id), "name": name, "version": version });
    if package["source"] == REGISTRY {
        component["purl"] = json!(address(id));
    }
    if let Some(license) = package["license"].as_str() {
        // Cargo still takes the older `MIT/Apache-2.0`, which SPDX does not.
        let words: Vec<&str> = license.split('/').map(str::trim).collect();
        component["licenses"] = json!([{ "expression": words.join(" OR ") }]);
    }
    if let Some(checksum) = checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = package["repository"].as_str() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

/// Which part asks for which, among those that are linked.
fn dependencies(metadata: &Value, by_cargo: &BTreeMap<&str, (Id, &Value)>) -> Value {
    let nodes = metadata["resolve"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut all = BTreeMap::new();
    for node in nodes {
        let Some((id, _)) = node["id"].as_str().and_then(|id| by_cargo.get(id)) else { continue };
        let normal = |dependency: &&Value| {
            dependency["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        };
        let needs: BTreeSet<String> = node["deps"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter(normal)
            .filter_map(|dependency| by_cargo.get(dependency["pkg"].as_str()?))
            .map(|(id, _)| address(id))
            .collect();
        all.insert(address(id), needs);
    }
    all.into_iter().map(|(name, needs)| json!({ "ref": name, "dependsOn": needs })).collect()
}

/// The package URL, which is also what parts of this list are referred to by.
fn address((name, version): &Id) -> String {
    // The only sign of a version that an address cannot hold as it is.
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// A number that is another one for another list, in the form of a UUID of version 8 (RFC 9562).
fn serial(digest: &[u8]) -> String {
    let mut hex: Vec<char> =
        digest.iter().take(16).flat_map(|byte| format!("{byte:02x}").chars().collect::<Vec<_>>()).collect();
    (hex[12], hex[16]) = ('8', '8');
    let text: String = hex.into_iter().collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"passerelle\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"a\"\n\
                        version = \"1.0.0+x\"\nsource = \"registry\"\nchecksum = \"00ff\"\n";

    fn metadata() -> Value {
        let kinds = |kind: Value| json!([{ "kind": kind }]);
        json!({
            "packages": [
                { "id": "p", "name": "passerelle", "version": "0.1.0", "license": "Apache-2.0" },
                { "id": "a", "name": "a", "version": "1.0.0+x", "license": "MIT/Apache-2.0", "source": REGISTRY },
                { "id": "t", "name": "only-tests", "version": "1.0.0" },
            ],
            "resolve": { "nodes": [
                { "id": "p", "deps": [{ "pkg": "a", "dep_kinds": kinds(Value::Null) }, { "pkg": "t", "dep_kinds": kinds(json!("dev")) }] },
                { "id": "a", "deps": [] },
            ]},
        })
    }

    #[test]
    fn what_is_linked_is_listed_and_nothing_else() {
        let linked = ids("passerelle v0.1.0 (/x/y)\na v1.0.0+x\na v1.0.0+x (*)\n");
        let list = bom(&metadata(), &linked, &checksums(LOCK)).unwrap();
        assert_eq!(list["metadata"]["component"]["name"], "passerelle");
        let parts = list["components"].as_array().unwrap();
        assert_eq!(parts.len(), 1, "{parts:?}");
        assert_eq!(parts[0]["purl"], "pkg:cargo/a@1.0.0%2Bx");
        assert_eq!(parts[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(parts[0]["hashes"][0]["content"], "00ff");
        let needs = json!([{ "ref": "pkg:cargo/a@1.0.0%2Bx", "dependsOn": [] }, { "ref": "pkg:cargo/passerelle@0.1.0", "dependsOn": ["pkg:cargo/a@1.0.0%2Bx"] }]);
        assert_eq!(list["dependencies"], needs);
    }

    #[test]
    fn the_number_says_whether_two_lists_are_one() {
        let one = serial(&Sha256::digest("a"));
        assert_eq!(one, serial(&Sha256::digest("a")));
        assert_ne!(one, serial(&Sha256::digest("b")));
        assert_eq!((one.len(), &one[..9], &one[23..24]), (45, "urn:uuid:", "8"), "{one}");
    }

    #[test]
    fn a_list_without_the_program_is_none() {
        assert!(bom(&metadata(), &ids("a v1.0.0+x\n"), &BTreeMap::new()).is_err());
    }
}
