//! The door to the network, which somebody else opens, and how an answer through it is read.

use crate::Refused;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use openidconnect::AsyncHttpClient;
use serde::de::DeserializeOwned;
use std::pin::Pin;
use url::Url;

/// Bytes of an answer at most: ten times what the longest real one has.
pub const MAX_ANSWER: usize = 256 * 1024;

/// No answer: why, without the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchFailed(pub &'static str);

/// What [`Fetch`] gives.
pub type Answer<'f> = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, FetchFailed>> + Send + 'f>>;

/// Sends one request: no redirects, a time limit, no more than [`MAX_ANSWER`] bytes, and only where the portal may connect to.
pub trait Fetch: Send + Sync {
    fn fetch(&self, request: Request<Vec<u8>>) -> Answer<'_>;
}

/// For the crate `oauth2`, which sends the code.
pub(crate) struct Client<'f>(pub(crate) &'f dyn Fetch);

impl<'c> AsyncHttpClient<'c> for Client<'_> {
    type Error = FetchFailed;
    type Future = Answer<'c>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Answer<'c> {
        Box::pin(async move {
            let response = self.0.fetch(request).await?;
            if response.body().len() > MAX_ANSWER {
                return Err(FetchFailed("the answer is too large"));
            }
            // A redirect is not followed, and a server's own failure says nothing about the code.
            match response.status().as_u16() {
                200 | 400 | 401 => Ok(response),
                _ => Err(FetchFailed("the answer has another status")),
            }
        })
    }
}

/// A JSON document from an address; `bearer` goes along as the access token. Anything but 200 with JSON is refused with `cause`.
pub(crate) async fn json<T: DeserializeOwned>(
    fetch: &dyn Fetch,
    url: &Url,
    bearer: Option<&str>,
    cause: &'static str,
) -> Result<T, Refused> {
    let mut request = Request::builder().method(Method::GET).uri(url.as_str()).header(ACCEPT, "application/json");
    if let Some(token) = bearer {
        request = request.header(http::header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Vec::new()).map_err(|_| Refused::provider(cause))?;
    let response = fetch.fetch(request).await.map_err(|_| Refused::provider(cause))?;
    let mime = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // Key sets have a type of their own (RFC 7517), which few providers send.
    let is_json = matches!(mime.as_str(), "application/json" | "application/jwk-set+json");
    if response.status() != StatusCode::OK || !is_json || response.body().len() > MAX_ANSWER {
        return Err(Refused::provider(cause));
    }
    serde_json::from_slice(response.body()).map_err(|_| Refused::provider(cause))
}
