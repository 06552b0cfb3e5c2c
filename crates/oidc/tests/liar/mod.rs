//! A provider of our own that signs with its own keys, and lies when it is told to. It speaks no HTTP: what it is asked and what it
//! answers are values, so that it stands behind a function here and behind a server in the tests of the whole portal.

mod lies;
mod sign;

pub use lies::Lie;
pub use sign::{Keys, Signer, challenge, encode, half_hash, hmac};

use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;

pub const CLIENT: &str = "passerelle";
pub const SECRET: &str = "a secret of the client/+ with signs";
const ACCESS_TOKEN: &str = "access-token-of-the-liar";

/// Whom the provider signs in.
#[derive(Debug, Clone)]
pub struct Who {
    pub subject: String,
    /// Beside `sub`: goes into the ID token.
    pub claims: Value,
}

pub struct Liar {
    pub issuer: String,
    keys: Keys,
    state: Mutex<State>,
}

struct State {
    lie: Option<Lie>,
    who: Who,
    signer: Signer,
    /// Claims that replace those of the good token; `null` takes one out.
    twisted: Value,
    codes: HashMap<String, Asked>,
    counts: HashMap<String, u32>,
    made: u32,
}

/// What a code was given for.
#[derive(Debug, Clone)]
struct Asked {
    nonce: String,
    challenge: String,
    redirect: String,
}

/// An answer; `slow` is to be sent when nobody waits for it any more.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub mime: &'static str,
    pub location: Option<String>,
    pub body: Vec<u8>,
    pub slow: bool,
}

impl Told {
    fn json(body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        Self { status: 200, mime: "application/json", location: None, body, slow: false }
    }

    fn fails() -> Self {
        Self { status: 500, ..Self::json(&json!({ "error": "<b>broken</b>" })) }
    }

    fn redirects(to: &str) -> Self {
        Self { status: 302, location: Some(to.to_owned()), ..Self::json(&json!({})) }
    }

    fn no_json() -> Self {
        Self { mime: "text/html", body: b"<html>hello</html>".to_vec(), ..Self::fails_with(200) }
    }

    fn fails_with(status: u16) -> Self {
        Self { status, ..Self::fails() }
    }

    fn huge(mut value: Value) -> Self {
        value["padding"] = json!("x".repeat(2 * 1024 * 1024));
        Self::json(&value)
    }
}

pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

impl Liar {
    pub fn new(issuer: &str) -> Self {
        let who = Who { subject: "subject-1".to_owned(), claims: json!({}) };
        let state = State {
            lie: None,
            who,
            signer: Signer::Rsa,
            twisted: json!({}),
            codes: HashMap::new(),
            counts: HashMap::new(),
            made: 0,
        };
        Self { issuer: issuer.to_owned(), keys: Keys::new(), state: Mutex::new(state) }
    }

    pub fn tell(&self, lie: Option<Lie>) {
        self.state.lock().unwrap().lie = lie;
    }

    pub fn sign_in(&self, subject: &str, claims: Value) {
        self.state.lock().unwrap().who = Who { subject: subject.to_owned(), claims };
    }

    pub fn sign_with(&self, signer: Signer) {
        self.state.lock().unwrap().signer = signer;
    }

    pub fn twist(&self, claims: Value) {
        self.state.lock().unwrap().twisted = claims;
    }

    /// How often a path was asked.
    pub fn count(&self, path: &str) -> u32 {
        self.state.lock().unwrap().counts.get(path).copied().unwrap_or_default()
    }

    /// A logout token as it should be, changed by `twist`.
    pub fn logout_token(&self, subject: &str, session: Option<&str>, id: &str, twist: &Value) -> String {
        let mut claims = json!({ "iss": self.issuer, "aud": CLIENT, "iat": now(), "exp": now() + 120, "jti": id, "sub": subject,
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} } });
        if let Some(session) = session {
            claims["sid"] = json!(session);
        }
        let mut header = Keys::header(Signer::Rsa);
        header["typ"] = json!("logout+jwt");
        self.keys.sign(Signer::Rsa, &header, &twisted(claims, twist))
    }

    /// Plays person and browser at the authorization endpoint: the query with which they are sent back. What is asked for is
    /// looked at: a client that forgets something gets no further.
    pub fn authorize(&self, address: &Url) -> String {
        assert!(address.as_str().starts_with(&format!("{}/authorize?", self.issuer)), "{address}");
        let asked: HashMap<String, String> = address.query_pairs().into_owned().collect();
        let get = |name: &str| asked.get(name).cloned().unwrap_or_else(|| panic!("no {name} in {address}"));
        assert_eq!((get("response_type"), get("client_id")), ("code".to_owned(), CLIENT.to_owned()));
        assert_eq!(get("code_challenge_method"), "S256");
        assert!(get("scope").split(' ').any(|scope| scope == "openid"));
        assert!(get("nonce").len() >= 20 && get("state").len() >= 20 && get("code_challenge").len() == 43);
        let mut state = self.state.lock().unwrap();
        state.made += 1;
        let code = format!("code-{}", state.made);
        let known = Asked { nonce: get("nonce"), challenge: get("code_challenge"), redirect: get("redirect_uri") };
        state.codes.insert(code.clone(), known);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", &get("state"));
        match state.lie {
            Some(Lie::ErrorInTheBrowser) => {
                query
                    .append_pair("error", "server_error")
                    .append_pair("error_description", "<script>alert(1)</script>");
            }
            _ => drop(query.append_pair("code", &code)),
        }
        match state.lie {
            Some(Lie::NoIssuerInTheBrowser) => {}
            Some(Lie::OtherIssuerInTheBrowser) => drop(query.append_pair("iss", "https://evil.example")),
            _ => drop(query.append_pair("iss", &self.issuer)),
        }
        query.finish()
    }

    /// Answers what the portal asks by itself.
    pub fn answer(&self, path: &str, authorization: Option<&str>, body: &str) -> Told {
        let mut state = self.state.lock().unwrap();
        *state.counts.entry(path.to_owned()).or_default() += 1;
        match path {
            "/.well-known/openid-configuration" => self.description(state.lie),
            "/keys" => self.key_set(state.lie),
            "/token" => self.tokens(&mut state, authorization, body),
            "/userinfo" => Self::userinfo(&state, authorization),
            _ => Told::fails_with(404),
        }
    }

    fn description(&self, lie: Option<Lie>) -> Told {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut document = json!({ "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"), "userinfo_endpoint": at("/userinfo"), "end_session_endpoint": at("/end"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": true });
        match lie {
            Some(Lie::DescriptionOfAnotherIssuer) => document["issuer"] = json!("https://evil.example"),
            Some(Lie::DescriptionRedirects) => return Told::redirects("/elsewhere"),
            Some(Lie::DescriptionIsNoJson) => return Told::no_json(),
            Some(Lie::DescriptionIsHuge) => return Told::huge(document),
            Some(Lie::DescriptionFails) => return Told::fails(),
            Some(Lie::DescriptionNamesAFile) => document["token_endpoint"] = json!("file:///etc/passwd"),
            Some(Lie::DescriptionWithHmacOnly) => {
                document["id_token_signing_alg_values_supported"] = json!(["HS256", "none"]);
            }
            _ => {}
        }
        Told::json(&document)
    }

    fn key_set(&self, lie: Option<Lie>) -> Told {
        match lie {
            Some(Lie::KeysAreEmpty) => Told::json(&json!({ "keys": [] })),
            Some(Lie::KeysFail) => Told::fails(),
            Some(Lie::KeysAreHuge) => Told::huge(self.keys.set()),
            Some(Lie::KeysAreSymmetric) => {
                let mut set = self.keys.set();
                let shared =
                    json!({ "kty": "oct", "kid": "shared", "k": encode("shared"), "alg": "HS256", "use": "sig" });
                set["keys"].as_array_mut().unwrap().push(shared);
                Told::json(&set)
            }
            _ => Told::json(&self.keys.set()),
        }
    }

    fn tokens(&self, state: &mut State, authorization: Option<&str>, body: &str) -> Told {
        let sent: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let get = |name: &str| sent.get(name).map(String::as_str).unwrap_or_default();
        let asked = state.codes.remove(get("code"));
        let good = asked.as_ref().is_some_and(|asked| {
            challenge(get("code_verifier")) == asked.challenge
                && get("redirect_uri") == asked.redirect
                && get("grant_type") == "authorization_code"
                && authorization.is_some_and(knows_the_secret)
        });
        let (Some(asked), true) = (asked, good) else {
            return Told { status: 400, ..Told::json(&json!({ "error": "invalid_grant" })) };
        };
        let tokens = |id_token: String| json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 60, "id_token": id_token });
        match state.lie {
            Some(Lie::TokensFail) => Told::fails(),
            Some(Lie::TokensRedirect) => Told::redirects("/token"),
            Some(Lie::TokensAreNoJson) => Told::no_json(),
            Some(Lie::TokensAreHuge) => Told::huge(tokens(self.id_token(state, &asked))),
            Some(Lie::TokensAreSlow) => Told { slow: true, ..Told::json(&tokens(self.id_token(state, &asked))) },
            Some(Lie::TokensWithoutIdToken) => {
                Told::json(&json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer" }))
            }
            _ => Told::json(&tokens(self.id_token(state, &asked))),
        }
    }

    fn id_token(&self, state: &State, asked: &Asked) -> String {
        let mut claims = json!({ "iss": self.issuer, "aud": CLIENT, "sub": state.who.subject, "iat": now(), "exp": now() + 300,
            "nonce": asked.nonce });
        if state.signer != Signer::Ed {
            claims["at_hash"] = json!(half_hash(ACCESS_TOKEN));
        }
        let claims = twisted(twisted(claims, &state.who.claims), &state.twisted);
        let claims = match state.lie {
            Some(lie) => twisted(claims, &self.false_claims(lie)),
            None => claims,
        };
        let (signer, header) = (state.signer, Keys::header(state.signer));
        let with = |changes: Value| twisted(header.clone(), &changes);
        let good = || self.keys.sign(signer, &header, &claims);
        match state.lie {
            Some(Lie::AlgNone) => format!("{}.", without_signature(&with(json!({ "alg": "none" })), &claims)),
            Some(Lie::AlgNoneWithSignature) => self.keys.sign(signer, &with(json!({ "alg": "none" })), &claims),
            Some(Lie::HmacOfThePublicKey) => hmac(&self.keys.public_bytes(), &with(json!({ "alg": "HS256" })), &claims),
            Some(Lie::HmacOfTheSecret) => hmac(SECRET.as_bytes(), &with(json!({ "alg": "HS256" })), &claims),
            Some(Lie::KeysAreSymmetric) => hmac(b"shared", &with(json!({ "alg": "HS256", "kid": "shared" })), &claims),
            Some(Lie::KeysWithoutThatOne) => {
                self.keys.sign_as_a_stranger(&json!({ "alg": "ES256", "kid": "nobody-1" }), &claims)
            }
            Some(Lie::KeyOfAStranger) => {
                self.keys.sign_as_a_stranger(&json!({ "alg": "ES256", "kid": "ec-1" }), &claims)
            }
            Some(Lie::KeyInTheHeader) => {
                let header = json!({ "alg": "ES256", "kid": "ec-1", "jwk": self.keys.stranger(), "jku": "https://evil.example/" });
                self.keys.sign_as_a_stranger(&header, &claims)
            }
            Some(Lie::AlgOfAnotherKind) => {
                self.keys.sign(Signer::Ec, &with(json!({ "alg": "RS256", "kid": "rsa-1" })), &claims)
            }
            Some(Lie::SignatureIsBroken) => {
                let good = good();
                let (signed, _) = good.rsplit_once('.').unwrap();
                format!("{signed}.{}", encode([1_u8; 256]))
            }
            Some(Lie::ClaimsChangedAfterwards) => {
                let good = good();
                let signature = good.rsplit_once('.').unwrap().1;
                let other = twisted(claims.clone(), &json!({ "sub": "somebody-else" }));
                format!("{}.{signature}", without_signature(&header, &other))
            }
            Some(Lie::CriticalHeader) => {
                self.keys.sign(signer, &with(json!({ "crit": ["b64"], "b64": true })), &claims)
            }
            Some(Lie::TypeOfAnAccessToken) => self.keys.sign(signer, &with(json!({ "typ": "at+jwt" })), &claims),
            _ => good(),
        }
    }

    fn false_claims(&self, lie: Lie) -> Value {
        match lie {
            Lie::IssuerOther => json!({ "iss": "https://evil.example" }),
            Lie::IssuerMissing => json!({ "iss": null }),
            Lie::IssuerWithSlash => json!({ "iss": format!("{}/", self.issuer) }),
            Lie::AudienceOther => json!({ "aud": "another-client" }),
            Lie::AudienceMissing => json!({ "aud": null }),
            Lie::AudienceListWithoutUs => json!({ "aud": ["a", "b"], "azp": CLIENT }),
            Lie::AudienceListWithoutParty => json!({ "aud": [CLIENT, "another-client"] }),
            Lie::PartyOther => json!({ "aud": [CLIENT, "another-client"], "azp": "another-client" }),
            Lie::Expired => json!({ "exp": now() - 300 }),
            Lie::ExpiryMissing => json!({ "exp": null }),
            Lie::NotYetValid => json!({ "nbf": now() + 600 }),
            Lie::IssuedInTheFuture => json!({ "iat": now() + 600, "exp": now() + 1200 }),
            Lie::IssuedLongAgo => json!({ "iat": now() - 86_400 }),
            Lie::NonceMissing => json!({ "nonce": null }),
            Lie::NonceOther => json!({ "nonce": "the-nonce-of-another-sign-in" }),
            Lie::SubjectMissing => json!({ "sub": null }),
            Lie::SubjectEmpty => json!({ "sub": "" }),
            Lie::SubjectIsANumber => json!({ "sub": 1 }),
            Lie::SubjectIsHuge => json!({ "sub": "x".repeat(300) }),
            Lie::AccessTokenOther => json!({ "at_hash": half_hash("another access token") }),
            _ => json!({}),
        }
    }

    fn userinfo(state: &State, authorization: Option<&str>) -> Told {
        if authorization != Some(&format!("Bearer {ACCESS_TOKEN}")) {
            return Told::fails_with(401);
        }
        let good = json!({ "sub": state.who.subject });
        match state.lie {
            Some(Lie::UserinfoOfAnother) => Told::json(&json!({ "sub": "the-administrator" })),
            Some(Lie::UserinfoOfNobody) => Told::json(&json!({ "name": "Ada" })),
            Some(Lie::UserinfoFails) => Told::fails(),
            Some(Lie::UserinfoRedirects) => Told::redirects("/userinfo"),
            Some(Lie::UserinfoIsNoJson) => Told::no_json(),
            Some(Lie::UserinfoIsHuge) => Told::huge(good),
            _ => Told::json(&good),
        }
    }
}

fn without_signature(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encode(header.to_string()), encode(claims.to_string()))
}

/// `changes` laid over a document; `null` takes a field out.
fn twisted(mut document: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            document.as_object_mut().unwrap().remove(name);
        } else {
            document[name] = value.clone();
        }
    }
    document
}

/// `Basic`, with id and secret form-encoded first (RFC 6749, 2.3.1).
fn knows_the_secret(header: &str) -> bool {
    use base64::Engine;
    let form = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", form(CLIENT), form(SECRET)));
    header == format!("Basic {pair}")
}
