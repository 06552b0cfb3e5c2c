//! What the provider says of itself at `/.well-known/openid-configuration`.

use crate::fetch::{Fetch, json};
use crate::{Refused, token};
use openidconnect::core::CoreJwsSigningAlgorithm;
use openidconnect::{AuthUrl, TokenUrl};
use serde::Deserialize;
use url::Url;

const CAUSE: &str = "the provider's description cannot be had or is no such document";

/// The fields that are used; the rest is the provider's own.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    end_session_endpoint: Option<Url>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// The addresses of a provider, checked.
#[derive(Debug, Clone)]
pub(crate) struct Discovered {
    pub(crate) authorization: AuthUrl,
    pub(crate) token: TokenUrl,
    pub(crate) keys: Url,
    pub(crate) userinfo: Option<Url>,
    pub(crate) end_session: Option<Url>,
    /// The secret goes into the body rather than the header, because that is all the provider takes.
    pub(crate) secret_in_body: bool,
    /// RFC 9207: the answer in the browser must say which issuer it comes from.
    pub(crate) names_itself: bool,
    /// Ours that the provider announces; never empty.
    pub(crate) algorithms: Vec<CoreJwsSigningAlgorithm>,
}

pub(crate) async fn discover(fetch: &dyn Fetch, issuer: &str) -> Result<Discovered, Refused> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let address = Url::parse(&address).map_err(|_| Refused::provider(CAUSE))?;
    let document: Document = json(fetch, &address, None, CAUSE).await?;
    if document.issuer != issuer {
        return Err(Refused::provider("the provider's description names another issuer"));
    }
    let issuer_scheme = address.scheme();
    let mut all = vec![&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
    all.extend(&document.userinfo_endpoint);
    all.extend(&document.end_session_endpoint);
    if all.into_iter().any(|url| !reachable(url, issuer_scheme)) {
        return Err(Refused::provider("the provider's description names an address that is not used"));
    }
    let algorithms = token::algorithms(document.id_token_signing_alg_values_supported.as_deref());
    if algorithms.is_empty() {
        return Err(Refused::provider("the provider announces no signature that is accepted"));
    }
    let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
    let takes = |name: &str| methods.iter().any(|method| method == name);
    Ok(Discovered {
        authorization: AuthUrl::from_url(document.authorization_endpoint),
        token: TokenUrl::from_url(document.token_endpoint),
        keys: document.jwks_uri,
        userinfo: document.userinfo_endpoint,
        end_session: document.end_session_endpoint,
        secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
        names_itself: document.authorization_response_iss_parameter_supported,
        algorithms,
    })
}

/// As safe as the issuer: https, and plain http only for an issuer that is configured with it.
fn reachable(url: &Url, issuer_scheme: &str) -> bool {
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && issuer_scheme == "http");
    scheme && url.host().is_some() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::reachable;
    use url::Url;

    #[test]
    fn an_endpoint_is_as_safe_as_the_issuer() {
        let url = |text: &str| Url::parse(text).unwrap();
        assert!(reachable(&url("https://a.example/token"), "https"));
        assert!(reachable(&url("http://127.0.0.1:1/token"), "http"));
        for bad in ["http://a.example/token", "ftp://a.example/", "https://u:p@a.example/", "https://a.example/#x"] {
            assert!(!reachable(&url(bad), "https"), "{bad}");
        }
    }
}
