//! What a registry asks for when it answers 401 (RFC 9110, and the token flow of the distribution project). Pure.

use std::collections::BTreeMap;

/// How it wants to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer {
        /// Address of the token service.
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

/// The first challenge that is understood. A header may hold several, and so may an answer.
pub(super) fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for header in headers {
        let mut rest = header;
        while let Some((scheme, parameters, after)) = one(rest) {
            rest = after;
            if scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = parameters.get("realm")
            {
                let of = |name: &str| parameters.get(name).filter(|value| !value.is_empty()).cloned();
                return Some(Challenge::Bearer { realm: realm.clone(), service: of("service"), scope: of("scope") });
            }
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Challenge::Basic);
            }
        }
    }
    basic
}

type Parameters = BTreeMap<String, String>;

/// A scheme with its parameters, and what follows.
fn one(text: &str) -> Option<(&str, Parameters, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
    let (scheme, mut rest) = text.split_at(end);
    if scheme.is_empty() {
        return None;
    }
    let mut parameters = Parameters::new();
    while let Some((name, value, after)) = parameter(rest) {
        parameters.insert(name.to_ascii_lowercase(), value);
        rest = after;
    }
    Some((scheme, parameters, rest))
}

/// `name=value` or `name="value"`; a word without `=` begins the next challenge.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start_matches([' ', '\t', ',']);
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.!#$%&'*+^`|~".contains(c)))?;
    let (name, rest) = text.split_at(end);
    let rest = rest.strip_prefix('=').filter(|_| !name.is_empty())?;
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find([' ', '\t', ',']).unwrap_or(rest.len());
        return Some((name, rest[..end].to_owned(), &rest[end..]));
    };
    let mut value = String::new();
    let mut signs = quoted.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return Some((name, value, &quoted[at + 1..])),
            '\\' => value.extend(signs.next().map(|(_, sign)| sign)),
            sign => value.push(sign),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Some(Challenge::Bearer { realm: realm.to_owned(), service: text(service), scope: text(scope) })
    }

    #[test]
    fn challenges_of_registries_are_read() {
        assert_eq!(
            read([
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#
            ]),
            bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:library/nginx:pull"))
        );
        assert_eq!(
            read([r#"Basic realm="https://1.dkr.ecr.eu-west-3.amazonaws.com/",service="ecr.amazonaws.com""#]),
            Some(Challenge::Basic)
        );
        assert_eq!(
            read([r#"bearer realm=https://x/t , scope="a,b \"c\"""#]),
            bearer("https://x/t", None, Some(r#"a,b "c""#))
        );
        assert_eq!(read([r#"Basic realm="x", Bearer realm="https://x/t""#]), bearer("https://x/t", None, None));
        assert_eq!(read(["Negotiate", r#"Basic realm="x""#]), Some(Challenge::Basic));
    }

    #[test]
    fn nonsense_is_none() {
        for header in
            ["", ",", "Bearer", "Bearer realm", r#"Bearer realm="open"#, "=", "\"", "Bearer é=1", "Digest x=1"]
        {
            assert_eq!(read([header]), None, "{header:?}");
        }
    }
}
