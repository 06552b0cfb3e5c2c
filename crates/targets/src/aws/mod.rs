//! Amazon Web Services as a caller: whose credentials sign, and the signature (Version 4) itself.

mod credentials;
mod document;
mod machine;
mod sign;
mod sts;

pub(crate) use credentials::{Credentials, Given, Keys, Place};
pub(crate) use sign::{Scope, headers, presigned};

use crate::outbound::{ANSWER_LIMIT, read_body, unreachable};
use crate::{TargetError, masking};
use passerelle_contract::{Text, text};

/// Sends a request and gives the body of a good answer. The body of a refusal is read for its code and message only.
pub(crate) async fn ask(request: reqwest::RequestBuilder, who: &str) -> Result<Vec<u8>, TargetError> {
    let response = request.timeout(ANSWER_LIMIT).send().await.map_err(|error| unreachable(who, &error))?;
    let status = response.status().as_u16();
    let body = read_body(response, who.to_owned()).await?;
    match status {
        200..300 => Ok(body),
        429 | 500.. => Err(TargetError::Unreachable(text!("{name} answered {status}", name = who, status))),
        _ => {
            let said = document::complaint(&String::from_utf8_lossy(&body));
            let said: String = masking::shown(&said).chars().take(300).collect();
            match status {
                404 => Err(TargetError::Missing(Text::verbatim(format!("{who}: {said}")))),
                _ => Err(TargetError::Forbidden(text!("{name} answered {status}: {said}", name = who, status, said))),
            }
        }
    }
}
