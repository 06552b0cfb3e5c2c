//! The few values that are read from answers of AWS, in JSON or in XML.

use serde_json::Value;

/// The text of the first element of this name. STS answers without attributes or nesting of the same name.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let end = xml.get(start..)?.find(&format!("</{name}>"))? + start;
    Some(unescaped(&xml[start..end]))
}

fn unescaped(text: &str) -> String {
    // The ampersand last, or an escaped escape would be read twice.
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

/// What a refusal says: its code and its message.
pub(super) fn complaint(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let code =
        json["__type"].as_str().or_else(|| json["code"].as_str()).map(str::to_owned).or_else(|| element(body, "Code"));
    let message = json["message"].as_str().or_else(|| json["Message"].as_str()).map(str::to_owned);
    let message = message.or_else(|| element(body, "Message"));
    // A signature that does not fit is explained with the request that was expected: the first line is enough.
    let message = message.map(|text| text.lines().next().unwrap_or_default().to_owned());
    match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (code, message) => code.or(message).unwrap_or_else(|| "no reason given".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_complaints_are_read() {
        let xml = "<R><Credentials><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>a/b&amp;lt;+c</SecretAccessKey></Credentials></R>";
        assert_eq!(element(xml, "AccessKeyId").as_deref(), Some("AKIA"));
        assert_eq!(element(xml, "SecretAccessKey").as_deref(), Some("a/b&lt;+c"));
        assert_eq!(element(xml, "SessionToken"), None);
        assert_eq!(element("<A>", "A"), None);
        let refused =
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no\ncanonical</Message></Error></ErrorResponse>";
        assert_eq!(complaint(refused), "AccessDenied: no");
        assert_eq!(complaint(r#"{"__type": "X", "message": "m"}"#), "X: m");
        assert_eq!(complaint("nonsense"), "no reason given");
    }
}
