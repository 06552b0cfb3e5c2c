//! Who asks: an administrator made through the set-up link, and a viewer with a role, a session and a token of their own.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::http::{Answer, Connection};
use super::request::{self, Credential};
use super::server::Server;

const ADMINISTRATOR: (&str, &str) = ("bench-admin", "a password of the bench 1");
const VIEWER: (&str, &str) = ("bench-viewer", "a password of the bench 2");

/// Credentials of the two.
#[derive(Debug, Clone)]
pub struct People {
    /// Imports the catalog.
    pub administrator: Credential,
    /// Reads it, with a token and with a session.
    pub token: Credential,
    pub session: Credential,
}

impl People {
    /// On a server that nobody was set up on yet.
    pub fn set_up(server: &Server) -> Result<Self> {
        let mut connection = Connection::open(server.address)?;
        let token = server.set_up_token()?;
        let (user, password) = ADMINISTRATOR;
        let form = [
            ("token", token.as_str()),
            ("user", user),
            ("display_name", "Bench"),
            ("password", password),
            ("password_again", password),
        ];
        let answer = connection.call(&request::post_form("/setup", &form))?;
        answer.good().context("setting the administrator up")?;
        let session = session(&answer)?;
        let administrator = token_of(&mut connection, &session, "admin")?;
        let (user, password) = VIEWER;
        let new = json!({ "name": user, "display_name": "Viewer", "password": password });
        let mut post = |path: &str, body: &Value| {
            let answer = connection.call(&request::post_json(path, &administrator, body))?;
            answer.good().with_context(|| format!("POST {path}"))
        };
        post("/api/v1/users", &new)?;
        let role = json!({ "user": user, "role": "viewer", "scope": { "kind": "everything" } });
        post("/api/v1/role-bindings", &role)?;
        let sign_in = json!({ "user": user, "password": password });
        let answer = connection.call(&request::post_json("/api/v1/sessions", &Credential::Nobody, &sign_in))?;
        answer.good().context("signing the viewer in")?;
        let session = self::session(&answer)?;
        let token = token_of(&mut connection, &session, "viewer")?;
        Ok(Self { administrator, token, session })
    }
}

fn token_of(connection: &mut Connection, session: &Credential, role: &str) -> Result<Credential> {
    let new = json!({ "name": "bench", "role": role, "expires_in_days": 1 });
    let answer = connection.call(&request::post_json("/api/v1/tokens", session, &new))?.json()?;
    let token = answer["token"].as_str().context("an answer without a token")?;
    Ok(Credential::Token(token.to_owned()))
}

fn session(answer: &Answer) -> Result<Credential> {
    let cookie = answer.headers("set-cookie").find(|cookie| cookie.contains("passerelle_session="));
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).context("no session was begun")?;
    Ok(Credential::Cookie(cookie.to_owned()))
}
