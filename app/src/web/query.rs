//! The query of a page: filters live in the URL, and every link to another filter is made from the present one.

/// Name and value pairs in order; empty values count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        // U+0000 is in no stored text: a filter with it finds nothing, as it should, but must not reach the database.
        let shown = |text: String| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
        Self(pairs.into_owned().filter(|(_, v)| !v.trim().is_empty()).map(|(k, v)| (shown(k), shown(v))).collect())
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
    }

    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// A check box or a chip: present and not `false`.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value != "false" && value != "0").filter(|on| *on)
    }

    /// The same with one value changed or taken out; another filter starts at the first page again.
    #[must_use]
    pub fn with(&self, name: &str, value: Option<&str>) -> Self {
        let kept = self.0.iter().filter(|(key, _)| key != name && key != "cursor").cloned();
        let added = value.map(|value| (name.to_owned(), value.to_owned()));
        Self(kept.chain(added).collect())
    }

    /// Whether any filter is set (paging and sorting are none).
    #[must_use]
    pub fn filtered(&self) -> bool {
        self.0.iter().any(|(key, _)| !matches!(key.as_str(), "cursor" | "sort" | "limit"))
    }

    /// The address of a page with this query.
    #[must_use]
    pub fn href(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{path}?{query}")
    }

    /// All pairs but these, to go along as hidden fields of a filter form.
    pub fn others<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a (String, String)> {
        self.0.iter().filter(move |(key, _)| !names.contains(&key.as_str()) && key != "cursor")
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn another_filter_keeps_the_rest_and_starts_at_the_first_page() {
        let query = Query::parse("q=user&system=a%2Fb&cursor=zzz&team=");
        assert_eq!(query.get("team"), None);
        assert_eq!(query.with("team", Some("x y")).href("/services"), "/services?q=user&system=a%2Fb&team=x+y");
        assert_eq!(query.with("q", None).with("system", None).href("/"), "/");
        assert!(query.filtered() && !Query::parse("sort=name&cursor=1").filtered());
    }
}
