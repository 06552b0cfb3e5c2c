//! The rules of a deployment, without a database: what a request may hold, which step follows, what an observation means.

use crate::kernel::{AppError, Result, validate};
use passerelle_contract::deployments::{Cause, DeploymentIn, DeploymentState, Exemption, Failure};
use passerelle_contract::environments::Tier;
use passerelle_contract::{FieldError, text};
use passerelle_targets::{Observation, Rollout};
use uuid::Uuid;

/// What a fix of an exempt class has to say at least, in characters.
const EXEMPT_REASON: usize = 10;

/// The steps in their order; `roll_back` comes in only when it is needed.
pub const STEPS: [&str; 4] = ["preflight", "apply", "rollout", "verify"];
pub const ROLL_BACK_STEP: &str = "roll_back";
/// Before anything is changed, where the binding asks for it: a database or a broker that has to be ready.
pub const WAIT_STEP: &str = "wait";
/// Before `apply`, where the binding asks for it: a migration that runs to its end.
pub const TASK_STEP: &str = "migrate";

/// What the caller wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Release(Uuid),
    Version(String),
    Image(String),
}

/// Reads the body of `POST /plans` and `POST /deployments`.
///
/// # Errors
/// `Invalid` with every wrong field.
pub fn wanted(input: &DeploymentIn, reason_needed: bool) -> Result<Wanted> {
    let mut errors = Vec::new();
    if let Err(message) = validate::service_key(&input.service) {
        errors.push(FieldError::new("/service", message));
    }
    if reason_needed && let Err(error) = reason(input.reason.as_deref()) {
        errors.push(error);
    }
    let wanted = match (input.release, &input.version, &input.image) {
        (Some(id), None, None) => Some(Wanted::Release(id)),
        (None, Some(version), None) => match validate::line(version, 1, 128) {
            Ok(()) => Some(Wanted::Version(version.clone())),
            Err(message) => {
                errors.push(FieldError::new("/version", message));
                None
            }
        },
        (None, None, Some(image)) => match validate::image(image) {
            Ok(()) => Some(Wanted::Image(image.clone())),
            Err(message) => {
                errors.push(FieldError::new("/image", message));
                None
            }
        },
        _ => {
            errors.push(FieldError::new("/release", text!("give exactly one of release, version and image")));
            None
        }
    };
    match wanted {
        Some(wanted) if errors.is_empty() => Ok(wanted),
        _ => Err(AppError::Invalid(errors)),
    }
}

/// A fix that goes out past a spent budget says what it fixes.
///
/// # Errors
/// `Invalid` at `/reason`.
pub fn exempt_reason(exempt: Option<Exemption>, reason: &str) -> Result<()> {
    if exempt.is_some() && reason.chars().count() < EXEMPT_REASON {
        let message = text!("must say in {min} characters or more what is fixed", min = EXEMPT_REASON);
        return Err(AppError::field("/reason", message));
    }
    Ok(())
}

/// Checks the reason of an act: 2 to 2,000 characters.
///
/// # Errors
/// The wrong field.
pub fn reason(text: Option<&str>) -> Result<String, FieldError> {
    let text = text.unwrap_or_default().trim();
    validate::paragraph(text, 2, 2000).map_err(|message| FieldError::new("/reason", message))?;
    Ok(text.to_owned())
}

/// A version to show for an image without a release: its tag, else the first 12 digits of its digest.
#[must_use]
pub fn version_of_image(image: &str) -> String {
    if let Some((name, digest)) = image.split_once('@') {
        if let Some(tag) = tag_of(name) {
            return tag.to_owned();
        }
        return digest.trim_start_matches("sha256:").chars().take(12).collect();
    }
    tag_of(image).unwrap_or("latest").to_owned()
}

fn tag_of(name: &str) -> Option<&str> {
    let last = name.rsplit('/').next()?;
    last.split_once(':').map(|(_, tag)| tag)
}

/// Whether an image as a platform reports it is the one that was asked for. Platforms add a digest to a tag.
#[must_use]
pub fn same_image(observed: &str, asked: &str) -> bool {
    observed == asked
        || observed.split_once('@').is_some_and(|(name, _)| name == asked)
        || asked.split_once('@').is_some_and(|(_, digest)| observed.ends_with(digest))
}

/// # Errors
/// `Invalid` at `/replicas`.
pub fn replicas(count: i64, tier: Tier) -> Result<u32> {
    match (u32::try_from(count), tier) {
        (Ok(0), Tier::Production) => {
            Err(AppError::field("/replicas", text!("is 0, which would end the service; production allows 1 to 1000")))
        }
        (Ok(count @ 0..=1000), _) => Ok(count),
        _ => Err(AppError::field(
            "/replicas",
            text!("is {count}; allowed is {min} to {max}", count, min = 0, max = 1000),
        )),
    }
}

/// What an observation means for the deployment that is rolling out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Going,
    Done,
    Failed(Failure),
    /// The target carries somebody else's write; with the failure that it reports, if it does. A platform that goes back by itself
    /// (Swarm) puts the earlier write's fence back together with its version.
    Foreign(Option<Failure>),
}

/// Reads an observation on behalf of a deployment.
#[must_use]
pub fn progress(observation: &Observation, deployment: Uuid) -> Progress {
    if observation.fence.is_none_or(|fence| fence.deployment != deployment) {
        let failure = if let Rollout::Failed { failure } = &observation.rollout { Some(failure.clone()) } else { None };
        return Progress::Foreign(failure);
    }
    match &observation.rollout {
        Rollout::Progressing => Progress::Going,
        Rollout::Complete => Progress::Done,
        Rollout::Failed { failure } => Progress::Failed(failure.clone()),
    }
}

/// The failure of a rollout that took too long; the message says how far it came.
#[must_use]
pub fn deadline_failure(last: Option<&Observation>, deadline_s: i32) -> Failure {
    let Some(observation) = last else {
        return Failure {
            cause: Cause::TargetUnreachable,
            message: text!("the target gave no answer for {seconds} s", seconds = deadline_s),
            instance: None,
            logs: Vec::new(),
        };
    };
    let replicas = observation.replicas;
    let not_ready = observation.instances.iter().find(|instance| instance.updated && instance.message.is_some());
    let so_far = text!(
        "not complete after {seconds} s: {updated} of {desired} instances run the new version, {ready} are ready",
        seconds = deadline_s,
        updated = replicas.updated,
        desired = replicas.desired,
        ready = replicas.ready
    );
    Failure {
        cause: Cause::Deadline,
        message: match not_ready.and_then(|instance| instance.message.as_ref()) {
            Some(why) => text!("{so_far} ({why})", so_far, why),
            None => so_far,
        },
        instance: not_ready.map(|instance| instance.name.clone()),
        logs: Vec::new(),
    }
}

/// Whether a state may follow another. Ended states stay.
#[must_use]
pub const fn may_follow(from: DeploymentState, to: DeploymentState) -> bool {
    use DeploymentState::{
        AwaitingApproval, Blocked, Cancelled, Failed, NeedsPerson, Queued, Requested, RolledBack, Running, Succeeded,
        Verifying,
    };
    matches!(
        (from, to),
        (Requested, Blocked | AwaitingApproval | Queued | Cancelled)
            | (AwaitingApproval, Queued | Blocked | Cancelled)
            | (Queued, Running | Cancelled | Failed)
            | (Running, Verifying | Succeeded | Failed | RolledBack | Cancelled | NeedsPerson)
            | (Verifying, Running | Succeeded | Failed | RolledBack | Cancelled | NeedsPerson)
    )
}

#[cfg(test)]
mod tests {
    use super::{Wanted, may_follow, replicas, same_image, version_of_image, wanted};
    use crate::kernel::AppError;
    use passerelle_contract::deployments::{DeploymentIn, DeploymentState};
    use passerelle_contract::environments::Tier;

    fn input(image: Option<&str>, version: Option<&str>) -> DeploymentIn {
        DeploymentIn {
            service: "shop/web".into(),
            environment: "staging".into(),
            image: image.map(Into::into),
            version: version.map(Into::into),
            reason: Some("try it".into()),
            ..DeploymentIn::default()
        }
    }

    #[test]
    fn exactly_one_thing_is_deployed() {
        assert_eq!(wanted(&input(Some("a/b:1"), None), true).unwrap(), Wanted::Image("a/b:1".into()));
        assert!(wanted(&input(Some("a/b:1"), Some("1")), true).is_err());
        assert!(wanted(&input(None, None), true).is_err());
    }

    #[test]
    fn all_wrong_fields_are_named_at_once() {
        let bad = DeploymentIn { service: "web".into(), image: Some("--x".into()), reason: None, ..input(None, None) };
        let Err(AppError::Invalid(errors)) = wanted(&bad, true) else { panic!("accepted") };
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/service", "/reason", "/image"]);
    }

    #[test]
    fn versions_are_read_from_images() {
        assert_eq!(version_of_image("127.0.0.1:15000/tinyweb:v1"), "v1");
        assert_eq!(version_of_image("tinyweb"), "latest");
        assert_eq!(version_of_image(&format!("a/b@sha256:{}", "ab".repeat(32))), "abababababab");
        assert!(same_image("r/tinyweb:v1@sha256:00", "r/tinyweb:v1"));
        assert!(!same_image("r/tinyweb:v1", "r/tinyweb:v2"));
    }

    #[test]
    fn production_is_not_scaled_to_nothing() {
        assert!(replicas(0, Tier::Production).is_err());
        assert!(replicas(0, Tier::Staging).is_ok());
        for bad in [-1, 1001, i64::from(i32::MAX) + 1, i64::MIN] {
            assert!(replicas(bad, Tier::Staging).is_err(), "{bad}");
        }
    }

    #[test]
    fn ended_states_stay() {
        for from in DeploymentState::ALL.into_iter().filter(|state| !state.is_active()) {
            for to in DeploymentState::ALL {
                assert!(!may_follow(from, to), "{from:?} -> {to:?}");
            }
        }
    }
}
