//! The form of a golden path in a browser without scripts.

use crate::onboarding::{body, with_teams};
use crate::support::TestPortal;
use passerelle_contract::access::Role;
use reqwest::StatusCode;
use serde_json::json;

const FORM: &str = "/onboard/small-service";

/// What the first page is filled in with.
fn first(name: &'static str) -> [(&'static str, &'static str); 7] {
    [
        ("step", "1"),
        ("act", "next"),
        ("shown", "name,description,owner,system"),
        ("p.name", name),
        ("p.description", "Takes \"orders\" <b>"),
        ("p.owner", "group:shop/sellers"),
        ("p.system", "shop/shop"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_fills_in_the_pages_looks_and_creates() {
    let test = with_teams(TestPortal::with_shop().await).await;
    let person = test.person().await;
    let list = person.get("/onboard").await;
    assert!(list.html.contains("Small service") && list.html.contains(FORM), "{}", list.html);
    let page = person.get(FORM).await;
    assert!(page.html.contains("Step 1 of 4") && page.html.contains("value=\"group:shop/sellers\""), "{}", page.html);

    let refused = person.post(FORM, &first("No Good")).await;
    refused.refused();
    assert!(refused.error_at("p.name").contains("must be written like"), "{}", refused.html);
    assert!(refused.html.contains("No Good") && refused.html.contains("Takes &quot;orders&quot;"), "{}", refused.html);
    let taken = person.post(FORM, &first("orders")).await;
    assert_eq!(taken.led_to(), format!("{FORM}?step=2"));
    assert!(person.get(FORM).await.html.contains("value=\"orders\""), "the draft is kept");

    // An answer that asks for more brings the same page again.
    let code =
        [("step", "2"), ("act", "next"), ("shown", "language,port"), ("p.language", "container"), ("p.port", "9000")];
    assert_eq!(person.post(FORM, &code).await.led_to(), format!("{FORM}?step=2"));
    let grown = person.get(&format!("{FORM}?step=2")).await;
    assert!(grown.html.contains("name=\"p.image\"") && grown.html.contains("value=\"9000\""), "{}", grown.html);
    let code = [
        ("step", "2"),
        ("act", "next"),
        ("shown", "language,image,port"),
        ("p.language", "python"),
        ("p.image", ""),
        ("p.port", "9000"),
    ];
    assert_eq!(person.post(FORM, &code).await.led_to(), format!("{FORM}?step=3"));
    let measured = [("step", "3"), ("act", "next"), ("shown", "measured")];
    assert_eq!(person.post(FORM, &measured).await.led_to(), format!("{FORM}?step=4"));

    let before = test.rows().await;
    let look = person.get(&format!("{FORM}?step=4")).await;
    assert_eq!(look.status, StatusCode::OK, "{}", look.html);
    for words in ["Create shop/orders", "catalog-info.yaml", "exec serve --port 9000", "executable"] {
        assert!(look.html.contains(words), "{words}: {}", look.html);
    }
    assert!(!look.html.contains("<b>\n"), "what somebody typed is no element");
    assert_eq!(test.rows().await, before, "looking changes nothing");

    let made = person.post(FORM, &[("step", "4"), ("act", "create")]).await.led_to();
    assert!(made.starts_with("/onboarding/"), "{made}");
    let result = person.get(&made).await;
    for words in ["shop/orders", "/archive", "/services/shop/orders", "small-service, version 1.0.0", "run.sh"] {
        assert!(result.html.contains(words), "{words}: {}", result.html);
    }
    assert!(!person.get(FORM).await.html.contains("value=\"orders\""), "the draft is used up");
    assert!(person.get("/onboard").await.html.contains("shop/orders"));
    assert!(person.get("/services/shop/orders").await.html.contains(&format!("href=\"{made}\"")), "the service tells");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_comes_too_early_leads_to_what_is_still_open() {
    const TOLD_OFF: &str = "Some fields need another look";
    let test = with_teams(TestPortal::with_shop().await).await;
    let mut person = test.person().await;
    let early = person.get(&format!("{FORM}?step=4")).await;
    assert_eq!(early.status, StatusCode::OK, "{}", early.html);
    for words in ["Step 1 of 4", "Some questions are still open", "Still to be answered."] {
        assert!(early.html.contains(words), "{words}: {}", early.html);
    }
    assert!(!early.html.contains(TOLD_OFF) && !early.html.contains("aria-invalid"), "{}", early.html);
    assert!(!person.get(FORM).await.html.contains("Still to be answered."), "a page that was only opened");
    // Whoever sends the page without answers is told what is wrong.
    let sent = [("step", "1"), ("act", "next"), ("shown", "name,description,owner,system")];
    let refused = person.post(FORM, &sent).await;
    refused.refused();
    assert!(refused.html.contains(TOLD_OFF) && !refused.error_at("p.name").is_empty(), "{}", refused.html);
    person.post(FORM, &first("No Good")).await.refused();
    let look = person.get(&format!("{FORM}?step=4")).await;
    look.refused();
    assert!(look.html.contains(TOLD_OFF) && look.error_at("p.name").contains("must be written like"), "{}", look.html);
    person.post(FORM, &[("step", "1"), ("act", "restart")]).await.led_to();
    person.speak("fr");
    let french = person.get(&format!("{FORM}?step=4")).await;
    assert!(french.html.contains("Encore à répondre.") && !french.html.contains("Certains champs"), "{}", french.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_leads_back_to_its_page_and_a_draft_is_ones_own() {
    let test = with_teams(TestPortal::with_shop().await).await;
    let mut person = test.person().await;
    let taken = person.post(FORM, &first("web")).await;
    taken.refused();
    assert_eq!(taken.error_at("p.name"), "there is a service shop/web already", "told before the rest is filled in");
    assert_eq!(person.post(FORM, &first("orders")).await.led_to(), format!("{FORM}?step=2"));
    assert_eq!(test.post("/onboardings", &body(json!({}))).await.status, StatusCode::CREATED);
    let look = person.get(&format!("{FORM}?step=4")).await;
    look.refused();
    assert_eq!(look.error_at("p.name"), "there is a service shop/orders already");
    person.speak("fr");
    let look = person.get(&format!("{FORM}?step=4")).await;
    assert_eq!(look.error_at("p.name"), "il y a déjà un service shop/orders");
    assert!(look.html.contains("Étape 1 sur 4") && look.html.contains("Petit service"), "{}", look.html);

    let other = test.another("ada", Role::Developer).await;
    assert!(!other.get(FORM).await.html.contains("value=\"orders\""));
    let forgotten = person.post(FORM, &[("step", "1"), ("act", "restart")]).await;
    assert_eq!(forgotten.led_to(), format!("{FORM}?step=1"));
    assert!(!person.get(FORM).await.html.contains("value=\"orders\""));
    assert_eq!(person.get("/onboard/none").await.status, StatusCode::NOT_FOUND);
    assert_eq!(person.get("/onboarding/none").await.status, StatusCode::NOT_FOUND);
    assert!(person.anonymous().get(FORM).await.led_to().starts_with("/sign-in"));
    let viewer = test.another("vera", Role::Viewer).await;
    assert_eq!(viewer.post(FORM, &first("stock")).await.status, StatusCode::FORBIDDEN);
}
