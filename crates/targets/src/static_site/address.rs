//! Names of objects as parts of addresses.

/// A query: sorted, everything encoded, as Signature Version 4 signs it.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| (encoded(name, false), encoded(value, false))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but unreserved characters, and slashes too unless they divide a path.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_unreserved_is_encoded() {
        assert_eq!(encoded("a b/é~+", true), "a%20b/%C3%A9~%2B");
        assert_eq!(encoded("a/b", false), "a%2Fb");
        assert_eq!(query(&[("prefix", "J/"), ("max-keys", "2")]), "max-keys=2&prefix=J%2F");
    }
}
