//! Somebody with a browser: pages and forms, a session cookie, no script.

use super::{PASSWORD, TestPortal};
use passerelle_contract::access::Role;
use passerelle_server::identity::SetUp;
use passerelle_server::kernel::{Ctx, Via};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use serde_json::json;

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

impl Shown {
    /// The text of the error beside a field.
    pub fn error_at(&self, field: &str) -> &str {
        let id = format!("id=\"f-{field}-err\"");
        let Some((_, rest)) = self.html.split_once(&id) else { panic!("no error beside {field}: {}", self.html) };
        let (_, rest) = rest.split_once("<span>").unwrap();
        rest.split_once("</span>").unwrap().0
    }

    /// The form came back, because a value was refused.
    pub fn refused(&self) {
        assert_eq!(self.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", self.html);
    }

    /// Where a form led to.
    pub fn led_to(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.html);
        self.headers[LOCATION].to_str().unwrap().to_owned()
    }
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
        self.sign_in("grace").await
    }

    /// Somebody else with a role on everything, signed in.
    pub async fn another(&self, name: &str, role: Role) -> Person<'_> {
        let user = json!({ "name": name, "display_name": name, "password": PASSWORD });
        assert_eq!(self.post("/users", &user).await.status, StatusCode::CREATED);
        let binding = json!({ "user": name, "role": role, "scope": { "kind": "everything" } });
        assert_eq!(self.post("/role-bindings", &binding).await.status, StatusCode::CREATED);
        self.sign_in(name).await
    }

    async fn sign_in(&self, name: &str) -> Person<'_> {
        let mut person = Person { test: self, cookie: String::new(), csrf: String::new() };
        let signed_in = person.post("/sign-in", &[("user", name), ("password", PASSWORD), ("next", "/")]).await;
        assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{}", signed_in.html);
        person.renew(&signed_in).await;
        person
    }
}

impl<'t> Person<'t> {
    /// Takes the session that an answer gave, as a browser does, and the token of its forms.
    pub async fn renew(&mut self, answer: &Shown) {
        let mut cookies = answer.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
        let session = cookies.find(|cookie| cookie.contains("passerelle_session=")).unwrap();
        self.cookie = session.split(';').next().unwrap().to_owned();
        let form = self.get("/access/tokens").await;
        assert_eq!(form.status, StatusCode::OK, "{}", form.html);
        self.csrf = hidden(&form.html, "csrf");
    }

    /// From now on in this language, as chosen on a page.
    pub fn speak(&mut self, locale: &str) {
        self.cookie = format!("{}; psl_locale={locale}", self.cookie);
    }

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

    /// A form with files, as a browser sends it: name, file name where it is one, content.
    pub async fn post_files(&self, path: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Shown {
        let mut body = Vec::new();
        for (name, file, content) in parts.iter().copied().chain([("csrf", None, self.csrf.as_bytes())]) {
            let file =
                file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: application/yaml")).unwrap_or_default();
            body.extend(
                format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes(),
            );
            body.extend(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--part--\r\n");
        let request = self.test.http.post(format!("{}{path}", self.test.url)).header("origin", &self.test.url);
        self.shown(request.header("content-type", "multipart/form-data; boundary=part").body(body)).await
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
