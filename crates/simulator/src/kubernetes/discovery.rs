//! `/version`, `/api`, `/apis` and the resource lists.

use super::kinds;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) fn version(git_version: &str) -> Value {
    let mut numbers = git_version.trim_start_matches('v').split('.');
    json!({
        "major": numbers.next().unwrap_or("1"),
        "minor": numbers.next().unwrap_or("0"),
        "gitVersion": git_version,
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2025-05-15T08:19:08Z",
        "goVersion": "simulated",
        "compiler": "passerelle-simulator",
        "platform": "linux/amd64",
    })
}

pub(crate) fn groups(core: bool) -> Value {
    if core {
        return json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []});
    }
    let names: BTreeSet<&str> = kinds::all().map(|kind| kind.group).filter(|group| !group.is_empty()).collect();
    let groups: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let versions: BTreeSet<&str> =
                kinds::all().filter(|kind| kind.group == name).map(|kind| kind.version).collect();
            let mut versions: Vec<Value> = versions
                .into_iter()
                .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
                .collect();
            versions.reverse();
            json!({"name": name, "preferredVersion": versions[0], "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

pub(crate) fn resources(group: &str, version: &str) -> Option<Value> {
    let found: Vec<Value> = kinds::all()
        .filter(|kind| kind.group == group && kind.version == version)
        .map(kinds::Kind::discovery)
        .collect();
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (!found.is_empty()).then(
        || json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": found}),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_through_its_group() {
        let groups = groups(false);
        for group in groups["groups"].as_array().unwrap() {
            for version in group["versions"].as_array().unwrap() {
                let found = resources(group["name"].as_str().unwrap(), version["version"].as_str().unwrap());
                assert!(found.is_some(), "{group}");
            }
        }
        assert!(resources("apps", "v9").is_none());
        assert_eq!(version("v1.33.1")["minor"], "33");
    }
}
