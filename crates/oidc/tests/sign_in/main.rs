//! What is believed of a provider that lies, and of one that does not.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../liar/mod.rs"]
mod liar;
mod logout;

use http::{Request, Response};
use liar::{CLIENT, Liar, Lie, SECRET, Signer, now};
use passerelle_oidc::{
    Answer, Fetch, FetchFailed, Groups, Kind, Pending, Person, Provider, Refused, Returned, Settings,
};
use serde_json::{Value, json};
use std::sync::Arc;

const ISSUER: &str = "https://id.example/realm";

/// The network, which reaches the liar only.
struct Wire(Arc<Liar>);

impl Fetch for Wire {
    fn fetch(&self, request: Request<Vec<u8>>) -> Answer<'_> {
        Box::pin(async move {
            let url = request.uri().to_string();
            let path = url.strip_prefix(ISSUER).unwrap_or_else(|| panic!("{url} is not asked"));
            let authorization = request.headers().get("authorization").map(|value| value.to_str().unwrap());
            let told = self.0.answer(path, authorization, std::str::from_utf8(request.body()).unwrap());
            if told.slow {
                return Err(FetchFailed("no answer in time"));
            }
            // Half of what a real door does: the crate looks at the size as well.
            let mut response = Response::builder().status(told.status).header("content-type", told.mime);
            if let Some(location) = told.location {
                response = response.header("location", location);
            }
            Ok(response.body(told.body).unwrap())
        })
    }
}

fn provider(groups: Option<&str>) -> Provider {
    Provider::new(Settings {
        id: "company".to_owned(),
        issuer: ISSUER.to_owned(),
        client_id: CLIENT.to_owned(),
        scopes: vec!["profile".to_owned()],
        groups_claim: groups.map(str::to_owned),
        redirect_uri: "https://portal.example/auth/company/callback".to_owned(),
    })
    .unwrap()
}

async fn begun(provider: &Provider, wire: &Wire) -> Result<(Pending, Returned), Refused> {
    let (url, pending) = provider.begin(wire).await?;
    Ok((pending, Returned::parse(&wire.0.authorize(&url)).unwrap()))
}

async fn signed_in(provider: &Provider, wire: &Wire) -> Result<Person, Refused> {
    let (pending, back) = begun(provider, wire).await?;
    provider.finish(wire, Some(SECRET), &pending, &back, now()).await
}

fn wire() -> Wire {
    Wire(Arc::new(Liar::new(ISSUER)))
}

#[tokio::test]
async fn a_good_answer_is_somebody() {
    for signer in [Signer::Rsa, Signer::Ec, Signer::Ed] {
        let wire = wire();
        wire.0.sign_with(signer);
        wire.0.sign_in("subject-1", json!({ "name": "Ada", "preferred_username": "ada", "sid": "session-9" }));
        let person = signed_in(&provider(None), &wire).await.unwrap();
        assert_eq!((person.issuer.as_str(), person.subject.as_str()), (ISSUER, "subject-1"));
        assert_eq!((person.name.as_deref(), person.user_name.as_deref()), (Some("Ada"), Some("ada")));
        assert_eq!((person.session.as_deref(), person.groups), (Some("session-9"), Groups::NotAsked));
        let (description, keys) = (wire.0.count("/.well-known/openid-configuration"), wire.0.count("/keys"));
        assert_eq!((description, keys), (1, 1));
    }
}

#[tokio::test]
async fn no_lie_is_believed() {
    for (lie, cause) in Lie::ALL {
        let (wire, provider) = (wire(), provider(Some("groups")));
        wire.0.tell(Some(lie));
        let begun = begun(&provider, &wire).await;
        assert_eq!(begun.is_err(), lie.at_the_start(), "{lie:?}: {begun:?}");
        let refused = match begun {
            Ok((pending, back)) => provider.finish(&wire, Some(SECRET), &pending, &back, now()).await.unwrap_err(),
            Err(refused) => refused,
        };
        assert!(matches!(refused.kind, Kind::Answer | Kind::Provider), "{lie:?}: {refused:?}");
        assert_eq!(refused.cause, cause, "{lie:?}");
    }
}

#[tokio::test]
async fn what_comes_back_must_be_what_was_begun() {
    let (wire, provider) = (wire(), provider(None));
    let (one, back_one) = begun(&provider, &wire).await.unwrap();
    let (two, back_two) = begun(&provider, &wire).await.unwrap();
    let finish = async |pending: &Pending, back: &Returned| {
        provider.finish(&wire, Some(SECRET), pending, back, now()).await.unwrap_err().kind
    };
    // The state of another browser.
    assert_eq!(finish(&one, &back_two).await, Kind::Stale);
    assert_eq!(finish(&one, &Returned { state: None, ..back_one.clone() }).await, Kind::Stale);
    // The code of another browser under one's own state: neither nonce nor verifier are its own.
    let stolen = Returned { code: back_two.code.clone(), ..back_one.clone() };
    assert_eq!(finish(&one, &stolen).await, Kind::Answer);
    // Of another issuer.
    let mut foreign = two.clone();
    foreign.issuer = "https://other.example".to_owned();
    assert_eq!(finish(&foreign, &back_two).await, Kind::Stale);
    let mut foreign = two;
    foreign.provider = "other".to_owned();
    assert_eq!(finish(&foreign, &back_two).await, Kind::Stale);
    assert!(Returned::parse("code=a&state=b&code=c").is_none());
    // Neither code nor error, and a person who says no.
    assert_eq!(finish(&one, &Returned { code: None, ..back_one.clone() }).await, Kind::Answer);
    let no = Returned { error: Some("access_denied".to_owned()), code: None, ..back_one.clone() };
    assert_eq!(finish(&one, &no).await, Kind::Denied);
    // A wrong secret of our own, then a code that is used twice.
    assert!(provider.finish(&wire, Some("wrong"), &one, &back_one, now()).await.is_err());
    assert!(provider.finish(&wire, Some(SECRET), &one, &back_one, now()).await.is_err());
}

#[tokio::test]
async fn further_audiences_pass_when_we_are_the_party_that_asked() {
    let (wire, provider) = (wire(), provider(None));
    wire.0.twist(json!({ "aud": [CLIENT, "account"], "azp": CLIENT }));
    assert!(signed_in(&provider, &wire).await.is_ok());
}

#[tokio::test]
async fn groups_are_read_whole_or_not_at_all() {
    let many: Vec<String> = (0..5000).map(|n| format!("g{n}")).collect();
    for (claims, groups) in [
        (json!({ "groups": ["a", "b"] }), Groups::Read(vec!["a".to_owned(), "b".to_owned()])),
        (json!({}), Groups::Absent),
        (json!({ "groups": "admins" }), Groups::Odd),
        (json!({ "groups": 7 }), Groups::Odd),
        (json!({ "groups": [["admins"]] }), Groups::Odd),
        (json!({ "groups": { "0": "admins" } }), Groups::Odd),
        (json!({ "groups": many }), Groups::Odd),
    ] {
        let wire = wire();
        wire.0.twist(claims.clone());
        let person = signed_in(&provider(Some("groups")), &wire).await.unwrap();
        assert_eq!(person.groups, groups, "{}", claims.to_string().chars().take(60).collect::<String>());
    }
}

#[tokio::test]
async fn an_unknown_key_id_fetches_the_keys_once_not_each_time() {
    let (wire, provider) = (wire(), provider(None));
    assert!(signed_in(&provider, &wire).await.is_ok());
    wire.0.tell(Some(Lie::KeysWithoutThatOne));
    for _ in 0..5 {
        assert_eq!(signed_in(&provider, &wire).await.unwrap_err().cause, "no key of the provider has this id");
    }
    assert_eq!(wire.0.count("/keys"), 2);
    // Who comes with a good token is not held up.
    wire.0.tell(None);
    assert!(signed_in(&provider, &wire).await.is_ok());
    assert_eq!(wire.0.count("/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn a_provider_that_is_down_is_not_asked_by_everybody() {
    let (wire, provider) = (wire(), provider(None));
    wire.0.tell(Some(Lie::DescriptionFails));
    for _ in 0..5 {
        assert_eq!(provider.begin(&wire).await.unwrap_err().kind, Kind::Provider);
    }
    assert_eq!(wire.0.count("/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn signing_out_at_the_provider_comes_back_to_us() {
    let url = provider(None).sign_out_url(&wire(), "https://portal.example/sign-in").await.unwrap().unwrap();
    let query: Value = url.query_pairs().map(|(k, v)| (k.into_owned(), json!(v))).collect();
    assert_eq!(query, json!({ "client_id": CLIENT, "post_logout_redirect_uri": "https://portal.example/sign-in" }));
}
