//! HashiCorp Vault or OpenBao, where secrets of connections and channels may be kept instead of here.

use super::ConfigError;
use super::reference::Reference;
use serde::Deserialize;

const KUBERNETES_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaultConfig {
    /// `https://vault.example.org:8200`; empty: there is none.
    pub address: String,
    /// The namespace that everything is asked in; empty: the root.
    pub namespace: String,
    /// A PEM file with the authority of its certificate; empty: those of the system.
    pub ca_file: String,
    /// Where the KV engine, version 2, is mounted.
    pub mount: String,
    /// The folder in it below which `{"vault": "PATH#FIELD"}` may name secrets; empty: all of the mount.
    pub folder: String,
    /// Token sign-in: `env:NAME` or `file:/path`.
    pub token: String,
    /// Kubernetes sign-in: the role.
    pub kubernetes_role: String,
    /// Where that sign-in is mounted.
    pub kubernetes_mount: String,
    /// The token of the pod's service account.
    pub kubernetes_token_file: String,
    /// How long a secret that was read is kept, in seconds.
    pub cache_s: u64,
}

impl Default for VaultConfig {
    fn default() -> Self {
        Self {
            address: String::new(),
            namespace: String::new(),
            ca_file: String::new(),
            mount: "secret".to_owned(),
            folder: "passerelle".to_owned(),
            token: String::new(),
            kubernetes_role: String::new(),
            kubernetes_mount: "kubernetes".to_owned(),
            kubernetes_token_file: KUBERNETES_TOKEN.to_owned(),
            cache_s: 60,
        }
    }
}

impl VaultConfig {
    /// Where the token is; none for the sign-in of Kubernetes.
    #[must_use]
    pub fn token(&self) -> Option<Reference> {
        Reference::parse(&self.token).ok()
    }

    /// # Errors
    /// The first value that cannot work, with its key.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, why: &str| Err(ConfigError::value(&format!("vault.{key}"), why));
        if self.address.is_empty() {
            let alone = !self.token.is_empty() || !self.kubernetes_role.is_empty();
            return if alone { wrong("address", "is missing") } else { Ok(()) };
        }
        if !good_address(&self.address) {
            return wrong(
                "address",
                "must be like https://vault.example.org:8200, without a path; http for this machine only",
            );
        }
        for (key, path, may_be_empty) in [
            ("mount", &self.mount, false),
            ("folder", &self.folder, true),
            ("namespace", &self.namespace, true),
            ("kubernetes_mount", &self.kubernetes_mount, false),
        ] {
            if !(may_be_empty && path.is_empty() || is_path(path)) {
                return wrong(key, "must be names of letters, digits, - _ and . with / between");
            }
        }
        match (self.token.is_empty(), self.kubernetes_role.is_empty()) {
            (true, true) => return wrong("token", "or kubernetes_role must be given: how the portal signs in"),
            (false, false) => return wrong("token", "and kubernetes_role exclude each other"),
            (false, true) => {
                if let Err(why) = Reference::parse(&self.token) {
                    return wrong("token", &why);
                }
            }
            (true, false) if !is_path(&self.kubernetes_role) => {
                return wrong("kubernetes_role", "must be the name of a role");
            }
            (true, false) => {}
        }
        if self.cache_s > 3600 {
            return wrong("cache_s", "must be at most 3600");
        }
        Ok(())
    }
}

fn good_address(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| is_safe_origin(&url) && url.path() == "/" && url.query().is_none())
}

/// Over TLS or on this machine, and without a password in it.
pub(super) fn is_safe_origin(url: &url::Url) -> bool {
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    (url.scheme() == "https" || url.scheme() == "http" && here)
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
}

/// Names with slashes between, none of which leads up.
#[must_use]
pub fn is_path(text: &str) -> bool {
    let name = |name: &str| {
        (1..=200).contains(&name.len())
            && !name.chars().all(|c| c == '.')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    text.len() <= 1000 && text.split('/').all(name)
}

#[cfg(test)]
mod tests {
    use super::is_path;
    use crate::config::load;

    #[test]
    fn what_cannot_work_is_refused_with_its_key() {
        let read = |text: &str| load(Some(&format!("[vault]\n{text}")), std::iter::empty()).map_err(|e| e.to_string());
        let good = "address = \"https://vault.example:8200\"\ntoken = \"env:VAULT_TOKEN\"\n";
        assert!(read(good).is_ok() && read("").is_ok());
        for (key, text) in [
            ("vault.address", "token = \"env:X\"\n".to_owned()),
            ("vault.address", good.replace("https", "http")),
            ("vault.address", good.replace(":8200", ":8200/v1")),
            ("vault.token", good.replace("env:VAULT_TOKEN", "hvs.secret")),
            ("vault.token", format!("{good}kubernetes_role = \"portal\"\n")),
            ("vault.token", "address = \"https://vault.example\"\n".to_owned()),
            ("vault.mount", format!("{good}mount = \"\"\n")),
            ("vault.mount", format!("{good}mount = \"a/../sys\"\n")),
            ("vault.folder", format!("{good}folder = \"/a\"\n")),
            ("vault.cache_s", format!("{good}cache_s = 3601\n")),
        ] {
            let said = read(&text).unwrap_err();
            assert!(said.contains(key) && !said.contains("hvs.secret"), "{key}: {said}");
        }
    }

    #[test]
    fn a_path_leads_nowhere_else() {
        assert!(is_path("a/b-c/d_e.f") && is_path("a"));
        for bad in ["", "/a", "a/", "a//b", "..", "a/../b", "a/.", "a b", "a?b", "a%2fb", "a#b", "é"] {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
