//! Logout tokens.

use crate::liar::{CLIENT, now};
use crate::{provider, wire};
use serde_json::json;

#[tokio::test]
async fn a_logout_token_names_whose_sessions_end() {
    let (wire, provider) = (wire(), provider(None));
    let token = wire.0.logout_token("subject-1", Some("session-9"), "id-1", &json!({}));
    let out = provider.logged_out(&wire, &token, now()).await.unwrap();
    assert_eq!((out.subject.as_deref(), out.session.as_deref()), (Some("subject-1"), Some("session-9")));
    assert!(out.id == "id-1" && out.until > now());
    let only_session =
        wire.0.logout_token("x", Some("session-9"), "id-2", &json!({ "sub": null, "aud": [CLIENT, "b"] }));
    assert_eq!(provider.logged_out(&wire, &only_session, now()).await.unwrap().subject, None);
}

#[tokio::test]
async fn no_other_token_ends_a_session() {
    let (wire, provider) = (wire(), provider(None));
    for twist in [
        json!({ "iss": "https://evil.example" }),
        json!({ "iss": null }),
        json!({ "aud": "another-client" }),
        json!({ "aud": null }),
        json!({ "azp": "another-client" }),
        json!({ "events": null }),
        json!({ "events": {} }),
        json!({ "events": { "http://schemas.openid.net/event/backchannel-logout": true } }),
        json!({ "events": ["http://schemas.openid.net/event/backchannel-logout"] }),
        json!({ "nonce": "x" }),
        json!({ "jti": null }),
        json!({ "jti": 7 }),
        json!({ "sub": null }),
        json!({ "iat": now() - 3600 }),
        json!({ "iat": now() + 3600 }),
        json!({ "iat": null }),
        json!({ "exp": now() - 3600 }),
        json!({ "exp": "soon" }),
    ] {
        let token = wire.0.logout_token("subject-1", None, "id-1", &twist);
        assert!(provider.logged_out(&wire, &token, now()).await.is_err(), "{twist}");
    }
    let good = wire.0.logout_token("subject-1", None, "id-1", &json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let none = format!("{}.{}.", crate::liar::encode(r#"{"alg":"none"}"#), signed.split_once('.').unwrap().1);
    let hmac = crate::liar::hmac(b"x", &json!({ "alg": "HS256", "kid": "rsa-1" }), &json!({ "iss": crate::ISSUER }));
    let foreign = format!("{signed}x.{signature}");
    for bad in ["", "a.b.c", "a.b", "....", none.as_str(), hmac.as_str(), foreign.as_str(), &"x".repeat(20_000)] {
        assert!(provider.logged_out(&wire, bad, now()).await.is_err(), "{}", bad.chars().take(40).collect::<String>());
    }
}
