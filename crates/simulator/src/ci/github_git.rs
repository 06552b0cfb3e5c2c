//! GitHub's Git data API and its pull requests.

use super::content::{Asked, Commit, Content, Files};
use super::{Said, body, no, ok};
use crate::call::Call;
use crate::object::{list, text};
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What stands below `/repos/OWNER/NAME`; nothing when it is about something else.
pub(super) fn answer(content: &mut Content, full: &str, rest: &[&str], call: &Call) -> Option<Said> {
    let wrote = |status, value, object: &str| Ok((status, value, Some((format!("{object}/{full}"), true))));
    let created = |value, object: &str| wrote(StatusCode::CREATED, value, object);
    let empty = content.branches.is_empty();
    Some(match (&call.method, rest) {
        (&Method::GET, []) => ok(repository(content, full)),
        (&Method::GET, ["branches"]) => {
            let one =
                |(name, sha): (&String, &String)| json!({ "name": name, "commit": { "sha": sha }, "protected": false });
            ok(content.branches.iter().map(one).collect::<Vec<_>>().into())
        }
        (_, ["git", ..]) if empty => no(StatusCode::CONFLICT, "Git Repository is empty."),
        (&Method::GET, ["git", "matching-refs", "tags", ..]) => ok(json!([])),
        (&Method::GET, ["git", "ref", "heads", branch @ ..]) => match content.branches.get(&branch.join("/")) {
            Some(sha) => ok(reference(&branch.join("/"), sha)),
            None => not_found(),
        },
        (&Method::POST, ["git", "refs"]) => add_branch(content, &body(call), full),
        (&Method::PATCH, ["git", "refs", "heads", branch @ ..]) => {
            move_branch(content, &branch.join("/"), &body(call), full)
        }
        (&Method::DELETE, ["git", "refs", "heads", branch @ ..]) => match content.branches.remove(&branch.join("/")) {
            Some(_) => wrote(StatusCode::NO_CONTENT, Value::Null, "branches-deleted"),
            None => no(StatusCode::UNPROCESSABLE_ENTITY, "Reference does not exist"),
        },
        (&Method::GET, ["git", "commits", sha]) => match content.commits.get(*sha) {
            Some(commit) => ok(shown(sha, commit)),
            None => not_found(),
        },
        (&Method::POST, ["git", "commits"]) => match commit_of(&body(call)) {
            Some(commit) if content.trees.contains_key(&commit.tree) => {
                let sha = content.commit(commit.clone());
                created(shown(&sha, &commit), "commits")
            }
            _ => no(StatusCode::UNPROCESSABLE_ENTITY, "Tree SHA does not exist"),
        },
        (&Method::POST, ["git", "trees"]) => grow(content, &body(call), full),
        (&Method::GET, ["git", "trees", sha]) => match content.trees.get(*sha) {
            Some(files) => ok(tree(sha, files)),
            None => not_found(),
        },
        (&Method::GET, ["git", "blobs", sha]) => {
            match content.trees.values().find_map(|files| Content::blob(sha, files)) {
                Some(found) => {
                    ok(json!({ "sha": sha, "encoding": "base64", "content": STANDARD.encode(found), "size": 1 }))
                }
                None => not_found(),
            }
        }
        (_, ["pulls", more @ ..]) => pulls(content, full, more, call),
        _ => return None,
    })
}

fn not_found() -> Said {
    no(StatusCode::NOT_FOUND, "Not Found")
}

pub(super) fn repository(content: &Content, full: &str) -> Value {
    json!({ "id": 1, "full_name": full, "name": full.split('/').next_back(), "description": content.description, "private": true,
        "default_branch": "main", "html_url": format!("https://github.com/{full}"), "forks_count": 0,
        "open_issues_count": content.asked.iter().filter(|one| one.state == "open").count() })
}

fn reference(branch: &str, sha: &str) -> Value {
    json!({ "ref": format!("refs/heads/{branch}"), "object": { "type": "commit", "sha": sha } })
}

fn shown(sha: &str, commit: &Commit) -> Value {
    let parents: Vec<Value> = commit.parents.iter().map(|parent| json!({ "sha": parent })).collect();
    // The times are kept in the message, where they make part of the id.
    let message = commit.message.split('\u{0}').next();
    json!({ "sha": sha, "message": message, "tree": { "sha": commit.tree }, "parents": parents })
}

fn commit_of(body: &Value) -> Option<Commit> {
    let parents =
        list(body, "/parents").iter().map(|parent| Some(parent.as_str()?.to_owned())).collect::<Option<_>>()?;
    let message = format!("{}\u{0}{}{}", text(body, "/message"), body["author"], body["committer"]);
    Some(Commit { tree: text(body, "/tree").to_owned(), parents, message })
}

fn add_branch(content: &mut Content, body: &Value, full: &str) -> Said {
    let (Some(branch), sha) = (text(body, "/ref").strip_prefix("refs/heads/"), text(body, "/sha")) else {
        return no(StatusCode::UNPROCESSABLE_ENTITY, "Reference name must start with 'refs/'");
    };
    if content.branches.contains_key(branch) {
        return no(StatusCode::UNPROCESSABLE_ENTITY, "Reference already exists");
    }
    if !content.commits.contains_key(sha) {
        return no(StatusCode::UNPROCESSABLE_ENTITY, "Object does not exist");
    }
    content.branches.insert(branch.to_owned(), sha.to_owned());
    Ok((StatusCode::CREATED, reference(branch, sha), Some((format!("branches/{full}"), true))))
}

fn move_branch(content: &mut Content, branch: &str, body: &Value, full: &str) -> Said {
    let sha = text(body, "/sha");
    let Some(before) = content.branches.get(branch) else {
        return no(StatusCode::UNPROCESSABLE_ENTITY, "Reference does not exist");
    };
    if body["force"] != true && !content.is_ancestor(before, sha) {
        return no(StatusCode::UNPROCESSABLE_ENTITY, "Update is not a fast forward");
    }
    content.branches.insert(branch.to_owned(), sha.to_owned());
    Ok((StatusCode::OK, reference(branch, sha), Some((format!("branches/{full}"), true))))
}

/// A tree on top of another, or on nothing.
fn grow(content: &mut Content, body: &Value, full: &str) -> Said {
    let mut files = match body["base_tree"].as_str() {
        Some(base) => match content.trees.get(base) {
            Some(files) => files.clone(),
            None => return not_found(),
        },
        None => Files::new(),
    };
    for entry in list(body, "/tree") {
        let path = text(entry, "/path").to_owned();
        if let Some(content) = entry["content"].as_str() {
            files.insert(path, (content.to_owned(), entry["mode"] == "100755"));
        } else if files.remove(&path).is_none() {
            return no(StatusCode::UNPROCESSABLE_ENTITY, "GitRPC::BadObjectState");
        }
    }
    let sha = content.tree(files.clone());
    Ok((StatusCode::CREATED, tree(&sha, &files), Some((format!("trees/{full}"), false))))
}

fn tree(sha: &str, files: &Files) -> Value {
    let entry = |(path, (text, executable)): (&String, &(String, bool))| json!({ "path": path, "mode": if *executable { "100755" } else { "100644" }, "type": "blob", "sha": Content::blob_id(text) });
    json!({ "sha": sha, "truncated": false, "tree": files.iter().map(entry).collect::<Vec<_>>() })
}

fn pulls(content: &mut Content, full: &str, more: &[&str], call: &Call) -> Said {
    let body = body(call);
    match (&call.method, more) {
        (&Method::GET, []) => {
            let head = call.parameter("head").and_then(|head| head.split_once(':')).map(|(_, branch)| branch);
            let state = call.parameter("state").unwrap_or("open");
            let fits = |one: &&Value| state == "all" || one["state"] == state;
            let all = (1..=content.asked.len()).map(|number| pull(content, full, number));
            let all: Vec<Value> = all.filter(|one| head.is_none_or(|head| one["head"]["ref"] == head)).collect();
            ok(all.iter().rev().filter(fits).cloned().collect::<Vec<_>>().into())
        }
        (&Method::POST, []) => {
            let of = |field: &str| text(&body, field).to_owned();
            let asked = Asked {
                title: of("/title"),
                head: of("/head"),
                base: of("/base"),
                text: of("/body"),
                state: "open",
                commit: String::new(),
            };
            match content.ask(asked) {
                Ok(number) => {
                    Ok((StatusCode::CREATED, pull(content, full, number), Some((format!("pulls/{full}"), true))))
                }
                Err(why) => no(StatusCode::UNPROCESSABLE_ENTITY, why),
            }
        }
        (method, [number, act @ ..]) => {
            let Some(number) = number.parse().ok().filter(|number| (1..=content.asked.len()).contains(number)) else {
                return not_found();
            };
            match (method, act) {
                (&Method::GET, []) => ok(pull(content, full, number)),
                (&Method::PATCH, []) if body["state"] == "closed" => {
                    content.asked[number - 1].state = "closed";
                    Ok((StatusCode::OK, pull(content, full, number), Some((format!("pulls-closed/{full}"), true))))
                }
                (&Method::PUT, ["merge"]) if content.merge(number) => ok(json!({ "merged": true })),
                _ => not_found(),
            }
        }
        _ => not_found(),
    }
}

fn pull(content: &Content, full: &str, number: usize) -> Value {
    let one = &content.asked[number - 1];
    let sha = content.branches.get(&one.head).filter(|_| one.state == "open").unwrap_or(&one.commit);
    let merged = (one.state == "merged").then_some("2026-01-01T00:00:00Z");
    json!({ "number": number, "state": if one.state == "open" { "open" } else { "closed" }, "merged_at": merged, "title": one.title,
        "body": one.text, "html_url": format!("https://github.com/{full}/pull/{number}"), "head": { "ref": one.head, "sha": sha },
        "base": { "ref": one.base } })
}
