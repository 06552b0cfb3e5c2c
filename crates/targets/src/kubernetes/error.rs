//! From the client's errors to ours: short, without bodies of the server that could hold values.

use crate::TargetError;
use crate::masking::shown;
use kube::core::Status;
use passerelle_contract::{Argument, Text, text};
use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

/// Longest time that one call may take, without the watches.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_MESSAGE_CHARS: usize = 400;

/// Makes one call within [`CALL_TIMEOUT`]; `what` names the object for the error.
pub(super) async fn call<T>(
    what: impl Argument,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, TargetError> {
    match tokio::time::timeout(CALL_TIMEOUT, request).await {
        Ok(answer) => answer.map_err(|error| translate(what, &error)),
        Err(_) => Err(TargetError::Unreachable(text!(
            "no answer within {seconds} s ({what})",
            seconds = CALL_TIMEOUT.as_secs(),
            what
        ))),
    }
}

pub(super) fn translate(what: impl Argument, error: &kube::Error) -> TargetError {
    // Of ours: a token could not be had.
    if let kube::Error::Service(inner) = error
        && let Some(ours) = inner.downcast_ref::<TargetError>()
    {
        return ours.clone();
    }
    match error {
        kube::Error::Api(status) => from_status(what, status),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            TargetError::Unreachable(text!("{what}: the answer is not the Kubernetes API's", what))
        }
        kube::Error::Auth(_) => TargetError::Forbidden(text!("{what}: the credentials cannot be read", what)),
        other => TargetError::Unreachable(text!("{what}: {innermost}", what, innermost = innermost(other))),
    }
}

/// What a status of the API server means for us.
pub(super) fn from_status(what: impl Argument, status: &Status) -> TargetError {
    let what = what.to_text();
    let message: String = shown(&status.message).chars().take(MAX_MESSAGE_CHARS).collect();
    match status.code {
        401 => TargetError::Forbidden(text!("{what}: not logged in (401)", what)),
        403 if message.contains("exceeded quota") => TargetError::Refused(Text::verbatim(message)),
        403 if message.contains("admission webhook") => TargetError::Refused(Text::verbatim(message)),
        403 if message.is_empty() => TargetError::Forbidden(text!("{what}: forbidden (403)", what)),
        403 => TargetError::Forbidden(Text::verbatim(message)),
        404 => TargetError::Missing(what),
        429 | 500.. => TargetError::Unreachable(text!(
            "{what}: the API server answers {code} {reason}",
            what,
            code = status.code,
            reason = &status.reason
        )),
        // The message of a webhook is written for people; the one of the validation repeats values, so only its fields are named.
        _ if message.starts_with("admission webhook") => TargetError::Refused(Text::verbatim(message)),
        code => {
            let fields = status.details.iter().flat_map(|details| &details.causes).map(|cause| shown(&cause.field));
            let fields = fields.filter(|field| !field.is_empty()).take(5).collect::<Vec<_>>().join(", ");
            let reason = &status.reason;
            TargetError::Refused(if fields.is_empty() {
                text!("{what}: {reason} ({code})", what, reason, code)
            } else {
                text!("{what}: {reason} ({code}) at {fields}", what, reason, code, fields)
            })
        }
    }
}

/// The last reason in the chain is the one that says something, such as "connection refused".
fn innermost(error: &kube::Error) -> String {
    let mut source = error.source();
    let mut text = error.to_string();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    shown(&text).chars().take(MAX_MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::response::{StatusCause, StatusDetails};

    fn status(code: u16, reason: &str, message: &str) -> Status {
        Status::failure(message, reason).with_code(code)
    }

    #[test]
    fn statuses_become_what_they_mean() {
        let of = |code, message| from_status("deployment web", &status(code, "Reason", message));
        assert!(matches!(of(401, ""), TargetError::Forbidden(_)));
        assert!(
            matches!(of(403, "User \"x\" cannot patch"), TargetError::Forbidden(text) if text.to_string().contains("cannot patch"))
        );
        assert!(matches!(of(403, "pods \"x\" is forbidden: exceeded quota: q"), TargetError::Refused(_)));
        assert!(matches!(of(404, ""), TargetError::Missing(what) if what == Text::verbatim("deployment web")));
        assert!(of(503, "").is_transient() && of(429, "").is_transient());
        assert!(
            matches!(of(400, "admission webhook \"w\" denied: no"), TargetError::Refused(text) if text.to_string().contains("denied"))
        );
    }

    #[test]
    fn a_validation_error_names_the_field_and_not_the_value() {
        let cause = StatusCause {
            reason: "FieldValueInvalid".into(),
            message: "Invalid value: \"hunter2\"".into(),
            field: "spec.x".into(),
        };
        let status = status(422, "Invalid", "Deployment \"web\" is invalid: hunter2").with_details(StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: vec![cause],
            retry_after_seconds: 0,
        });
        let error = from_status("deployment web", &status);
        assert_eq!(error.to_string(), "the target refused: deployment web: Invalid (422) at spec.x");
    }
}
