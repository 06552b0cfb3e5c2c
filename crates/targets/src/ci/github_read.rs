//! Answers of GitHub as our own words. Pure; what is not as documented reads as absent.

use super::model::{Attempt, Job, JobState, Mark, Run, RunState};
use super::provider::Order;
use crate::masking;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use passerelle_contract::text;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A deployment object that records an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub id: u64,
    pub mark: Option<Mark>,
    pub image: String,
    /// As GitHub writes it.
    pub created_at: String,
    pub asked_at: i64,
}

impl Claim {
    /// From the answer to its making.
    pub fn made(answer: &Value, order: &Order) -> Option<Self> {
        let created_at = answer["created_at"].as_str().unwrap_or_default();
        Some(Self {
            id: answer["id"].as_u64()?,
            mark: Some(order.mark.clone()),
            image: order.image.clone(),
            created_at: created_at.to_owned(),
            asked_at: seconds(created_at),
        })
    }

    /// Of an attempt whose order may have been lost.
    pub fn again(attempt: &Attempt) -> Self {
        let at = OffsetDateTime::from_unix_timestamp(attempt.asked_at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self {
            id: attempt.id,
            mark: attempt.mark.clone(),
            image: attempt.image.clone(),
            created_at: at.format(&Rfc3339).unwrap_or_default(),
            asked_at: attempt.asked_at,
        }
    }
}

pub(super) fn claims(list: &Value) -> Vec<Claim> {
    list.as_array().into_iter().flatten().filter_map(claim).collect()
}

/// None without a number or an image.
pub(super) fn claim(deployment: &Value) -> Option<Claim> {
    let ours = &deployment["payload"]["passerelle"];
    let epoch = ours["epoch"].as_i64().map(|epoch| epoch.to_string());
    let created_at = deployment["created_at"].as_str().unwrap_or_default();
    Some(Claim {
        id: deployment["id"].as_u64()?,
        mark: Mark::read(ours["deployment"].as_str(), epoch.as_deref(), ours["change"].as_str()),
        image: ours["image"].as_str()?.to_owned(),
        created_at: created_at.to_owned(),
        asked_at: seconds(created_at),
    })
}

pub(super) fn seconds(text: &str) -> i64 {
    OffsetDateTime::parse(text, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp)
}

/// What the statuses of a deployment hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Noted {
    pub any: bool,
    pub epoch: Option<i64>,
    pub run: Option<u64>,
    pub end: Option<RunState>,
}

/// What a status says of the writer.
pub(super) fn description(epoch: i64) -> String {
    format!("Passerelle, epoch {epoch}")
}

/// Statuses come newest first.
pub(super) fn noted(statuses: &Value) -> Noted {
    let all = statuses.as_array().map(Vec::as_slice).unwrap_or_default();
    let epoch = |status: &Value| status["description"].as_str()?.rsplit_once("epoch ")?.1.parse().ok();
    let run = |status: &Value| {
        let (_, rest) = status["log_url"].as_str()?.split_once("/actions/runs/")?;
        rest.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
    };
    let end = |status: &Value| match status["state"].as_str()? {
        "success" => Some(RunState::Succeeded),
        state @ ("failure" | "error") => Some(RunState::Failed(state.to_owned())),
        "inactive" => Some(RunState::Cancelled),
        _ => None,
    };
    Noted {
        any: !all.is_empty(),
        epoch: all.iter().filter_map(epoch).max(),
        run: all.iter().find_map(run),
        end: all.iter().find_map(end),
    }
}

/// The state that a deployment gets by its run.
pub(super) const fn status_of(state: &RunState) -> &'static str {
    match state {
        RunState::Going(_) => "in_progress",
        RunState::Succeeded => "success",
        RunState::Failed(_) => "failure",
        RunState::Cancelled => "inactive",
    }
}

pub(super) fn run(run: &Value) -> Option<Run> {
    Some(Run {
        id: run["id"].as_u64()?,
        url: link(&run["html_url"]),
        sha: run["head_sha"].as_str().unwrap_or_default().to_owned(),
        state: run_state(run),
        jobs: Vec::new(),
    })
}

fn run_state(run: &Value) -> RunState {
    let status = run["status"].as_str().unwrap_or_default();
    match (status, run["conclusion"].as_str().unwrap_or_default()) {
        ("completed", "success" | "neutral") => RunState::Succeeded,
        ("completed", "cancelled") => RunState::Cancelled,
        ("completed", other) => RunState::Failed(masking::shown(other).chars().take(40).collect()),
        ("waiting", _) => RunState::Going(text!("the run waits for a review at its provider")),
        ("in_progress", _) => RunState::Going(text!("the run is at work")),
        _ => RunState::Going(text!("the run waits for its turn")),
    }
}

/// Whether a page of runs, newest first, is the last one or goes back to before a time.
pub(super) fn reaches(list: &Value, since: i64) -> bool {
    let runs = list["workflow_runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let before = |run: &Value| seconds(run["created_at"].as_str().unwrap_or_default()) < since;
    runs.len() < 100 || runs.last().is_some_and(before)
}

/// Runs whose title holds a text, made at or after a time in seconds since 1970.
pub(super) fn runs_named(list: &Value, text: &str, since: i64) -> Vec<Run> {
    let named = |one: &&Value| {
        let titled = ["display_title", "name"]
            .iter()
            .any(|field| one[*field].as_str().is_some_and(|title| title.contains(text)));
        titled && seconds(one["created_at"].as_str().unwrap_or_default()) >= since
    };
    list["workflow_runs"].as_array().into_iter().flatten().filter(named).filter_map(run).collect()
}

pub(super) fn jobs(list: &Value) -> Vec<Job> {
    list["jobs"].as_array().into_iter().flatten().filter_map(job).collect()
}

fn job(job: &Value) -> Option<Job> {
    let conclusion = job["conclusion"].as_str().unwrap_or_default();
    let state = match (job["status"].as_str().unwrap_or_default(), conclusion) {
        ("completed", "success") => JobState::Succeeded,
        ("completed", "failure" | "timed_out" | "action_required") => JobState::Failed,
        ("completed", _) => JobState::Passed,
        ("in_progress", _) => JobState::Running,
        _ => JobState::Pending,
    };
    let broke = |step: &&Value| matches!(step["conclusion"].as_str(), Some("failure" | "timed_out"));
    let step = job["steps"].as_array().into_iter().flatten().find(broke).and_then(|step| step["name"].as_str());
    Some(Job {
        id: job["id"].as_u64()?,
        name: short(job["name"].as_str()?),
        stage: String::new(),
        state,
        url: link(&job["html_url"]),
        detail: short(step.unwrap_or_default()),
    })
}

/// A name as it is shown.
pub(super) fn short(text: &str) -> String {
    masking::shown(text).chars().take(100).collect()
}

/// An address that a browser may open; nothing else.
pub(super) fn link(url: &Value) -> String {
    let url = url.as_str().unwrap_or_default();
    let plain = url.len() <= 500 && !url.chars().any(|sign| sign.is_whitespace() || sign.is_control());
    let safe =
        url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.username().is_empty());
    if plain && safe { url.to_owned() } else { String::new() }
}

/// The text of a file, which comes in base64 with line breaks.
pub(super) fn content(file: &Value) -> String {
    let text: String = file["content"].as_str().unwrap_or_default().split_whitespace().collect();
    STANDARD.decode(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn statuses_hold_the_epoch_the_run_and_the_end() {
        let statuses = json!([
            { "state": "success", "description": "Passerelle, epoch 3", "log_url": "" },
            { "state": "in_progress", "description": "Passerelle, epoch 2", "log_url": "https://github.com/a/b/actions/runs/77/job/1" },
            { "state": "queued", "description": "Passerelle, epoch 1" },
        ]);
        let expected = Noted { any: true, epoch: Some(3), run: Some(77), end: Some(RunState::Succeeded) };
        assert_eq!(noted(&statuses), expected);
        assert_eq!(noted(&json!([])), Noted::default());
    }

    #[test]
    fn a_run_is_found_by_its_title_and_not_by_one_from_before() {
        let list = json!({ "workflow_runs": [
            { "id": 3, "display_title": "web passerelle-1-x", "created_at": "2026-01-01T10:00:05Z", "status": "queued" },
            { "id": 2, "display_title": "web passerelle-1-x", "created_at": "2026-01-01T10:00:00Z", "status": "queued" },
            { "id": 1, "display_title": "web passerelle-1-x", "created_at": "2026-01-01T09:59:59Z", "status": "queued" },
            { "id": 4, "display_title": "web passerelle-2-x", "created_at": "2026-01-01T10:00:05Z", "status": "queued" },
        ] });
        let ids = |since: &str| {
            runs_named(&list, "passerelle-1-x", seconds(since)).iter().map(|run| run.id).collect::<Vec<_>>()
        };
        assert_eq!(ids("2026-01-01T10:00:00Z"), [3, 2]);
        assert!(reaches(&list, 0), "a short page is the last one");
    }

    #[test]
    fn runs_and_jobs_as_they_are_documented() {
        let state = |status: &str, conclusion: Value| run_state(&json!({ "status": status, "conclusion": conclusion }));
        assert_eq!(state("completed", json!("success")), RunState::Succeeded);
        assert_eq!(state("completed", json!("cancelled")), RunState::Cancelled);
        assert_eq!(state("completed", json!("startup_failure")), RunState::Failed("startup_failure".to_owned()));
        assert!(!state("waiting", Value::Null).is_over() && !state("pending", Value::Null).is_over());
        let jobs = jobs(&json!({ "jobs": [{ "id": 1, "name": "deploy", "status": "completed", "conclusion": "failure",
            "html_url": "javascript:alert(1)", "steps": [{ "name": "Set up", "conclusion": "success" }, { "name": "Roll out", "conclusion": "failure" }] }] }));
        assert_eq!((jobs[0].state, jobs[0].detail.as_str(), jobs[0].url.as_str()), (JobState::Failed, "Roll out", ""));
    }

    #[test]
    fn odd_answers_read_as_nothing() {
        for odd in [
            json!(null),
            json!({ "jobs": 3, "workflow_runs": [null, 1] }),
            json!([{ "id": "x" }, null, { "payload": "text" }]),
        ] {
            assert!(claims(&odd).is_empty() && jobs(&odd).is_empty() && runs_named(&odd, "", 0).is_empty());
            assert_eq!((noted(&odd).run, noted(&odd).epoch, content(&odd)), (None, None, String::new()));
        }
    }
}
