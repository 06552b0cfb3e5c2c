//! What the server says, in French: errors and their fields, what became of a deployment, forms and the words of schemas. Codes, pointers
//! and names of fields are the same in every language.

use crate::support::{Answer, TestPortal};
use reqwest::header::CONTENT_LANGUAGE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A request as the administrator, who reads this language.
async fn ask(test: &TestPortal, language: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let request = test.http.request(method, format!("{}/api/v1{path}", test.url)).bearer_auth(&test.admin);
    let request = request.header("accept-language", language);
    let response = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let response = response.send().await.unwrap();
    if !response.status().is_success() {
        assert_eq!(response.headers()[CONTENT_LANGUAGE], language.split('-').next().unwrap());
    }
    let status = response.status();
    let text = response.text().await.unwrap();
    Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

fn messages(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|error| (error["pointer"].as_str().unwrap(), error["message"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bad_request_is_refused_in_the_language_of_its_reader() {
    let test = TestPortal::with_shop().await;
    let bad = json!({ "name": "Prod 1", "tier": "staging", "order": 5000, "progress_deadline_s": 5 });
    let english = ask(&test, "en", Method::POST, "/environments", Some(&bad)).await;
    let french = ask(&test, "fr-FR", Method::POST, "/environments", Some(&bad)).await;
    assert_eq!((english.status, french.status), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY));
    assert_eq!(
        messages(&french.body),
        [
            ("/name", "doit comporter de 1 à 40 caractères a-z, 0-9 et « - », en commençant par une lettre"),
            ("/order", "vaut 5000 ; autorisé : de 1 à 1000"),
            ("/progress_deadline_s", "vaut 5 ; autorisé : de 10 à 3600"),
        ]
    );
    assert!(french.body["detail"].as_str().unwrap().starts_with("saisie invalide : /name doit comporter"));
    assert_eq!(french.body["title"], "saisie invalide");
    assert!(english.body["detail"].as_str().unwrap().starts_with("invalid input: /name must be 1 to 40"));
    for field in ["code", "type", "status"] {
        assert_eq!(french.body[field], english.body[field], "{field} is for machines");
    }

    let unknown = ask(&test, "fr", Method::POST, "/environments", Some(&json!({ "name": 3 }))).await;
    assert_eq!(messages(&unknown.body), [("/name", "est le nombre 3 ; attendu : un texte")]);
    let absent = ask(&test, "fr", Method::GET, "/services/shop/none", None).await;
    assert_eq!(absent.body["detail"], "component:shop/none : introuvable, ou hors de votre portée");
    let nowhere = ask(&test, "fr", Method::GET, "/moon", None).await;
    assert!(nowhere.body["detail"].as_str().unwrap().starts_with("il n’y a pas de "), "{}", nowhere.body);
    let cursor = ask(&test, "fr", Method::GET, "/deployments?cursor=xx", None).await;
    assert!(messages(&cursor.body)[0].1.starts_with("n’est pas un curseur de cette liste"), "{}", cursor.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_deployment_is_told_in_the_language_of_its_reader() {
    let test = TestPortal::with_shop().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let id = test.deploy("tinyweb:v4").await;
    assert_eq!(test.ended(&id).await["state"], "rolled_back");
    let english = ask(&test, "en", Method::GET, &format!("/deployments/{id}"), None).await.body;
    let french = ask(&test, "fr", Method::GET, &format!("/deployments/{id}"), None).await.body;
    let failure = |deployment: &Value| deployment["failure"]["message"].as_str().unwrap().to_owned();
    assert!(failure(&english).contains("restarted"), "{english}");
    assert!(failure(&french).contains("redémarré"), "{french}");
    let steps: Vec<&str> =
        french["steps"].as_array().unwrap().iter().filter_map(|step| step["message"].as_str()).collect();
    assert!(steps.contains(&"Rien ne s’y oppose"), "{steps:?}");
    assert!(steps.contains(&"v2 tourne de nouveau"), "{steps:?}");

    let events = |language: &'static str| {
        let request = test.http.get(format!("{}/api/v1/deployments/{id}/events", test.url)).bearer_auth(&test.admin);
        async move {
            let mut response = request.header("accept-language", language).send().await.unwrap();
            let mut text = String::new();
            while !text.contains("tourne de nouveau\"") && !text.contains("runs again\"") {
                text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
            }
            text
        }
    };
    let (english, french) = (events("en").await, events("fr").await);
    assert!(english.contains("\"Looking at the target\"") && english.contains("Failed (crash_loop): going back to v2"));
    assert!(
        french.contains("\"Examen de la cible\"") && french.contains("Échec (crash_loop) : retour à v2"),
        "{french}"
    );
    assert!(english.contains("Noticed: tinyweb:v4 is a tag") && french.contains("Remarqué : "), "{english}{french}");
    assert!(!french.contains("\"said\"") && !french.contains("going back"), "{french}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_before_keep_their_words() {
    let test = TestPortal::with_shop().await;
    let id = test.deploy("tinyweb:v2").await;
    test.ended(&id).await;
    let mut database = test.database.superuser().await;
    for table in ["deployment_events", "deployment_steps"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE {table} SET said = NULL")))
            .execute(&mut database)
            .await
            .unwrap();
    }
    let french = ask(&test, "fr", Method::GET, &format!("/deployments/{id}"), None).await.body;
    assert_eq!(french["steps"][0]["message"], "Nothing stands against it", "{french}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_speak_french_to_those_who_chose_it() {
    let test = TestPortal::with_shop().await;
    let mut person = test.person().await;
    person.speak("fr");
    let bad = [("name", "Prod 1"), ("tier", "staging"), ("order", "7"), ("progress_deadline_s", "5")];
    let page = person.post("/environments/new", &bad).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("vaut 5 ; autorisé : de 10 à 3600"), "{}", page.html);
    assert!(page.html.contains("doit comporter de 1 à 40 caractères"), "{}", page.html);
    let form = person.get("/connections/new?kind=kubernetes").await;
    assert!(form.html.contains("Serveur d’API"), "{}", form.html);
    assert!(form.html.contains("Autorité de certification"), "{}", form.html);
    assert!(!form.html.contains("Certificate authority of the API server"), "{}", form.html);
    let import = person.post("/catalog/import", &[("yaml", "kind: Component"), ("act", "check")]).await;
    assert!(import.html.contains("manque ; attendu : [domaine/]version"), "{}", import.html);
}
