//! Events of GitHub, as its documentation describes them. Pure; what is not as described is told as such and makes nothing.

use super::model::{Built, Heard, What, commit, notes, page};
use passerelle_contract::{Text, text};
use serde_json::Value;

/// Reads an event; `kind` is the header `X-GitHub-Event`.
pub fn read(kind: &str, event: &Value) -> Heard {
    let built = match kind {
        "release" => released(event),
        "registry_package" | "package" => pushed(&event[kind], event),
        "workflow_run" => passed(event),
        "ping" => Err(text!("it only asks whether somebody is there")),
        _ => Err(text!("events of this kind make no release")),
    };
    match built {
        Ok((what, sha, url, described)) => Heard::Built(Box::new(Built {
            repository: event["repository"]["full_name"].as_str().unwrap_or_default().to_owned(),
            repository_url: page(&event["repository"]["html_url"]),
            what,
            commit: sha,
            url,
            notes: described,
        })),
        Err(why) => Heard::Ignored(why),
    }
}

type Found = Result<(What, Option<String>, Option<String>, Option<String>), Text>;

/// What GitHub leaves out is no release of ours.
fn is(condition: bool) -> Result<(), Text> {
    if condition { Ok(()) } else { Err(text!("it is not about something that was built well")) }
}

fn released(event: &Value) -> Found {
    let release = &event["release"];
    is(event["action"] == "published" && release["draft"] != true)?;
    let tag = release["tag_name"].as_str().filter(|tag| !tag.is_empty());
    let tag = tag.ok_or_else(|| text!("it names no tag"))?.to_owned();
    // A branch, unless somebody has chosen a commit.
    let sha = commit(&release["target_commitish"]);
    Ok((What::Tag(tag), sha, page(&release["html_url"]), notes(&release["body"])))
}

fn pushed(package: &Value, event: &Value) -> Found {
    is(event["action"] == "published"
        && package["package_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("container")))?;
    let version = &package["package_version"];
    let tag = &version["container_metadata"]["tag"];
    let name = tag["name"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| text!("the image has no tag"))?;
    let url = version["package_url"].as_str().unwrap_or_default();
    // The address may hold the tag already.
    let bare = url.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(url, |(bare, _)| bare);
    let digest = tag["digest"].as_str().filter(|digest| digest.starts_with("sha256:"));
    let image = match digest {
        Some(digest) => format!("{bare}:{name}@{digest}"),
        None => format!("{bare}:{name}"),
    };
    let labelled = &version["container_metadata"]["labels"]["revision"];
    let sha = commit(&version["target_oid"]).or_else(|| commit(labelled));
    Ok((What::Image(image), sha, page(&version["html_url"]), None))
}

fn passed(event: &Value) -> Found {
    let run = &event["workflow_run"];
    is(event["action"] == "completed" && run["conclusion"] == "success")?;
    // What a fork or a request to merge has built was reviewed by nobody.
    let own = run["head_repository"]["full_name"] == event["repository"]["full_name"];
    let asked = run["event"].as_str().is_some_and(|kind| kind.starts_with("pull_request"));
    is(own && !asked)?;
    let path = run["path"].as_str().unwrap_or_default();
    let file = path.split('@').next().and_then(|path| path.rsplit('/').next()).filter(|file| !file.is_empty());
    let branch = run["head_branch"].as_str().unwrap_or_default().to_owned();
    let what = What::Passed { workflow: file.map(str::to_owned), branch };
    Ok((what, commit(&run["head_sha"]), page(&run["html_url"]), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn built(kind: &str, mut event: Value) -> Option<Built> {
        event["repository"] = json!({ "full_name": "acme/shop", "html_url": "https://github.com/acme/shop" });
        match read(kind, &event) {
            Heard::Built(built) => Some(*built),
            Heard::Ignored(_) => None,
        }
    }

    #[test]
    fn a_release_is_heard_when_it_is_published() {
        let event = |action: &str, draft: bool| {
            json!({ "action": action, "release": { "tag_name": "v1", "draft": draft, "target_commitish": "main",
                "html_url": "https://github.com/acme/shop/releases/tag/v1", "body": "news" } })
        };
        let made = built("release", event("published", false)).unwrap();
        assert_eq!((made.what, made.commit, made.notes.as_deref()), (What::Tag("v1".into()), None, Some("news")));
        assert_eq!(built("release", event("edited", false)), None);
        assert_eq!(built("release", event("published", true)), None);
    }

    #[test]
    fn an_image_is_heard_with_its_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let event = |kind: &str, tag: &str| {
            json!({ "action": "published", "registry_package": { "package_type": kind, "package_version": {
                "package_url": "ghcr.io/acme/web:1.2", "target_oid": SHA,
                "container_metadata": { "tag": { "name": tag, "digest": digest } } } } })
        };
        let made = built("registry_package", event("CONTAINER", "1.2")).unwrap();
        assert_eq!(
            (made.what, made.commit.as_deref()),
            (What::Image(format!("ghcr.io/acme/web:1.2@{digest}")), Some(SHA))
        );
        assert_eq!(built("registry_package", event("CONTAINER", "")), None, "a manifest without a tag");
        assert_eq!(built("registry_package", event("npm", "1.2")), None);
    }

    #[test]
    fn a_run_is_heard_unless_it_is_of_a_fork_or_of_a_request_to_merge() {
        let event = |of: &str, cause: &str, conclusion: &str| {
            json!({ "action": "completed", "workflow_run": { "conclusion": conclusion, "event": cause, "head_sha": SHA,
                "path": ".github/workflows/build.yml@refs/heads/main", "head_branch": "main", "head_repository": { "full_name": of } } })
        };
        let made = built("workflow_run", event("acme/shop", "push", "success")).unwrap();
        assert_eq!(made.what, What::Passed { workflow: Some("build.yml".into()), branch: "main".into() });
        assert_eq!(built("workflow_run", event("evil/shop", "push", "success")), None);
        assert_eq!(built("workflow_run", event("acme/shop", "pull_request_target", "success")), None);
        assert_eq!(built("workflow_run", event("acme/shop", "push", "failure")), None);
    }

    #[test]
    fn anything_else_makes_nothing() {
        for kind in ["ping", "push", "release", "package", "workflow_run", ""] {
            assert_eq!(built(kind, json!({ "release": 3, "package": [], "workflow_run": null })), None, "{kind}");
        }
    }
}
