//! The page of GitHub or GitLab that shows what lies between two releases. Pure.

use crate::kernel::validate;

/// Where a release stands in its repository.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub repository: Option<&'a str>,
    /// A commit or a tag.
    pub reference: Option<&'a str>,
}

/// Nothing for two repositories, for the same place, and where a side is not known.
pub fn link(before: &Side<'_>, after: &Side<'_>) -> Option<String> {
    let repository = after.repository.filter(|url| before.repository == Some(url))?.trim_end_matches('/');
    let (from, to) = (before.reference?, after.reference?);
    if from == to {
        return None;
    }
    // Below a project GitLab puts `-` between its path and its pages; GitHub has two parts and no groups.
    let host = url::Url::parse(repository).ok()?;
    let path = host.path().trim_matches('/');
    let gitlab = host.host_str()?.split('.').any(|part| part == "gitlab") || path.matches('/').count() > 1;
    Some(format!("{repository}{}/compare/{from}...{to}", if gitlab { "/-" } else { "" }))
}

/// The page of a repository: `https`, a path, and nothing after it.
pub fn page(text: &str) -> bool {
    let bare = url::Url::parse(text).is_ok_and(|url| {
        url.scheme() == "https"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.path().trim_matches('/').contains('/')
    });
    bare && validate::link(text)
}

/// A commit or a tag, of the characters that stand for themselves in an address.
pub fn reference(text: &str) -> bool {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "._-/+".contains(sign);
    (1..=200).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-') && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side<'a>(repository: &'a str, reference: &'a str) -> Side<'a> {
        Side { repository: Some(repository), reference: Some(reference) }
    }

    #[test]
    fn two_releases_of_a_repository_are_compared_where_it_is() {
        let of = |repository| link(&side(repository, "v1"), &side(repository, "v2"));
        assert_eq!(of("https://github.com/acme/shop").as_deref(), Some("https://github.com/acme/shop/compare/v1...v2"));
        assert_eq!(
            of("https://gitlab.com/acme/shop/").as_deref(),
            Some("https://gitlab.com/acme/shop/-/compare/v1...v2")
        );
        assert_eq!(
            of("https://git.acme.example/a/b/c").as_deref(),
            Some("https://git.acme.example/a/b/c/-/compare/v1...v2")
        );
        let github = "https://github.com/acme/shop";
        assert_eq!(link(&side(github, "v1"), &side(github, "v1")), None);
        assert_eq!(link(&side(github, "v1"), &side("https://github.com/acme/other", "v2")), None);
        assert_eq!(link(&Side { repository: Some(github), reference: None }, &side(github, "v2")), None);
    }

    #[test]
    fn what_would_lead_elsewhere_is_refused() {
        assert!(page("https://github.com/acme/shop") && reference("release/1.2+x"));
        for bad in [
            "http://github.com/a/b",
            "https://github.com",
            "https://u:p@github.com/a/b",
            "https://h/a/b?x",
            "https://h/a/b#x",
            "x",
        ] {
            assert!(!page(bad), "{bad}");
        }
        for bad in ["", "-x", "a b", "a..b", "a?b", "a#b"] {
            assert!(!reference(bad), "{bad}");
        }
    }
}
