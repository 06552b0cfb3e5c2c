//! Requests as bytes, made before the clock runs.

use serde_json::Value;

/// How a request says who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    Nobody,
    /// An API token, as scripts send it.
    Token(String),
    /// A session, as browsers send it.
    Cookie(String),
}

/// `GET` by nobody.
pub fn plain(path: &str) -> Vec<u8> {
    get(path, &Credential::Nobody, &[])
}

pub fn get(path: &str, credential: &Credential, headers: &[&str]) -> Vec<u8> {
    bytes("GET", path, credential, headers, &[])
}

pub fn post_json(path: &str, credential: &Credential, body: &Value) -> Vec<u8> {
    bytes("POST", path, credential, &["content-type: application/json"], body.to_string().as_bytes())
}

pub fn post_yaml(path: &str, credential: &Credential, body: &str) -> Vec<u8> {
    bytes("POST", path, credential, &["content-type: application/yaml"], body.as_bytes())
}

/// A form as a page sends it.
pub fn post_form(path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let headers = ["content-type: application/x-www-form-urlencoded"];
    bytes("POST", path, &Credential::Nobody, &headers, body.join("&").as_bytes())
}

fn bytes(method: &str, path: &str, credential: &Credential, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: portal.test\r\n");
    match credential {
        Credential::Nobody => {}
        Credential::Token(token) => text.push_str(&format!("authorization: Bearer {token}\r\n")),
        // The site's own address, as a browser says it with every request that may change something.
        Credential::Cookie(cookie) => text.push_str(&format!("cookie: {cookie}\r\norigin: http://portal.test\r\n")),
    }
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if method != "GET" {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

/// Percent-encoded, for queries and forms.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_who_and_how_much() {
        let sent = String::from_utf8(post_form("/setup", &[("user", "a b"), ("n", "é")])).unwrap();
        assert!(sent.starts_with("POST /setup HTTP/1.1\r\n") && sent.ends_with("\r\n\r\nuser=a%20b&n=%C3%A9"));
        assert!(sent.contains("\r\ncontent-length: 19\r\n"), "{sent}");
        let token = Credential::Token("psl_x".to_owned());
        assert_eq!(
            get("/a", &token, &[]),
            b"GET /a HTTP/1.1\r\nhost: portal.test\r\nauthorization: Bearer psl_x\r\n\r\n"
        );
    }
}
