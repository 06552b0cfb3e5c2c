//! AWS Signature Version 4, as far as requests with a body in memory need it.
//!
//! Source: "Signature Calculations for the Authorization Header" of the Amazon S3 API reference, whose worked examples are the
//! tests. Host, date, hash of the body and session token are signed; nothing else that we send has to be.

use ring::hmac;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

/// Whose signature it is, and for which service.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    pub access_key_id: &'a str,
    pub secret_access_key: &'a str,
    pub session_token: Option<&'a str>,
    pub region: &'a str,
    pub service: &'a str,
}

impl std::fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}, ***)", self.access_key_id)
    }
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    pub method: &'a str,
    /// With the port, where the URL has one.
    pub host: &'a str,
    /// Percent-encoded, as [`encoded`] does it.
    pub path: &'a str,
    /// Decoded; [`query`] writes it into the URL.
    pub query: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
    pub at: OffsetDateTime,
}

impl Signer<'_> {
    /// The headers to send.
    #[must_use]
    pub fn headers(&self, request: &Signed<'_>) -> Vec<(&'static str, String)> {
        let at = request.at.to_offset(time::UtcOffset::UTC);
        let day = format!("{:04}{:02}{:02}", at.year(), u8::from(at.month()), at.day());
        let stamp = format!("{day}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second());
        let hash = hex(&Sha256::digest(request.body));
        let mut headers = vec![("host", request.host.to_owned())];
        headers.push(("x-amz-content-sha256", hash.clone()));
        headers.push(("x-amz-date", stamp.clone()));
        headers.extend(self.session_token.map(|token| ("x-amz-security-token", token.to_owned())));
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical =
            format!("{}\n{}\n{}\n{lines}\n{names}\n{hash}", request.method, request.path, query(request.query));
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let key = [day.as_str(), self.region, self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{}", self.secret_access_key).into_bytes(), |key, part| mac(&key, part));
        let credential = format!("{}/{scope}", self.access_key_id);
        let signature = hex(&mac(&key, &text));
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization", authorization));
        // The client writes the host itself.
        headers.remove(0);
        headers
    }
}

/// A query as it is signed and sent: sorted, everything encoded.
#[must_use]
pub fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| (encoded(name, false), encoded(value, false))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but unreserved characters, and slashes too unless they divide a path.
#[must_use]
pub fn encoded(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn signature(path: &str, query: &[(&str, &str)]) -> String {
        let signer = Signer {
            access_key_id: "AKIAIOSFODNN7EXAMPLE",
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            session_token: None,
            region: "us-east-1",
            service: "s3",
        };
        let at = datetime!(2013-05-24 00:00:00 UTC);
        let host = "examplebucket.s3.amazonaws.com";
        let headers = signer.headers(&Signed { method: "GET", host, path, query, body: b"", at });
        headers.last().unwrap().1.rsplit_once('=').unwrap().1.to_owned()
    }

    #[test]
    fn the_examples_of_the_reference_come_out() {
        assert_eq!(
            signature("/", &[("lifecycle", "")]),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signature("/", &[("prefix", "J"), ("max-keys", "2")]),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn what_is_not_unreserved_is_encoded() {
        assert_eq!(encoded("a b/é~+", true), "a%20b/%C3%A9~%2B");
        assert_eq!(encoded("a/b", false), "a%2Fb");
    }
}
