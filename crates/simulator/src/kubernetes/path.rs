//! Kubernetes URL paths.

use super::kinds::{self, Kind};

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Version,
    Health,
    /// `/api`, `/apis`.
    Groups {
        core: bool,
    },
    /// `/api/v1`, `/apis/apps/v1`.
    Resources {
        group: String,
        version: String,
    },
    Objects(Objects),
    /// What a Service leads to, below `.../proxy`.
    Proxy {
        namespace: String,
        service: String,
    },
    /// `POST` only: self subject (access) reviews.
    Review(&'static str),
    Unknown,
}

/// A collection, an object or its subresource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Objects {
    pub(crate) kind: &'static Kind,
    /// Empty = all, or not namespaced.
    pub(crate) namespace: String,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

pub(crate) fn parse(path: &str) -> Target {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["version"] => Target::Version,
        ["healthz" | "livez" | "readyz", ..] => Target::Health,
        ["api"] => Target::Groups { core: true },
        ["apis"] => Target::Groups { core: false },
        ["api", version] => Target::Resources { group: String::new(), version: (*version).to_owned() },
        ["apis", group, version] => Target::Resources { group: (*group).to_owned(), version: (*version).to_owned() },
        ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] => Target::Review("SelfSubjectAccessReview"),
        ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => Target::Review("SelfSubjectReview"),
        ["api", "v1", "namespaces", namespace, "services", service, "proxy", ..] => {
            Target::Proxy { namespace: (*namespace).to_owned(), service: (*service).to_owned() }
        }
        ["api", version, rest @ ..] => objects("", version, rest),
        ["apis", group, version, rest @ ..] => objects(group, version, rest),
        _ => Target::Unknown,
    }
}

fn objects(group: &str, version: &str, rest: &[&str]) -> Target {
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() && !matches!(rest[0], "status" | "finalize") => {
            ((*namespace).to_owned(), rest)
        }
        _ => (String::new(), rest),
    };
    let Some((plural, rest)) = rest.split_first() else { return Target::Unknown };
    let Some(kind) = kinds::by_plural(group, version, plural) else { return Target::Unknown };
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (Some((*name).to_owned()), None),
        [name, subresource] => (Some((*name).to_owned()), Some((*subresource).to_owned())),
        _ => return Target::Unknown,
    };
    Target::Objects(Objects { kind, namespace, name, subresource })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Objects {
        match parse(path) {
            Target::Objects(objects) => objects,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn paths_name_objects() {
        let log = named("/api/v1/namespaces/shop/pods/web-1/log");
        assert_eq!((log.kind.kind, log.namespace.as_str()), ("Pod", "shop"));
        assert_eq!((log.name.as_deref(), log.subresource.as_deref()), (Some("web-1"), Some("log")));
        let all = named("/apis/apps/v1/deployments");
        assert_eq!((all.kind.kind, all.namespace.as_str(), all.name), ("Deployment", "", None));
        let namespace = named("/api/v1/namespaces/shop");
        assert_eq!((namespace.kind.kind, namespace.name.as_deref()), ("Namespace", Some("shop")));
    }

    #[test]
    fn other_paths_are_unknown() {
        for path in ["/", "/apis/apps/v1/widgets", "/apis/nothing/v1/deployments", "/api/v1/namespaces/a/pods/b/log/c"]
        {
            assert_eq!(parse(path), Target::Unknown, "{path}");
        }
        assert_eq!(parse("/api/v1"), Target::Resources { group: String::new(), version: "v1".into() });
    }
}
