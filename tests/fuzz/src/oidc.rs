//! What an identity provider answers, and what it sends by the back channel.

use crate::lossy;
use futures::executor::block_on;
use http::{Request, Response};
use passerelle_oidc::{Answer, Fetch, FetchFailed, Provider, Returned, Settings};

const ISSUER: &str = "https://id.example";
const NOW: i64 = 1_767_225_600;

/// Description, keys, tokens and user information, one after another with the byte 0xff between.
struct Answers<'b>(Vec<&'b [u8]>);

impl Fetch for Answers<'_> {
    fn fetch(&self, request: Request<Vec<u8>>) -> Answer<'_> {
        let which = match request.uri().path() {
            "/keys" => 1,
            "/token" => 2,
            "/me" => 3,
            _ => 0,
        };
        let body = self.0.get(which).copied().unwrap_or_default().to_vec();
        let answer = Response::builder().header("content-type", "application/json").body(body);
        Box::pin(async move { answer.map_err(|_| FetchFailed("no answer")) })
    }
}

fn provider() -> Option<Provider> {
    let settings = Settings {
        id: "example".to_owned(),
        issuer: ISSUER.to_owned(),
        client_id: "portal".to_owned(),
        scopes: vec!["profile".to_owned()],
        groups_claim: Some("groups".to_owned()),
        redirect_uri: "https://portal.example/auth/example/callback".to_owned(),
    };
    Provider::new(settings).ok()
}

pub fn run(bytes: &[u8]) {
    let answers = Answers(bytes.split(|byte| *byte == 0xff).collect());
    let Some(provider) = provider() else { return };
    let Ok((_, pending)) = block_on(provider.begin(&answers)) else { return };
    let returned = Returned {
        code: Some("code".to_owned()),
        state: Some(pending.state.clone()),
        iss: Some(ISSUER.to_owned()),
        error: None,
    };
    let person = block_on(provider.finish(&answers, Some("secret"), &pending, &returned, NOW));
    // The nonce is new, so nothing that was written before can hold it.
    assert!(person.is_err(), "somebody was signed in: {person:?}");
}

pub fn logout(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0xff);
    let (token, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let answers = Answers(rest.split(|byte| *byte == 0xff).collect());
    let Some(provider) = provider() else { return };
    let told = block_on(provider.logged_out(&answers, &lossy(token), NOW));
    assert!(told.is_err(), "a token was believed: {told:?}");
    drop(Returned::parse(&lossy(token)));
}
