//! The userinfo endpoint: further claims of the same subject, and of no other.

use crate::Refused;
use crate::fetch::{Fetch, json};
use serde_json::{Map, Value};
use url::Url;

/// The claims; refused when they are of somebody else than the ID token.
pub(crate) async fn ask(
    fetch: &dyn Fetch,
    url: &Url,
    access_token: &str,
    subject: &str,
) -> Result<Map<String, Value>, Refused> {
    let claims: Map<String, Value> =
        json(fetch, url, Some(access_token), "the provider's user information cannot be had").await?;
    // Another subject means that the access token was put in place of the right one (OpenID Connect Core, 5.3.2).
    if claims.get("sub").and_then(Value::as_str) == Some(subject) {
        Ok(claims)
    } else {
        Err(Refused::answer("the user information is of another person (sub)"))
    }
}
