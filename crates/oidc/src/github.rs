//! Sign-in with GitHub, which speaks OAuth 2 and no OpenID Connect: who somebody is, is asked of its API with the token that the code is changed for.
//!
//! There is no ID token, so nothing is signed and nothing says when somebody proved themselves: whoever signs in here can do no more with it than begin a
//! session. What is believed comes over TLS from the configured address only. A person is the number of the account: names are given away again.

use crate::fetch::{Fetch, MAX_ANSWER, json};
use crate::flow::code_of;
use crate::{Groups, Pending, Person, Refused, Returned, claims};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use openidconnect::{CsrfToken, PkceCodeChallenge};
use serde_json::{Map, Value};
use url::Url;

/// The address of GitHub itself.
pub const GITHUB: &str = "https://github.com";

const PAGE: usize = 100;
/// A list that is longer is not read, and gives nothing.
const PAGES: usize = 10;
/// One of these lets organisations and teams be read.
const READS_GROUPS: [&str; 3] = ["read:org", "write:org", "admin:org"];

/// What the configuration says; the secret is handed over when it is used.
#[derive(Debug, Clone)]
pub struct GithubSettings {
    /// As in our own addresses.
    pub id: String,
    /// [`GITHUB`], or that of a GitHub Enterprise; without a slash at the end.
    pub address: String,
    pub client_id: String,
    /// Where people are sent back to.
    pub redirect_uri: String,
    /// Whether organisations and teams are asked for.
    pub groups: bool,
}

/// GitHub, or a GitHub Enterprise.
#[derive(Debug)]
pub struct Github {
    settings: GithubSettings,
    web: Url,
    api: Url,
}

impl Github {
    /// # Errors
    /// When the address is no URL.
    pub fn new(settings: GithubSettings) -> Result<Self, url::ParseError> {
        let web = Url::parse(&settings.address)?.join("/")?;
        let host = web.host_str().unwrap_or_default();
        let api = match host {
            "github.com" => Url::parse("https://api.github.com/")?,
            host if host.ends_with(".ghe.com") => Url::parse(&format!("https://api.{host}/"))?,
            _ => web.join("api/v3/")?,
        };
        Ok(Self { settings, web, api })
    }

    /// The address to go to, and what to keep meanwhile.
    ///
    /// # Errors
    /// Only when the address has no such page.
    pub fn begin(&self) -> Result<(Url, Pending), Refused> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = CsrfToken::new_random();
        let mut url = self.page("login/oauth/authorize")?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            // No e-mail address is asked for: nothing may be decided by one.
            .append_pair("scope", if self.settings.groups { "read:org" } else { "" })
            .append_pair("state", state.secret())
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", challenge.method().as_str())
            .append_pair("allow_signup", "false");
        let pending = Pending::without_nonce(
            self.settings.id.clone(),
            self.settings.address.clone(),
            state.secret().clone(),
            verifier.secret().clone(),
        );
        Ok((url, pending))
    }

    /// Who came back. The caller sees to it that `pending` is used once and is this browser's.
    ///
    /// # Errors
    /// Everything that does not fit, before anything of it is believed.
    pub async fn finish(
        &self,
        fetch: &dyn Fetch,
        secret: &str,
        pending: &Pending,
        returned: &Returned,
    ) -> Result<Person, Refused> {
        let own = |issuer: Option<&str>| {
            issuer.is_none_or(|issuer| {
                issuer == self.settings.address || issuer.strip_suffix("/login/oauth") == Some(&self.settings.address)
            })
        };
        let code = code_of(&self.settings.id, &self.settings.address, pending, returned, own)?;
        let (token, scopes) = self.exchange(fetch, secret, &code, pending.verifier()).await?;
        let person = self.person(fetch, &token, &scopes).await;
        // It has told what it was asked for; nobody keeps it.
        self.give_back(fetch, secret, &token).await;
        person
    }

    async fn exchange(
        &self,
        fetch: &dyn Fetch,
        secret: &str,
        code: &str,
        verifier: &str,
    ) -> Result<(String, String), Refused> {
        const AWAY: Refused = Refused::provider("the token endpoint does not answer");
        const UNREADABLE: Refused = Refused::answer("what the token endpoint sent cannot be read");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("client_secret", secret)
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("code_verifier", verifier)
            .finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.page("login/oauth/access_token")?.as_str())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into_bytes())
            .map_err(|_| AWAY)?;
        let answer = fetch.fetch(request).await.map_err(|_| AWAY)?;
        if answer.status() != StatusCode::OK {
            return Err(Refused::provider("the token endpoint answers in another way"));
        }
        if answer.body().len() > MAX_ANSWER {
            return Err(UNREADABLE);
        }
        let body: Map<String, Value> = serde_json::from_slice(answer.body()).map_err(|_| UNREADABLE)?;
        // A refusal comes with 200 too.
        if body.contains_key("error") {
            return Err(Refused::answer("the provider does not take the code"));
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if !text("token_type").eq_ignore_ascii_case("bearer") {
            return Err(Refused::answer("the token is of another type"));
        }
        let token = text("access_token");
        if !(1..=1000).contains(&token.len()) || !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Refused::answer("the provider sent no token"));
        }
        Ok((token.to_owned(), text("scope").to_owned()))
    }

    async fn person(&self, fetch: &dyn Fetch, token: &str, scopes: &str) -> Result<Person, Refused> {
        let user: Map<String, Value> =
            json(fetch, &self.call("user")?, Some(token), "the provider's user information cannot be had").await?;
        let id = id_of(user.get("id")).ok_or(Refused::answer("the user information names nobody (id)"))?;
        if user.get("type").is_some_and(|kind| kind != "User") {
            return Err(Refused::answer("the user information is of no person (type)"));
        }
        if user.get("suspended_at").is_some_and(|at| !at.is_null()) {
            return Err(Refused::denied("the person is suspended at the provider"));
        }
        let groups = match self.settings.groups {
            false => Groups::NotAsked,
            // People may take a right away before they agree.
            true if !scopes.split([',', ' ']).any(|scope| READS_GROUPS.contains(&scope)) => Groups::Absent,
            true => self.groups(fetch, token).await?,
        };
        Ok(Person {
            issuer: self.settings.address.clone(),
            subject: id.to_string(),
            name: claims::shown(&user, "name"),
            user_name: claims::shown(&user, "login"),
            session: None,
            groups,
        })
    }

    /// `organization:ID` and `team:ID`: names can be changed, and taken by somebody else.
    async fn groups(&self, fetch: &dyn Fetch, token: &str) -> Result<Groups, Refused> {
        let mut groups = Vec::new();
        for (place, kind) in [("user/orgs", "organization"), ("user/teams", "team")] {
            match self.list(fetch, token, place).await? {
                Some(ids) => groups.extend(ids.into_iter().map(|id| format!("{kind}:{id}"))),
                None => return Ok(Groups::Odd),
            }
        }
        Ok(Groups::Read(groups))
    }

    /// The ids of a list; none when one of them is odd, or there are too many.
    async fn list(&self, fetch: &dyn Fetch, token: &str, place: &str) -> Result<Option<Vec<u64>>, Refused> {
        let mut ids = Vec::new();
        for page in 1..=PAGES {
            let mut url = self.call(place)?;
            url.query_pairs_mut().append_pair("per_page", &PAGE.to_string()).append_pair("page", &page.to_string());
            let items: Value = json(fetch, &url, Some(token), "the provider does not tell groups").await?;
            let Some(items) = items.as_array() else { return Ok(None) };
            let Some(read) = items.iter().map(|item| id_of(item.get("id"))).collect::<Option<Vec<_>>>() else {
                return Ok(None);
            };
            ids.extend(read);
            if items.len() < PAGE {
                return Ok(Some(ids));
            }
        }
        Ok(None)
    }

    async fn give_back(&self, fetch: &dyn Fetch, secret: &str, token: &str) {
        let place = format!("applications/{}/token", self.settings.client_id);
        let Ok(url) = self.call(&place) else { return };
        let client = STANDARD.encode(format!("{}:{secret}", self.settings.client_id));
        let request = Request::builder()
            .method(Method::DELETE)
            .uri(url.as_str())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Basic {client}"))
            .body(serde_json::json!({ "access_token": token }).to_string().into_bytes());
        if let Ok(request) = request {
            // It ends by itself after a year without use; a failure changes nothing for the one who signs in.
            drop(fetch.fetch(request).await);
        }
    }

    fn page(&self, path: &str) -> Result<Url, Refused> {
        self.web.join(path).map_err(|_| Refused::provider("the provider's address is none"))
    }

    fn call(&self, path: &str) -> Result<Url, Refused> {
        self.api.join(path).map_err(|_| Refused::provider("the provider's address is none"))
    }
}

/// A whole number above nothing, and nothing that looks like one.
fn id_of(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_u64).filter(|id| *id > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str, groups: bool) -> Github {
        let settings = GithubSettings {
            id: "gh".to_owned(),
            address: address.to_owned(),
            client_id: "Iv1.abc".to_owned(),
            redirect_uri: "https://portal.example/auth/gh/callback".to_owned(),
            groups,
        };
        Github::new(settings).unwrap()
    }

    #[test]
    fn the_api_lies_where_github_has_it() {
        for (address, api) in [
            (GITHUB, "https://api.github.com/user"),
            ("https://git.acme.example", "https://git.acme.example/api/v3/user"),
            ("https://acme.ghe.com", "https://api.acme.ghe.com/user"),
        ] {
            assert_eq!(at(address, false).call("user").unwrap().as_str(), api);
        }
    }

    #[test]
    fn nothing_is_asked_for_that_is_not_needed() {
        let asked = |groups| at(GITHUB, groups).begin().unwrap().0.query_pairs().into_owned().collect::<Vec<_>>();
        let scope = |pairs: &[(String, String)]| pairs.iter().find(|(name, _)| name == "scope").unwrap().1.clone();
        assert_eq!((scope(&asked(false)), scope(&asked(true))), (String::new(), "read:org".to_owned()));
        let pairs = asked(false);
        assert!(pairs.contains(&("code_challenge_method".to_owned(), "S256".to_owned())), "{pairs:?}");
        let state = |pairs: Vec<(String, String)>| pairs.into_iter().find(|(name, _)| name == "state").unwrap().1;
        assert_ne!(state(asked(false)), state(asked(false)));
    }

    #[test]
    fn only_a_whole_number_is_an_id() {
        use serde_json::json;
        assert_eq!(id_of(Some(&json!(583_231))), Some(583_231));
        for odd in [json!("583231"), json!(0), json!(-1), json!(1.5), json!(null), json!([1]), json!(true)] {
            assert_eq!(id_of(Some(&odd)), None, "{odd}");
        }
        assert_eq!(id_of(None), None);
    }
}
