//! Somebody with a browser: pages and forms, a session cookie, no script.

use super::TestPortal;
use passerelle_server::identity::SetUp;
use passerelle_server::kernel::{Ctx, Via};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};

const PASSWORD: &str = "correct horse battery";

pub struct Person<'t> {
    test: &'t TestPortal,
    pub cookie: String,
    csrf: String,
}

/// A page as it came.
#[derive(Debug)]
pub struct Shown {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

impl TestPortal {
    /// The first administrator, signed in.
    pub async fn person(&self) -> Person<'_> {
        let ctx = Ctx::system(Via::Cli, "test");
        let path = self.portal.identity.issue_setup_token(&ctx).await.unwrap();
        let token = path.strip_prefix("/setup?token=").unwrap().to_owned();
        let (user, display_name) = ("grace".to_owned(), "Grace".to_owned());
        let set_up = SetUp { token, user, password: PASSWORD.to_owned(), display_name };
        self.portal.identity.set_up(&Ctx::anonymous(Via::Page, "test".to_owned()), &set_up).await.unwrap();
        let mut person = Person { test: self, cookie: String::new(), csrf: String::new() };
        let signed_in = person.post("/sign-in", &[("user", "grace"), ("password", PASSWORD), ("next", "/")]).await;
        assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{}", signed_in.html);
        let cookie = signed_in.headers.get_all(SET_COOKIE).iter().next_back().unwrap().to_str().unwrap();
        person.cookie = cookie.split(';').next().unwrap().to_owned();
        let form = person.get("/environments/new").await;
        assert_eq!(form.status, StatusCode::OK, "{}", form.html);
        person.csrf = hidden(&form.html, "csrf");
        person
    }
}

impl<'t> Person<'t> {
    /// The same browser without its session.
    pub fn anonymous(&self) -> Person<'t> {
        Person { test: self.test, cookie: String::new(), csrf: String::new() }
    }

    pub async fn get(&self, path: &str) -> Shown {
        self.shown(self.test.http.get(format!("{}{path}", self.test.url))).await
    }

    /// A form; the token that each form carries goes along.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let all = fields.iter().copied().chain([("csrf", self.csrf.as_str())]);
        let body = url_encoded(all);
        self.post_body(path, body).await
    }

    pub async fn post_body(&self, path: &str, body: impl Into<reqwest::Body>) -> Shown {
        let request = self.test.http.post(format!("{}{path}", self.test.url)).header("origin", &self.test.url);
        self.shown(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    async fn shown(&self, request: reqwest::RequestBuilder) -> Shown {
        let request = if self.cookie.is_empty() { request } else { request.header(COOKIE, &self.cookie) };
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Shown { status, headers, html: response.text().await.unwrap() }
    }
}

/// The value of a hidden field.
pub fn hidden(html: &str, name: &str) -> String {
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

fn url_encoded<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") },
            )
            .collect()
    };
    fields.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}
