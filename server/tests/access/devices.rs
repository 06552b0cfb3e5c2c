//! A browser in which somebody has signed in before is counted for itself: whoever fails elsewhere keeps nobody out of it.

use crate::support::{Answer, ORIGIN, PASSWORD, Portal, cookie, device};
use axum::http::StatusCode;
use passerelle_contract::access::Role;
use serde_json::json;

const HOME: [u8; 4] = [192, 0, 2, 1];
const WRONG: &str = "wrong password!";

/// Fifty failures against `root`, each from another address.
async fn attack(portal: &Portal) {
    let tries = (1..=50).map(|n| portal.sign_in_from([198, 51, 100, n], "", "root", WRONG));
    let answers = futures::future::join_all(tries).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::UNAUTHORIZED));
    assert!(answers.iter().all(|answer| answer.device.is_none()), "only who signs in is known again");
}

async fn by_root(portal: &Portal, cookies: &str) -> Answer {
    portal.sign_in_from(HOME, cookies, "root", PASSWORD).await
}

#[tokio::test]
async fn fifty_failures_elsewhere_do_not_keep_the_owner_out() {
    let portal = Portal::set_up().await;
    let admin = portal.token("script", Role::Admin).await;
    let ann = json!({ "name": "ann", "display_name": "Ann", "password": PASSWORD });
    assert_eq!(portal.with_token("POST", "/api/v1/users", &admin, Some(ann)).await.status, StatusCode::CREATED);
    let first = by_root(&portal, "").await;
    let attributes = first.device.clone().unwrap();
    assert!(attributes.ends_with("; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax"), "{attributes}");
    let own = device(&first);
    let anns = device(&portal.sign_in_from(HOME, "", "ann", PASSWORD).await);

    attack(&portal).await;
    let edited = |at: usize| {
        let mut text: Vec<char> = own.chars().collect();
        text[at] = if text[at] == 'A' { 'B' } else { 'A' };
        text.into_iter().collect::<String>()
    };
    let begin = "passerelle_device=".len();
    let empty = "passerelle_device=".to_owned();
    let long = format!("{own}{}", "A".repeat(4_000));
    for none in ["", &anns, &empty, &long, &edited(begin), &edited(begin + 20), &edited(begin + 60)] {
        assert_eq!(by_root(&portal, none).await.status, StatusCode::TOO_MANY_REQUESTS, "{none}");
    }

    let nothing = portal.send("GET", "/api/v1/me", &[("cookie", &own)], None).await;
    assert_eq!(nothing.status, StatusCode::UNAUTHORIZED, "it is no credential");
    let wrong = portal.sign_in_from(HOME, &own, "root", WRONG).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "and stands for no password");
    for source in [HOME, [203, 0, 113, 7]] {
        let owner = portal.sign_in_from(source, &format!("a=b; {own}"), "root", PASSWORD).await;
        assert_eq!(owner.status, StatusCode::NO_CONTENT, "from {source:?}");
        assert_ne!(device(&owner), own, "another one each time");
    }
    // Signing out keeps it: else nobody would be known in the morning.
    let jar = cookie(&by_root(&portal, &own).await);
    let headers = [("cookie", jar.as_str()), ("origin", ORIGIN)];
    let out = portal.send("DELETE", "/api/v1/sessions/current", &headers, None).await;
    assert_eq!((out.status, out.device), (StatusCode::NO_CONTENT, None));
    assert_eq!(by_root(&portal, &own).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_fails_in_a_known_browser_is_counted_for_that_browser_alone() {
    let portal = Portal::set_up().await;
    let (one, other) = (device(&by_root(&portal, "").await), device(&by_root(&portal, "").await));
    for n in 1..=10 {
        let wrong = portal.sign_in_from([203, 0, 113, n], &one, "root", WRONG).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    for source in [HOME, [203, 0, 113, 99]] {
        let locked = portal.sign_in_from(source, &one, "root", PASSWORD).await;
        assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS, "wherever the browser goes");
    }
    assert_eq!(by_root(&portal, &other).await.status, StatusCode::NO_CONTENT, "another browser");
    assert_eq!(by_root(&portal, "").await.status, StatusCode::NO_CONTENT, "one that nobody knows");
}
