//! Good answers in the wrong place: used states, foreign browsers, foreign issuers; and where a good sign-in leads.

use super::providers::{Browser, PENDING, Providers, SESSION, refusals, sessions};
use passerelle_contract::access::Role;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_is_signed_in_and_led_back() {
    let providers = Providers::start(1).await;
    let test = providers.portal().await;
    providers.liars[0].sign_in("subject-1", json!({ "name": "Ada Lovelace", "preferred_username": "Ada" }));
    let mut browser = Browser::new(&test);
    let page = browser.get("/sign-in?next=/services").await;
    assert!(page.html.contains("/auth/p0/sign-in?next=%2Fservices") && page.html.contains("Sign in with Provider 0"));
    let came = browser.sign_in(&providers, 0, "/services?q=a%20b").await;
    // Without a role there is one page that says so.
    assert_eq!(came.led_to(), "/auth/no-role?why=absent");
    let told = browser.get("/auth/no-role?why=absent").await;
    assert!(told.html.contains("did not tell your groups") && told.html.contains("user ada"), "{}", told.html);
    assert!(!browser.cookies.contains_key(PENDING), "the pending sign-in is over");
    let me = browser.me().await.unwrap();
    assert_eq!((&me["user"], &me["display_name"], &me["roles"]), (&json!("ada"), &json!("Ada Lovelace"), &json!([])));
    let rows = test.get("/audit?action=access.sign_in&outcome=success").await.body;
    let row = &rows["items"][0];
    assert_eq!((&row["actor"], &row["object"]), (&json!("ada"), &json!("user:ada")), "{row}");
    let issuer = &providers.liars[0].issuer;
    assert_eq!(
        row["after"],
        json!({ "issuer": issuer, "subject": "subject-1", "first": true, "groups": "absent", "roles": [] })
    );
    // With a role, the second sign-in is the same user and leads to where it was begun.
    let role = json!({ "user": "ada", "role": "viewer", "scope": { "kind": "everything" } });
    assert_eq!(test.post("/role-bindings", &role).await.status, StatusCode::CREATED);
    let before = browser.cookies[SESSION].clone();
    let mut fixed = Browser::new(&test);
    fixed.cookies.insert(SESSION.to_owned(), before.clone());
    // A browser that holds a session already gets another id for the new one, and the old one is gone.
    let door = {
        let mut other = Browser::new(&test);
        let door = other.open_door(&providers, 0, "/services?q=a%20b").await;
        fixed.cookies.extend(other.cookies);
        door
    };
    assert_eq!(fixed.get(&door).await.led_to(), "/services?q=a%20b");
    assert_ne!(fixed.cookies[SESSION], before);
    assert_eq!(fixed.me().await.unwrap()["user"], "ada");
    assert!(browser.me().await.is_none(), "the old id opens nothing");
    assert_eq!(test.get("/users").await.body["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_sign_in_is_one_browsers_one_issuers_and_used_once() {
    let providers = Providers::start(2).await;
    let test = providers.portal().await;
    let users = test.rows().await["users"];
    let mut tried = 0;
    let mut refused = async |mut browser: Browser<'_>, door: &str, cause: &str| {
        let shown = browser.get(door).await;
        assert_eq!(shown.status, StatusCode::BAD_REQUEST, "{cause}: {}", shown.html);
        assert!(shown.html.contains("alert bad") && browser.me().await.is_none(), "{cause}");
        tried += 1;
        let rows = refusals(&test).await;
        assert!(rows.len() == tried && rows[0].starts_with(cause), "{cause}: {rows:?}");
    };
    let begun = async |n| {
        let mut browser = Browser::new(&test);
        let door = browser.open_door(&providers, n, "/").await;
        (browser, door)
    };
    let (one, door_one) = begun(0).await;
    // Another browser: with nothing pending, and with a sign-in of its own.
    refused(Browser::new(&test), &door_one, "no sign-in is pending").await;
    let (two, _) = begun(0).await;
    refused(two, &door_one, "the state is not the one of this browser").await;
    // The code of another session under one's own state.
    let (three, door_three) = begun(0).await;
    let (_, door_four) = begun(0).await;
    let code = |door: &str| door.split(['?', '&']).find(|part| part.starts_with("code=")).unwrap().to_owned();
    let stolen = door_three.replace(&code(&door_three), &code(&door_four));
    refused(three, &stolen, "the provider does not take the code").await;
    // Begun at another issuer.
    let (other, door_other) = begun(1).await;
    refused(other, &door_other.replace("/auth/p1/", "/auth/p0/"), "the sign-in was begun at another provider").await;
    // Made up, cut, and doubled.
    let (mut forged, door) = begun(0).await;
    let cut = forged.cookies[PENDING][..40].to_owned();
    forged.cookies.insert(PENDING.to_owned(), cut);
    refused(forged, &door, "no sign-in is pending").await;
    let (doubled, door) = begun(0).await;
    refused(doubled, &format!("{door}&code=other"), "what came back names something twice").await;
    let (stateless, door) = begun(0).await;
    refused(stateless, door.split('?').next().unwrap(), "the state is not the one of this browser").await;
    assert_eq!((sessions(&test).await, test.rows().await["users"]), (0, users));
    // The good one works once; the browser that kept its cookie gets nowhere with it again.
    let kept = one.clone();
    let mut good = one;
    good.get(&door_one).await.led_to();
    assert!(good.me().await.is_some());
    refused(kept, &door_one, "the state was used before").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_no_at_the_provider_reads_so_here() {
    let providers = Providers::start(1).await;
    let test = providers.portal().await;
    let mut browser = Browser::new(&test);
    browser.language = "fr";
    let door = browser.open_door(&providers, 0, "/").await;
    let (_, query) = door.split_once('?').unwrap();
    let kept: Vec<&str> = query.split('&').filter(|part| !part.starts_with("code=")).collect();
    let no = format!("/auth/p0/callback?{}&error=access_denied&error_description=%3Cb%3Eevil", kept.join("&"));
    let shown = browser.get(&no).await;
    assert_eq!(shown.status, StatusCode::FORBIDDEN);
    assert!(shown.html.contains("annulée ou refusée") && !shown.html.contains("evil"), "{}", shown.html);
    assert!(shown.html.contains("Se connecter avec Provider 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_never_leaves_the_portal() {
    let providers = Providers::start(1).await;
    let test = providers
        .portal_with("everybody", "groups_claim = \"groups\"\nroles = [{ group = \"g\", role = \"viewer\" }]")
        .await;
    providers.liars[0].sign_in("subject-1", json!({ "groups": ["g"] }));
    for bad in [
        "//evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "/%5c%5cevil.example",
        "https://evil.example",
        "/auth/p0/sign-out",
    ] {
        let mut browser = Browser::new(&test);
        assert_eq!(browser.sign_in(&providers, 0, bad).await.led_to(), "/", "{bad}");
    }
    // The same for whoever uses a password.
    let person = test.another("grace", Role::Viewer).await;
    for bad in ["//evil.example", "/\\evil.example", "/%09/evil.example"] {
        let fields = [("user", "grace"), ("password", crate::support::PASSWORD), ("next", bad)];
        assert_eq!(person.anonymous().post("/sign-in", &fields).await.led_to(), "/", "{bad}");
    }
}
