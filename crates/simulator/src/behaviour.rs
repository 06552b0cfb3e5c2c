//! What an image does when it runs, told by its name: the tests and the demo choose a failure by choosing a tag.

/// See the crate's documentation for the table of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Healthy,
    /// Ends with status 1 shortly after its start, with a line on stderr.
    Crash,
    /// The registry does not know it.
    Missing,
    /// Runs, but its readiness probe never passes.
    Unready,
    /// Runs, but neither readiness nor liveness pass (`tinyweb:v3`).
    Unhealthy,
    /// Serves well, but as a Job ends with status 1: a migration that fails (contains `migration-fails`).
    FailingTask,
    /// Asks for more than any node has.
    Unschedulable,
}

impl Behaviour {
    pub(crate) fn of(image: &str) -> Self {
        let name = image.split('@').next().unwrap_or(image).to_ascii_lowercase();
        let has = |word: &str| name.contains(word);
        if has("no-such") || has("missing") {
            Self::Missing
        } else if has("unschedulable") {
            Self::Unschedulable
        } else if has("crash") || name.ends_with("tinyweb:v4") {
            Self::Crash
        } else if name.ends_with("tinyweb:v3") {
            Self::Unhealthy
        } else if has("migration-fails") {
            Self::FailingTask
        } else if has("unready") {
            Self::Unready
        } else {
            Self::Healthy
        }
    }
}

/// The tag, or the digest's start when the image has no tag.
pub(crate) fn version_of(image: &str) -> &str {
    let without_digest = image.split('@').next().unwrap_or(image);
    let file = without_digest.rsplit('/').next().unwrap_or(without_digest);
    match file.split_once(':') {
        Some((_, tag)) => tag,
        None => "latest",
    }
}

/// The last name of the image's path, without tag.
pub(crate) fn short_name(image: &str) -> &str {
    let without_digest = image.split('@').next().unwrap_or(image);
    let file = without_digest.rsplit('/').next().unwrap_or(without_digest);
    file.split(':').next().unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_behaviours() {
        for (image, expected) in [
            ("registry.example/shop/web:1.2.3", Behaviour::Healthy),
            ("tinyweb:v2", Behaviour::Healthy),
            ("127.0.0.1:15000/tinyweb:v3", Behaviour::Unhealthy),
            ("tinyweb:v4", Behaviour::Crash),
            ("web:crash-on-start", Behaviour::Crash),
            ("web:no-such-tag", Behaviour::Missing),
            ("web:2.0-unready", Behaviour::Unready),
            ("web:unschedulable", Behaviour::Unschedulable),
        ] {
            assert_eq!(Behaviour::of(image), expected, "{image}");
        }
    }

    #[test]
    fn a_port_is_not_a_tag() {
        assert_eq!(version_of("127.0.0.1:15000/web"), "latest");
        assert_eq!(version_of("127.0.0.1:15000/web:v1@sha256:00"), "v1");
        assert_eq!(short_name("127.0.0.1:15000/web:v1"), "web");
    }
}
