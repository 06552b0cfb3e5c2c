//! The way to a provider: the guarded client, no redirects, a time limit, and a cap on what is read.

use http::{Request, Response};
use passerelle_oidc::{Answer, Fetch, FetchFailed, MAX_ANSWER};
use passerelle_targets::guard::Guard;
use passerelle_targets::outbound;
use std::time::Duration;
use url::Url;

/// For one whole exchange; somebody waits before a blank page.
const LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Wire {
    guard: Guard,
}

impl Wire {
    pub(super) const fn new(guard: Guard) -> Self {
        Self { guard }
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchFailed> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| FetchFailed("no address"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let failed = |cause: &'static str| {
            tracing::warn!(%host, cause, "sign-in provider");
            FetchFailed(cause)
        };
        let client = self.guard.client(&url, LIMIT).await.map_err(|refusal| {
            tracing::warn!(%host, refusal = %refusal.text(), "sign-in provider");
            FetchFailed("the portal does not connect to this address")
        })?;
        let (parts, body) = request.into_parts();
        let sent = client.request(parts.method, url).headers(parts.headers).body(body).send().await;
        let answer = sent.map_err(|_| failed("no answer in time, or none at all"))?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let body = outbound::read_body_of(answer, "the provider", MAX_ANSWER)
            .await
            .map_err(|_| failed("the answer broke off or is too large"))?;
        response.body(body).map_err(|_| failed("no answer"))
    }
}

impl Fetch for Wire {
    fn fetch(&self, request: Request<Vec<u8>>) -> Answer<'_> {
        Box::pin(self.exchange(request))
    }
}
