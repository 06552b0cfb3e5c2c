//! GitLab's repository files, commits and merge requests.

use super::content::{Asked, Commit, Content};
use super::{Said, body, no, ok};
use crate::call::Call;
use crate::object::{list, text};
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What stands below `/projects/PATH`; nothing when it is about something else.
pub(super) fn answer(content: &mut Content, name: &str, rest: &[&str], call: &Call) -> Option<Said> {
    Some(match (&call.method, rest) {
        (&Method::GET, []) => ok(project(content, name)),
        (&Method::GET, ["repository", "tags"]) => ok(json!([])),
        (&Method::GET, ["repository", "branches"]) => {
            ok(content.branches.keys().filter_map(|branch| shown(content, branch)).collect::<Vec<_>>().into())
        }
        (&Method::GET, ["repository", "branches", branch]) => match shown(content, branch) {
            Some(shown) => ok(shown),
            None => no(StatusCode::NOT_FOUND, "404 Branch Not Found"),
        },
        (&Method::DELETE, ["repository", "branches", branch]) => match content.branches.remove(*branch) {
            Some(_) => Ok((StatusCode::NO_CONTENT, Value::Null, Some((format!("branches-deleted/{name}"), true)))),
            None => no(StatusCode::NOT_FOUND, "404 Branch Not Found"),
        },
        (&Method::GET, ["repository", "tree"]) => tree(content, call),
        (&Method::GET, ["repository", "files", path]) => file(content, path, call),
        (&Method::POST, ["repository", "commits"]) => commit(content, name, &body(call)),
        (_, ["merge_requests", more @ ..]) => merge_requests(content, name, more, call),
        _ => return None,
    })
}

pub(super) fn project(content: &Content, name: &str) -> Value {
    let default = content
        .branches
        .keys()
        .next()
        .map(|first| content.branches.get_key_value("main").map_or(first, |(main, _)| main));
    json!({ "id": 1, "path_with_namespace": name, "web_url": format!("https://gitlab.com/{name}"), "description": content.description,
        "default_branch": default, "empty_repo": content.branches.is_empty(), "forks_count": 0, "open_issues_count": 0 })
}

fn shown(content: &Content, branch: &str) -> Option<Value> {
    let id = content.branches.get(branch)?;
    let message = content.commits.get(id).map(|commit| commit.message.as_str());
    Some(json!({ "name": branch, "commit": { "id": id, "message": message } }))
}

fn number(call: &Call, name: &str, usual: usize) -> usize {
    call.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn tree(content: &Content, call: &Call) -> Said {
    let Some(commit) = content.resolve(call.parameter("ref").unwrap_or("main")) else {
        return no(StatusCode::NOT_FOUND, "404 Tree Not Found");
    };
    let entry = |(path, (text, executable)): (&String, &(String, bool))| json!({ "path": path, "type": "blob", "mode": if *executable { "100755" } else { "100644" }, "id": Content::blob_id(text) });
    let (page, size) = (number(call, "page", 1).max(1), number(call, "per_page", 20));
    let files = content.files_of(&commit);
    ok(files.iter().skip((page - 1) * size).take(size).map(entry).collect::<Vec<_>>().into())
}

fn file(content: &Content, path: &str, call: &Call) -> Said {
    let commit = content.resolve(call.parameter("ref").unwrap_or("main"));
    match commit.and_then(|commit| content.files_of(&commit).remove(path)) {
        Some((text, _)) => ok(json!({ "file_path": path, "encoding": "base64", "content": STANDARD.encode(text) })),
        None => no(StatusCode::NOT_FOUND, "404 File Not Found"),
    }
}

fn commit(content: &mut Content, name: &str, body: &Value) -> Said {
    let bad = |why: String| no(StatusCode::BAD_REQUEST, why);
    let branch = text(body, "/branch").to_owned();
    let start = body["start_sha"].as_str();
    if start.is_some() && content.branches.contains_key(&branch) {
        return bad(format!(
            "A branch called '{branch}' already exists. Switch to that branch in order to make changes"
        ));
    }
    let parent = match start {
        Some(start) => content.resolve(start),
        None => content.branches.get(&branch).cloned(),
    };
    if parent.is_none() && !content.branches.is_empty() {
        return bad("You can only create or edit files when you are on a branch".to_owned());
    }
    let mut files = parent.as_ref().map(|parent| content.files_of(parent)).unwrap_or_default();
    for action in list(body, "/actions") {
        let path = text(action, "/file_path").to_owned();
        let there = files.contains_key(&path);
        match (text(action, "/action"), there) {
            ("create", true) => return bad("A file with this name already exists".to_owned()),
            ("update" | "delete" | "chmod", false) => return bad("A file with this name doesn't exist".to_owned()),
            ("create", false) => drop(files.insert(path, (text(action, "/content").to_owned(), false))),
            ("update", true) => {
                files.entry(path).and_modify(|file| file.0 = text(action, "/content").to_owned());
            }
            ("chmod", true) => {
                files.entry(path).and_modify(|file| file.1 = action["execute_filemode"] == true);
            }
            ("delete", true) => drop(files.remove(&path)),
            _ => return bad("actions[action] does not have a valid value".to_owned()),
        }
    }
    let tree = content.tree(files);
    let message = text(body, "/commit_message").to_owned();
    let id = content.commit(Commit { tree, parents: parent.into_iter().collect(), message });
    content.branches.insert(branch, id.clone());
    Ok((StatusCode::CREATED, json!({ "id": id }), Some((format!("commits/{name}"), true))))
}

fn merge_requests(content: &mut Content, name: &str, more: &[&str], call: &Call) -> Said {
    let body = body(call);
    match (&call.method, more) {
        (&Method::GET, []) => {
            let branch = call.parameter("source_branch");
            let all = (1..=content.asked.len()).map(|number| request(content, name, number));
            ok(all.filter(|one| branch.is_none_or(|branch| one["source_branch"] == branch)).collect::<Vec<_>>().into())
        }
        (&Method::POST, []) => {
            let of = |field: &str| text(&body, field).to_owned();
            let asked = Asked {
                title: of("/title"),
                head: of("/source_branch"),
                base: of("/target_branch"),
                text: of("/description"),
                state: "open",
                commit: String::new(),
            };
            match content.ask(asked) {
                Ok(number) => {
                    Ok((StatusCode::CREATED, request(content, name, number), Some((format!("requests/{name}"), true))))
                }
                Err(why) => no(StatusCode::CONFLICT, why),
            }
        }
        (method, [number, act @ ..]) => {
            let Some(number) = number.parse().ok().filter(|number| (1..=content.asked.len()).contains(number)) else {
                return no(StatusCode::NOT_FOUND, "404 Not found");
            };
            match (method, act) {
                (&Method::GET, []) => ok(request(content, name, number)),
                (&Method::PUT, []) if body["state_event"] == "close" => {
                    content.asked[number - 1].state = "closed";
                    Ok((
                        StatusCode::OK,
                        request(content, name, number),
                        Some((format!("requests-closed/{name}"), true)),
                    ))
                }
                (&Method::PUT, ["merge"]) if content.merge(number) => ok(request(content, name, number)),
                _ => no(StatusCode::NOT_FOUND, "404 Not found"),
            }
        }
        _ => no(StatusCode::NOT_FOUND, "404 Not found"),
    }
}

fn request(content: &Content, name: &str, number: usize) -> Value {
    let one = &content.asked[number - 1];
    let sha = content.branches.get(&one.head).filter(|_| one.state == "open").unwrap_or(&one.commit);
    let state = if one.state == "open" { "opened" } else { one.state };
    json!({ "iid": number, "state": state, "title": one.title, "description": one.text, "source_branch": one.head,
        "target_branch": one.base, "sha": sha, "web_url": format!("https://gitlab.com/{name}/-/merge_requests/{number}") })
}
