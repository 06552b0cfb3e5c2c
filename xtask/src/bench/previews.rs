//! The preview of a golden path: every file of a new service, each path in each of its languages.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::http::Connection;
use super::load;
use super::people::People;
use super::report::{Figure, Target};
use super::request::{self, Credential};
use super::run::{described, milliseconds};
use super::server::Server;

/// A team and a system of the measured catalog.
const OWNER: &str = "group:default/team-0";
const SYSTEM: &str = "default/system-0";

/// Asks for all of them in turn.
pub fn run(server: &Server, people: &People, duration: Duration, figures: &mut Vec<Figure>) -> Result<()> {
    let requests = requests(server, &people.administrator)?;
    let measured = load::run(server.address, &requests, duration, server.watched)?;
    figures.push(
        Figure::new("preview of a golden path, p95", milliseconds(measured.p95), "ms", Target::AtMost(150.0))
            .note(format!("{} forms; {:.0} req/s; {}", requests.len(), measured.per_second, described(&measured))),
    );
    Ok(())
}

/// One for each golden path and language, with the answers that it gives as an example.
fn requests(server: &Server, credential: &Credential) -> Result<Vec<Vec<u8>>> {
    let mut connection = Connection::open(server.address)?;
    let all = connection.call(&request::get("/api/v1/templates", credential, &[]))?.json()?;
    let mut requests = Vec::new();
    for template in all["items"].as_array().context("no list of golden paths")? {
        let id = template["id"].as_str().context("a golden path without its id")?;
        let detail = connection.call(&request::get(&format!("/api/v1/templates/{id}"), credential, &[]))?.json()?;
        for answers in forms(&detail) {
            let body = json!({ "template": id, "answers": answers });
            requests.push(request::post_json("/api/v1/onboardings/preview", credential, &body));
        }
    }
    ensure!(requests.len() >= 7, "only {} forms of golden paths were found", requests.len());
    Ok(requests)
}

fn forms(detail: &Value) -> Vec<Value> {
    let mut answers = detail["example"].clone();
    answers["owner"] = json!(OWNER);
    answers["system"] = json!(SYSTEM);
    let languages = detail["schema"]["properties"]["language"]["enum"].as_array();
    let in_each = |languages: &Vec<Value>| {
        let in_one = |language: &Value| {
            let mut answers = answers.clone();
            answers["language"] = language.clone();
            answers
        };
        languages.iter().map(in_one).collect::<Vec<_>>()
    };
    languages.map_or_else(|| vec![answers.clone()], in_each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_asked_for_in_each_of_its_languages() {
        let detail = json!({ "example": { "name": "a" }, "schema": { "properties": { "language": { "enum": ["python", "rust"] } } } });
        let all = forms(&detail);
        assert_eq!(all.iter().map(|form| form["language"].clone()).collect::<Vec<_>>(), ["python", "rust"]);
        assert!(all.iter().all(|form| form["owner"] == OWNER && form["name"] == "a"));
        assert_eq!(forms(&json!({ "example": {}, "schema": {} })).len(), 1);
    }
}
