//! Bad input through the forms: the page says what is wrong beside the field, and what was typed is still there.

use crate::support::{Person, Shown, TestPortal};
use reqwest::StatusCode;

const SCRIPT: &str = "<script>alert(1)</script>";

fn refused(page: &Shown) {
    page.refused();
    assert!(!page.html.contains(SCRIPT), "what was typed came back as markup");
}

async fn environment(person: &Person<'_>, fields: [(&str, &str); 4]) -> Shown {
    person.post("/environments/new", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_an_environment_keeps_what_was_typed() {
    let test = TestPortal::with_shop().await;
    let person = test.person().await;
    let before = test.rows().await;
    for (field, value) in [
        ("name", "Prod 1"),
        ("name", SCRIPT),
        ("name", "a\u{202e}b"),
        ("name", "a\u{0}b"),
        ("name", ""),
        ("order", "-1"),
        ("order", "99999999999"),
        ("order", "1e3"),
        ("tier", "moon"),
        ("progress_deadline_s", "5"),
        ("progress_deadline_s", ""),
    ] {
        let mut fields = [("name", "kept-name"), ("tier", "staging"), ("order", "7"), ("progress_deadline_s", "77")];
        fields.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, old)| *old = value);
        let page = environment(&person, fields).await;
        refused(&page);
        assert!(page.error_at(field).len() > 8, "{field}={value:?}");
        for (name, kept) in fields.iter().filter(|(name, _)| *name != field && *name != "tier") {
            assert!(page.html.contains(&format!("value=\"{kept}\"")), "{name} was lost when {field} was {value:?}");
        }
    }
    let long = "x".repeat(100_000);
    let page =
        environment(&person, [("name", &long), ("tier", "staging"), ("order", "7"), ("progress_deadline_s", "77")]);
    refused(&page.await);
    let taken = [("name", "staging"), ("tier", "staging"), ("order", "7"), ("progress_deadline_s", "77")];
    let page = environment(&person, taken).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.html);
    assert!(page.html.contains("value=\"77\"") && page.html.contains("exists already"));
    assert_eq!(test.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_import_page_keeps_the_documents() {
    let test = TestPortal::with_shop().await;
    let person = test.person().await;
    let before = test.rows().await;
    let component = |name: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}, title: kept}}\nspec: {{type: service, owner: x}}\n"
        )
    };
    let bomb = (1..=9).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("{text}a{level}: &a{level} [{below}]\n")
    });
    let twice = format!("{}---\n{}", component("two"), component("two"));
    for yaml in [bomb.as_str(), &twice, &component("'a b'"), &component(SCRIPT), "kind: [", "a: \"\\0\""] {
        for act in ["check", "import"] {
            let page = person.post("/catalog/import", &[("yaml", yaml), ("act", act)]).await;
            refused(&page);
            assert!(page.error_at("yaml").contains("refused"), "{yaml}");
            let typed = yaml.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            assert!(page.html.contains(typed.trim()), "the documents were lost: {}", page.html);
        }
    }
    let empty = person.post("/catalog/import", &[("yaml", " "), ("act", "import")]).await;
    refused(&empty);
    empty.error_at("yaml");
    let large = person.post_body("/catalog/import", vec![b'x'; 50 << 20]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(large.html.contains("<h1>"), "a page, not JSON: {}", large.html);
    assert_eq!(test.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_of_acts_keep_the_reason() {
    let test = TestPortal::with_shop().await;
    let person = test.person().await;
    let before = test.rows().await;
    let scale = "/services/shop/web/scale";
    for replicas in ["-1", "1001", "two", "99999999999999999999", "2.5", ""] {
        let fields = [("environment", "staging"), ("replicas", replicas), ("reason", "kept reason")];
        let page = person.post(scale, &fields).await;
        refused(&page);
        assert!(page.error_at("replicas").len() > 8, "{replicas:?}");
        assert!(page.html.contains("kept reason"), "{replicas:?}");
    }
    let page = person.post("/services/shop/web/hold", &[("environment", "staging"), ("reason", "a\u{202e}b")]).await;
    refused(&page);
    page.error_at("reason");
    for (path, fields) in
        [("/sign-in", [("user", "a\u{0}b"), ("password", "x")]), ("/sign-in", [("user", SCRIPT), ("password", "x")])]
    {
        let anonymous = person.anonymous();
        let page = anonymous.post(path, &fields).await;
        refused(&page);
    }
    for path in [
        "/services?q=%00",
        "/deployments?environment=%00&state=odd",
        "/audit?actor=%00&cursor=x",
        "/bindings?cursor=edited",
    ] {
        let page = person.get(path).await;
        assert!(page.status.as_u16() < 500, "{path}: {} {}", page.status, page.html);
    }
    assert_eq!(test.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_of_access_name_the_field_and_give_nothing() {
    let test = TestPortal::with_shop().await;
    let person = test.person().await;
    let before = test.rows().await;
    let good_user = [("name", "ada"), ("display_name", "kept-name"), ("password", "a long enough secret 1")];
    for (field, value) in [
        ("name", ""),
        ("name", "Ada L"),
        ("name", SCRIPT),
        ("name", "ad\u{200b}a"),
        ("display_name", "a\u{202e}b"),
        ("password", "short"),
        ("name", "grace"),
    ] {
        let mut fields = good_user;
        fields.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, old)| *old = value);
        let page = person.post("/access/users", &fields).await;
        refused(&page);
        assert!(page.error_at(field).len() > 8, "{field}={value:?}");
        assert!(field == "display_name" || page.html.contains("value=\"kept-name\""), "{field}={value:?}");
        assert!(!page.html.contains("a long enough secret 1"), "a password came back");
    }
    let good_role = [("user", "grace"), ("role", "viewer"), ("scope_kind", "everything"), ("scope", "")];
    for (field, name, value) in [
        ("user", "user", "nobody-here"),
        ("role", "role", "emperor"),
        ("scope", "scope_kind", "moon"),
        ("scope", "scope", "shop/web"),
    ] {
        let mut fields = good_role;
        fields.iter_mut().filter(|(given, _)| *given == name).for_each(|(_, old)| *old = value);
        let page = person.post("/access/roles", &fields).await;
        refused(&page);
        assert!(page.error_at(field).len() > 8, "{name}={value:?}");
    }
    let good_token = [
        ("name", "kept-name"),
        ("expires_in_days", "30"),
        ("role", "viewer"),
        ("scope_kind", "everything"),
        ("scope", ""),
    ];
    for (field, name, value) in [
        ("name", "name", ""),
        ("expires_in_days", "expires_in_days", "0"),
        ("expires_in_days", "expires_in_days", "soon"),
        ("role", "role", ""),
        ("scope", "scope_kind", "moon"),
    ] {
        let mut fields = good_token;
        fields.iter_mut().filter(|(given, _)| *given == name).for_each(|(_, old)| *old = value);
        let page = person.post("/access/tokens", &fields).await;
        refused(&page);
        assert!(page.error_at(field).len() > 8, "{name}={value:?}");
        assert!(name == "name" || page.html.contains("value=\"kept-name\""), "{name}={value:?}");
    }
    assert_eq!(test.rows().await, before);
}

/// A cluster of a cloud: its fields are asked for, a wrong one is told beside it, and what was typed stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_s_cluster_is_asked_for_field_by_field() {
    let test = TestPortal::with_shop().await;
    let mut person = test.person().await;
    let form = person.get("/connections/new?kind=kubernetes").await.html;
    for name in ["config.gke.cluster", "config.eks.region", "config.eks.access_key_id", "config.aks.tenant"] {
        assert!(form.contains(&format!("name=\"{name}\"")), "{name} is not in {form}");
    }
    assert!(
        !form.contains("id=\"f-config.gke.cluster\" name=\"config.gke.cluster\" type=\"text\" value=\"\" required"),
        "{form}"
    );
    let bad = [
        ("kind", "kubernetes"),
        ("name", "eks"),
        ("config.eks.region", "eu/west"),
        ("config.eks.cluster", "fil-rouge"),
        ("config.eks.secret_access_key:from", "env"),
        ("config.eks.secret_access_key:ref", "PASSERELLE_SECRET_AWS"),
    ];
    for (language, said) in [("en", "expected 1 to 128 letters"), ("fr", "attendu : de 1 à 128 lettres")] {
        if language == "fr" {
            person.speak(language);
        }
        let refused = person.post("/connections/new", &bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.html);
        assert!(
            refused.html.contains(said) && refused.html.contains("f-config.eks.region-err"),
            "{language}: {}",
            refused.html
        );
        assert!(
            refused.html.contains("value=\"fil-rouge\"") && refused.html.contains("PASSERELLE_SECRET_AWS"),
            "{language}"
        );
    }
    let good: Vec<_> = bad
        .iter()
        .map(|(name, value)| (*name, if *name == "config.eks.region" { "eu-west-3" } else { *value }))
        .chain([("config.eks.access_key_id", "AKIAIOSFODNN7EXAMPLE")])
        .collect();
    let made = person.post("/connections/new", &good).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.html);
    let stored = test.get("/connections/eks").await.body;
    assert_eq!(
        stored["config"]["eks"]["secret_access_key"],
        serde_json::json!({"env": "PASSERELLE_SECRET_AWS"}),
        "{stored}"
    );
}
