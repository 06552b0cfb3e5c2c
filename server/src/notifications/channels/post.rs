//! A message as one POST, through the guard.

use super::{ATTEMPT_LIMIT, Undelivered};
use passerelle_contract::{Text, text};
use passerelle_targets::guard::{Guard, Refusal};
use passerelle_targets::outbound;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use std::time::Duration;
use url::Url;

/// Posts a JSON body. `word` reads from a refusal what may be repeated of it.
pub(super) async fn post(
    guard: &Guard,
    url: &Url,
    headers: HeaderMap,
    body: String,
    word: fn(&str) -> Option<String>,
) -> Result<Text, Undelivered> {
    let client = guard.client(url, ATTEMPT_LIMIT).await.map_err(|refusal| match refusal {
        Refusal::Unknown(why) => Undelivered::later(why),
        Refusal::Forbidden(why) => Undelivered::never(why),
    })?;
    let request = client.post(url.clone()).headers(headers).header(CONTENT_TYPE, "application/json").body(body);
    let host = url.host_str().unwrap_or_default().to_owned();
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            let what = outbound::what_failed(&error);
            return Err(Undelivered::later(text!("{from}: {what}", from = host, what)));
        }
    };
    let status = answer.status();
    if status.is_success() {
        return Ok(text!("{host} answered {status}", host, status = status.as_u16()));
    }
    let after = retry_after(&answer);
    let said =
        outbound::read_body(answer, host.as_str()).await.ok().and_then(|body| word(&String::from_utf8_lossy(&body)));
    let why = match said {
        Some(word) => text!("{host} answered {status}: {word}", host, status = status.as_u16(), word),
        None if status.is_redirection() => {
            text!("{host} answered {status}, and redirects are not followed", host, status = status.as_u16())
        }
        None => text!("{host} answered {status}", host, status = status.as_u16()),
    };
    let again = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    Err(Undelivered { again, after, why })
}

/// In seconds only; a date needs the peer's clock.
fn retry_after(answer: &Response) -> Option<Duration> {
    answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
