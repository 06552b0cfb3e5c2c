//! Events of GitLab, as its documentation describes them. Pure; what is not as described is told as such and makes nothing.

use super::model::{Built, Heard, What, commit, notes, page};
use passerelle_contract::{Text, text};
use serde_json::Value;

/// Reads an event; its kind is in its body.
pub fn read(event: &Value) -> Heard {
    let built = match event["object_kind"].as_str().unwrap_or_default() {
        "release" => released(event),
        "pipeline" => passed(event),
        _ => Err(text!("events of this kind make no release")),
    };
    match built {
        Ok((what, sha, url)) => Heard::Built(Box::new(Built {
            repository: event["project"]["path_with_namespace"].as_str().unwrap_or_default().to_owned(),
            repository_url: page(&event["project"]["web_url"]),
            what,
            commit: sha,
            url,
            notes: notes(&event["description"]),
        })),
        Err(why) => Heard::Ignored(why),
    }
}

type Found = Result<(What, Option<String>, Option<String>), Text>;

fn is(condition: bool) -> Result<(), Text> {
    if condition { Ok(()) } else { Err(text!("it is not about something that was built well")) }
}

fn released(event: &Value) -> Found {
    is(event["action"] == "create")?;
    let tag = event["tag"].as_str().filter(|tag| !tag.is_empty());
    let tag = tag.ok_or_else(|| text!("it names no tag"))?.to_owned();
    Ok((What::Tag(tag), commit(&event["commit"]["id"]), page(&event["url"])))
}

fn passed(event: &Value) -> Found {
    let pipeline = &event["object_attributes"];
    // What a request to merge has built was reviewed by nobody.
    let asked = pipeline["source"]
        .as_str()
        .is_some_and(|source| source.contains("merge_request") || source.contains("pull_request"));
    is(pipeline["status"] == "success" && !asked)?;
    let ours = |variable: &Value| variable["key"] == "PASSERELLE_ENVIRONMENT";
    if pipeline["variables"].as_array().is_some_and(|all| all.iter().any(ours)) {
        return Err(text!("the pipeline has deployed; what it deployed is a release already"));
    }
    let reference = pipeline["ref"].as_str().unwrap_or_default().to_owned();
    let what =
        if pipeline["tag"] == true { What::Tag(reference) } else { What::Passed { workflow: None, branch: reference } };
    Ok((what, commit(&pipeline["sha"]), page(&pipeline["url"])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn built(mut event: Value) -> Option<Built> {
        event["project"] =
            json!({ "path_with_namespace": "acme/group/shop", "web_url": "https://gitlab.com/acme/group/shop" });
        match read(&event) {
            Heard::Built(built) => Some(*built),
            Heard::Ignored(_) => None,
        }
    }

    #[test]
    fn a_release_is_heard_with_its_commit() {
        let event = |action: &str| json!({ "object_kind": "release", "action": action, "tag": "v1", "commit": { "id": SHA }, "description": "news" });
        let made = built(event("create")).unwrap();
        assert_eq!(
            (made.what, made.commit.as_deref(), made.repository.as_str()),
            (What::Tag("v1".into()), Some(SHA), "acme/group/shop")
        );
        assert_eq!(built(event("update")), None);
    }

    #[test]
    fn a_pipeline_is_heard_unless_it_deploys_or_is_of_a_request_to_merge() {
        let event = |status: &str, source: &str, tag: bool, variables: Value| {
            json!({ "object_kind": "pipeline", "object_attributes": { "status": status, "source": source, "ref": "main", "tag": tag,
                "sha": SHA, "variables": variables, "url": "https://gitlab.com/acme/group/shop/-/pipelines/1" } })
        };
        let made = built(event("success", "push", false, json!([]))).unwrap();
        assert_eq!(made.what, What::Passed { workflow: None, branch: "main".into() });
        assert_eq!(built(event("success", "push", true, json!([]))).unwrap().what, What::Tag("main".into()));
        assert_eq!(built(event("failed", "push", false, json!([]))), None);
        assert_eq!(built(event("success", "merge_request_event", false, json!([]))), None);
        assert_eq!(
            built(event("success", "api", false, json!([{ "key": "PASSERELLE_ENVIRONMENT", "value": "x" }]))),
            None
        );
        assert_eq!(built(json!({ "object_kind": "push" })), None);
    }
}
