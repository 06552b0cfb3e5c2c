//! People who are signed in, for what a token may not do.

use super::{Answer, TestPortal};
use passerelle_contract::access::Role;
use reqwest::header::{ACCEPT_LANGUAGE, COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Mutex;

pub const PASSWORD: &str = "correct horse battery";

/// Somebody with a session, who speaks to the API as a browser would.
pub struct SignedIn<'t> {
    test: &'t TestPortal,
    /// A step-up gives the session a new id.
    cookie: Mutex<String>,
}

impl TestPortal {
    /// A new person with a role on everything, signed in.
    pub async fn signed_in(&self, name: &str, role: Role) -> SignedIn<'_> {
        let user = json!({ "name": name, "display_name": name, "password": PASSWORD });
        let made = self.post("/users", &user).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let binding = json!({ "user": name, "role": role, "scope": { "kind": "everything" } });
        let bound = self.post("/role-bindings", &binding).await;
        assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.body);
        let answer = self
            .http
            .post(format!("{}/api/v1/sessions", self.url))
            .header(ORIGIN, &self.url)
            .json(&json!({ "user": name, "password": PASSWORD }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        let cookie = answer.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
        SignedIn { test: self, cookie: Mutex::new(cookie.split(';').next().unwrap().to_owned()) }
    }
}

impl SignedIn<'_> {
    pub fn cookie(&self) -> String {
        self.cookie.lock().unwrap().clone()
    }

    pub async fn call(&self, method: Method, path: &str, language: &str, body: &Value) -> Answer {
        let cookie = self.cookie();
        let response = self
            .test
            .http
            .request(method, format!("{}/api/v1{path}", self.test.url))
            .header(COOKIE, cookie)
            .header(ORIGIN, &self.test.url)
            .header(ACCEPT_LANGUAGE, language)
            .json(body)
            .send()
            .await
            .unwrap();
        if let Some(new) = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok()) {
            *self.cookie.lock().unwrap() = new.split(';').next().unwrap().to_owned();
        }
        let status = response.status();
        let text = response.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, "en", body).await
    }

    pub async fn approve(&self, id: &str) -> Answer {
        self.post(&format!("/deployments/{id}/approvals"), &json!({ "decision": "approve" })).await
    }
}
