//! From the name of an image to its registry and its repository there. Pure.

use crate::ImageRef;

/// What images without a host are names of.
pub(super) const DOCKER_HUB: &str = "docker.io";

/// Where an image is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// As the image names it; Docker Hub is `docker.io`.
    pub host: String,
    pub repository: String,
    /// The digest where there is one, else the tag.
    pub reference: String,
}

/// The first part is a host when it could not be part of a repository's name on Docker Hub.
fn host_of(name: &str) -> Option<(&str, &str)> {
    let (first, rest) = name.split_once('/')?;
    (first.contains(['.', ':']) || first == "localhost").then_some((first, rest))
}

/// Whether the name says where the image is. One that does not may be a mirror's, or a node's own.
#[must_use]
pub fn names_its_registry(image: &ImageRef) -> bool {
    host_of(&image.name).is_some()
}

/// Its registry, written in one way.
#[must_use]
pub fn registry_of(image: &ImageRef) -> String {
    host_of(&image.name).map_or_else(|| DOCKER_HUB.to_owned(), |(host, _)| normal(host))
}

pub(super) fn normal(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => DOCKER_HUB.to_owned(),
        _ => host,
    }
}

impl Place {
    #[must_use]
    pub fn of(image: &ImageRef) -> Self {
        let host = registry_of(image);
        let path = host_of(&image.name).map_or(image.name.as_str(), |(_, rest)| rest);
        let official = host == DOCKER_HUB && !path.contains('/');
        let repository = if official { format!("library/{path}") } else { path.to_owned() };
        let tag = || image.tag.clone().unwrap_or_else(|| "latest".to_owned());
        Self { host, repository, reference: image.digest.clone().unwrap_or_else(tag) }
    }
}

/// Where the API of a host is. This machine's own registries speak plain HTTP, as container engines take it too.
pub(super) fn origin(host: &str) -> String {
    if host == DOCKER_HUB {
        return "https://registry-1.docker.io".to_owned();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let scheme = if matches!(name, "localhost" | "127.0.0.1") { "http" } else { "https" };
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_registries() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (image, host, repository, reference) in [
            ("nginx", "docker.io", "library/nginx", "latest"),
            ("acme/web:1.2", "docker.io", "acme/web", "1.2"),
            ("docker.io/nginx:1", "docker.io", "library/nginx", "1"),
            ("index.docker.io/acme/web:1", "docker.io", "acme/web", "1"),
            ("ghcr.io/acme/web:1", "ghcr.io", "acme/web", "1"),
            ("europe-west1-docker.pkg.dev/p/r/web:1", "europe-west1-docker.pkg.dev", "p/r/web", "1"),
            ("exai.azurecr.io/api-gateway:1", "exai.azurecr.io", "api-gateway", "1"),
            ("127.0.0.1:15000/tinyweb:v1", "127.0.0.1:15000", "tinyweb", "v1"),
            ("localhost/web:1", "localhost", "web", "1"),
            (&format!("ghcr.io/acme/web:1@{digest}"), "ghcr.io", "acme/web", digest.as_str()),
        ] {
            let image = ImageRef::parse(image).unwrap();
            let expected = Place { host: host.into(), repository: repository.into(), reference: reference.into() };
            assert_eq!(Place::of(&image), expected);
        }
        assert!(!names_its_registry(&ImageRef::parse("acme/web:1").unwrap()));
        assert!(names_its_registry(&ImageRef::parse("ghcr.io/acme/web:1").unwrap()));
    }

    #[test]
    fn only_this_machine_is_asked_in_the_clear() {
        assert_eq!(origin("docker.io"), "https://registry-1.docker.io");
        assert_eq!(origin("ghcr.io"), "https://ghcr.io");
        assert_eq!(origin("10.0.0.1:5000"), "https://10.0.0.1:5000");
        assert_eq!(origin("127.0.0.1.evil.test"), "https://127.0.0.1.evil.test");
        assert_eq!(origin("127.0.0.1:15000"), "http://127.0.0.1:15000");
    }
}
