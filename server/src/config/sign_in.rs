//! Who people sign in with: providers of OpenID Connect, and whether a password does.

use super::ConfigError;
use super::reference::Reference;
use crate::kernel::validate;
use passerelle_contract::access::{Role, RoleGrant, Scope};
use serde::Deserialize;
use std::time::Duration;

const MAX_PROVIDERS: usize = 20;
const MAX_ROLES: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    pub local: LocalSignIn,
    /// After how many minutes an act in production asks a person again who they are; 0 never does.
    pub confirm_after_minutes: u32,
    pub providers: Vec<ProviderConfig>,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self { local: LocalSignIn::default(), confirm_after_minutes: 240, providers: Vec::new() }
    }
}

impl SignInConfig {
    #[must_use]
    pub fn confirm_after(&self) -> Option<Duration> {
        (self.confirm_after_minutes > 0).then(|| Duration::from_secs(60 * u64::from(self.confirm_after_minutes)))
    }
}

/// Who may sign in with a password, once a provider has been seen to work. Until then everybody may, so that nobody is locked out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalSignIn {
    #[default]
    Everybody,
    /// The emergency door: administrators of everything.
    Administrators,
    Nobody,
}

/// A provider as it is written in the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// In our own addresses, and beside the roles that come from it.
    pub id: String,
    /// On the button.
    pub name: String,
    #[serde(default)]
    pub kind: ProviderKind,
    /// As the provider writes it, to the letter.
    #[serde(default)]
    issuer: Option<String>,
    /// Microsoft's directory.
    #[serde(default)]
    tenant: Option<String>,
    pub client_id: String,
    #[serde(default)]
    client_secret: Option<String>,
    /// Beside `openid`, `profile`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The claim that lists groups.
    #[serde(default)]
    pub groups_claim: Option<String>,
    #[serde(default)]
    roles: Vec<GroupRole>,
}

/// What is known of a provider beforehand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    #[default]
    Oidc,
    Google,
    Microsoft,
    Gitlab,
    /// OAuth 2, without OpenID Connect: `github.com`, or a GitHub Enterprise by its address.
    Github,
}

/// Whoever is in the group has the role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupRole {
    /// The group's id, which does not change with its name.
    group: String,
    role: Role,
    /// `everything`, `team:namespace/name`, `system:namespace/name` or `tier:staging`.
    #[serde(default)]
    scope: Option<String>,
}

impl ProviderConfig {
    /// The issuer, given or known; empty only before [`SignInConfig::check`].
    #[must_use]
    pub fn issuer(&self) -> String {
        match (self.kind, &self.issuer, &self.tenant) {
            (ProviderKind::Google, ..) => "https://accounts.google.com".to_owned(),
            (ProviderKind::Microsoft, _, Some(tenant)) => format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            (ProviderKind::Github, None, _) => passerelle_oidc::GITHUB.to_owned(),
            (ProviderKind::Gitlab, None, _) => "https://gitlab.com".to_owned(),
            (_, issuer, _) => issuer.clone().unwrap_or_default(),
        }
    }

    /// Where the client's secret is; none for a client that has only PKCE.
    #[must_use]
    pub fn secret(&self) -> Option<Reference> {
        self.client_secret.as_deref().and_then(|text| Reference::parse(text).ok())
    }

    /// Group and role, in the order of the file.
    #[must_use]
    pub fn group_roles(&self) -> Vec<(String, RoleGrant)> {
        let grant = |one: &GroupRole| Some(RoleGrant { role: one.role, scope: scope(one.scope.as_deref()).ok()? });
        self.roles.iter().filter_map(|one| Some((one.group.clone(), grant(one)?))).collect()
    }

    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |field: &str, why: &str| Err((field.to_owned(), why.to_owned()));
        if let Err(why) = validate::slug(&self.id, 30) {
            return wrong("id", &why.to_string());
        }
        if let Err(why) = validate::line(&self.name, 1, 40) {
            return wrong("name", &why.to_string());
        }
        self.check_issuer()?;
        if self.client_id.is_empty()
            || self.client_id.len() > 300
            || !self.client_id.chars().all(|c| c.is_ascii_graphic())
        {
            return wrong("client_id", "must be 1 to 300 visible characters");
        }
        match self.client_secret.as_deref().map(Reference::parse) {
            Some(Err(why)) => return wrong("client_secret", &why),
            Some(Ok(reference)) => {
                reference.read().map_err(|why| ("client_secret".to_owned(), why))?;
            }
            None => {}
        }
        if self.scopes.len() > 20 || self.scopes.iter().any(|scope| !word(scope)) {
            return wrong("scopes", "must be at most 20 words without spaces and quotes");
        }
        if self.groups_claim.as_deref().is_some_and(|claim| !word(claim)) {
            return wrong("groups_claim", "must be the name of a claim, such as groups");
        }
        if self.kind == ProviderKind::Github {
            self.check_github()?;
        } else if self.groups_claim.is_none() && !self.roles.is_empty() {
            return wrong("groups_claim", "must name the claim that the roles are read from");
        }
        self.check_roles()
    }

    /// GitHub has no claims: groups are organisations and teams, by their numbers.
    fn check_github(&self) -> Result<(), (String, String)> {
        let wrong = |field: &str, why: &str| Err((field.to_owned(), why.to_owned()));
        if self.client_secret.is_none() {
            return wrong("client_secret", "is missing; GitHub takes no code without it");
        }
        if !self.scopes.is_empty() {
            return wrong("scopes", "follow from roles for github; leave them out");
        }
        if self.groups_claim.is_some() {
            return wrong(
                "groups_claim",
                "is not for github; organisations and teams are asked for when roles name them",
            );
        }
        let address = self.issuer();
        if address.ends_with('/') || url::Url::parse(&address).is_ok_and(|url| url.path() != "/") {
            return wrong(
                "issuer",
                "must be an address such as https://github.example.org, without a path and a slash at the end",
            );
        }
        let number = |text: &str| {
            (1..=18).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit()) && !text.starts_with('0')
        };
        for (index, one) in self.roles.iter().enumerate() {
            let kind = one.group.split_once(':');
            if !kind.is_some_and(|(kind, id)| matches!(kind, "organization" | "team") && number(id)) {
                let why = "must be organization:NUMBER or team:NUMBER for github: names can be taken by somebody else";
                return wrong(&format!("roles[{index}].group"), why);
            }
        }
        Ok(())
    }

    fn check_issuer(&self) -> Result<(), (String, String)> {
        let wrong = |field: &str, why: &str| Err((field.to_owned(), why.to_owned()));
        match (self.kind, &self.issuer, &self.tenant) {
            (ProviderKind::Google, Some(_), _) => return wrong("issuer", "is known for google; leave it out"),
            (ProviderKind::Microsoft, Some(_), _) => {
                return wrong("issuer", "follows from tenant for microsoft; leave it out");
            }
            (ProviderKind::Microsoft, None, tenant) => {
                // `common` and `organizations` are everybody's directory: each person has another issuer.
                let good = tenant.as_deref().is_some_and(|tenant| uuid::Uuid::parse_str(tenant).is_ok());
                if !good {
                    return wrong(
                        "tenant",
                        "must be the id of the directory (a UUID), not its name and not \"common\"",
                    );
                }
            }
            (ProviderKind::Oidc, None, _) => return wrong("issuer", "is missing"),
            (_, _, Some(_)) => return wrong("tenant", "is for microsoft only"),
            _ => {}
        }
        let issuer = self.issuer();
        let good = url::Url::parse(&issuer).is_ok_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if good {
            Ok(())
        } else {
            wrong("issuer", "must be an address such as https://id.example.org/realms/us, without a query")
        }
    }

    fn check_roles(&self) -> Result<(), (String, String)> {
        if self.roles.len() > MAX_ROLES {
            return Err(("roles".to_owned(), format!("must be at most {MAX_ROLES}")));
        }
        for (index, one) in self.roles.iter().enumerate() {
            if let Err(why) = validate::line(&one.group, 1, 256) {
                return Err((format!("roles[{index}].group"), why.to_string()));
            }
            scope(one.scope.as_deref()).map_err(|why| (format!("roles[{index}].scope"), why))?;
        }
        Ok(())
    }
}

/// A name of OAuth's grammar: no spaces, quotes, or what is not ASCII.
fn word(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\'))
}

fn scope(text: Option<&str>) -> Result<Scope, String> {
    let text = text.unwrap_or("everything");
    let key = |key: &str| validate::service_key(key).map(|_| key.to_owned()).map_err(|why| why.to_string());
    match text.split_once(':') {
        None if text == "everything" => Ok(Scope::Everything),
        Some(("team", team)) => key(team).map(Scope::Team),
        Some(("system", system)) => key(system).map(Scope::System),
        Some(("tier", tier)) if ["development", "staging", "production"].contains(&tier) => {
            Ok(Scope::Tier(tier.to_owned()))
        }
        _ => Err("must be everything, team:namespace/name, system:namespace/name, or tier: with development, staging or production".to_owned()),
    }
}

impl SignInConfig {
    /// # Errors
    /// The first value that cannot work, with its key.
    pub(super) fn check(&self, public_origin: Option<&str>) -> Result<(), ConfigError> {
        if self.local != LocalSignIn::Everybody && self.providers.is_empty() {
            return Err(ConfigError::value("sign_in.local", "must be everybody as long as there is no provider"));
        }
        if !self.providers.is_empty() && public_origin.is_none() {
            let why = "must be set when there are providers to sign in with: they send people back to it";
            return Err(ConfigError::value("server.public_origin", why));
        }
        if self.providers.len() > MAX_PROVIDERS {
            return Err(ConfigError::value("sign_in.providers", &format!("must be at most {MAX_PROVIDERS}")));
        }
        for (index, provider) in self.providers.iter().enumerate() {
            let key = |field: &str| format!("sign_in.providers[{index}].{field}");
            provider.check().map_err(|(field, why)| ConfigError::value(&key(&field), &why))?;
            let before = || self.providers.iter().take(index);
            if before().any(|other| other.id == provider.id) {
                return Err(ConfigError::value(&key("id"), "is the id of another provider"));
            }
            // Two entries for one issuer would give one person two sets of roles that take each other away.
            if before().any(|other| other.issuer() == provider.issuer()) {
                return Err(ConfigError::value(&key("issuer"), "is the issuer of another provider"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load;

    const ORIGIN: &str = "[server]\npublic_origin = \"https://portal.example\"\n";
    const GOOD: &str =
        "id = \"company\"\nname = \"Company\"\nissuer = \"https://id.example/realms/us\"\nclient_id = \"passerelle\"\n";

    const GITHUB: &str =
        "id = \"gh\"\nname = \"GitHub\"\nkind = \"github\"\nclient_id = \"Iv1.abc\"\nclient_secret = \"env:PATH\"\n";

    fn read(provider: &str) -> Result<super::SignInConfig, String> {
        let text = format!("{ORIGIN}[[sign_in.providers]]\n{provider}");
        load(Some(&text), std::iter::empty()).map(|config| config.sign_in).map_err(|error| error.to_string())
    }

    #[test]
    fn a_provider_is_read_with_its_roles() {
        let roles = "groups_claim = \"groups\"\n[[sign_in.providers.roles]]\ngroup = \"7f\"\nrole = \"operator\"\nscope = \"team:shop/sellers\"\n";
        let read = read(&format!("{GOOD}{roles}")).unwrap();
        let provider = &read.providers[0];
        assert_eq!((provider.issuer().as_str(), provider.secret()), ("https://id.example/realms/us", None));
        assert_eq!(provider.group_roles().len(), 1);
    }

    #[test]
    fn issuers_that_are_known_are_not_typed() {
        let rest = "id = \"a\"\nname = \"A\"\nclient_id = \"x\"\n";
        let issuer = |text: &str| read(&format!("{rest}{text}")).unwrap().providers[0].issuer();
        assert_eq!(issuer("kind = \"google\""), "https://accounts.google.com");
        assert_eq!(issuer("kind = \"gitlab\""), "https://gitlab.com");
        assert_eq!(issuer("kind = \"gitlab\"\nissuer = \"https://git.example\""), "https://git.example");
        let tenant = "6f1c2a30-0000-4000-8000-000000000001";
        let microsoft = issuer(&format!("kind = \"microsoft\"\ntenant = \"{tenant}\""));
        assert_eq!(microsoft, format!("https://login.microsoftonline.com/{tenant}/v2.0"));
    }

    #[test]
    fn github_is_itself_or_an_enterprise_with_groups_by_number() {
        let roles = "roles = [{ group = \"organization:9919\", role = \"viewer\" }, { group = \"team:1\", role = \"admin\" }]\n";
        let plain = read(&format!("{GITHUB}{roles}")).unwrap();
        assert_eq!(
            (plain.providers[0].issuer().as_str(), plain.providers[0].group_roles().len()),
            ("https://github.com", 2)
        );
        let enterprise = read(&format!("{GITHUB}issuer = \"https://github.example\"\n")).unwrap();
        assert_eq!(enterprise.providers[0].issuer(), "https://github.example");
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_key() {
        let with = |from: &str, to: &str| GOOD.replace(from, to);
        for (key, text) in [
            ("providers[0].id", with("\"company\"", "\"Company !\"")),
            ("providers[0].name", with("\"Company\"", "\"\"")),
            ("providers[0].issuer", with("https://id.example/realms/us", "id.example")),
            ("providers[0].issuer", with("https://id.example/realms/us", "https://u:p@id.example/?x=1")),
            ("providers[0].client_id", with("\"passerelle\"", "\"a b\"")),
            ("providers[0].client_secret", format!("{GOOD}client_secret = \"hunter2\"\n")),
            ("providers[0].client_secret", format!("{GOOD}client_secret = \"env:PASSERELLE_NO_SUCH_VARIABLE\"\n")),
            ("providers[0].client_secret", format!("{GOOD}client_secret = \"file:/no/such/file\"\n")),
            ("providers[0].scopes", format!("{GOOD}scopes = [\"a b\"]\n")),
            ("providers[0].groups_claim", format!("{GOOD}roles = [{{ group = \"a\", role = \"admin\" }}]\n")),
            (
                "roles[0].scope",
                format!(
                    "{GOOD}groups_claim = \"g\"\nroles = [{{ group = \"a\", role = \"admin\", scope = \"all\" }}]\n"
                ),
            ),
            ("roles[0].group", format!("{GOOD}groups_claim = \"g\"\nroles = [{{ group = \"\", role = \"admin\" }}]\n")),
            ("providers[0].tenant", format!("{GOOD}tenant = \"x\"\n")),
            (
                "providers[0].tenant",
                "id = \"a\"\nname = \"A\"\nclient_id = \"x\"\nkind = \"microsoft\"\ntenant = \"common\"\n".to_owned(),
            ),
            ("providers[1].id", format!("{GOOD}[[sign_in.providers]]\n{GOOD}")),
            ("providers[1].issuer", format!("{GOOD}[[sign_in.providers]]\n{}", with("\"company\"", "\"other\""))),
            ("providers[0].client_secret", GITHUB.replace("client_secret = \"env:PATH\"\n", "")),
            ("providers[0].scopes", format!("{GITHUB}scopes = [\"repo\"]\n")),
            ("providers[0].groups_claim", format!("{GITHUB}groups_claim = \"groups\"\n")),
            ("providers[0].issuer", format!("{GITHUB}issuer = \"https://github.example/\"\n")),
            ("providers[0].issuer", format!("{GITHUB}issuer = \"https://github.example/login\"\n")),
            ("roles[0].group", format!("{GITHUB}roles = [{{ group = \"acme\", role = \"admin\" }}]\n")),
            ("roles[0].group", format!("{GITHUB}roles = [{{ group = \"team:acme/web\", role = \"admin\" }}]\n")),
            ("color", format!("{GOOD}color = \"red\"\n")),
            ("owner", format!("{GOOD}groups_claim = \"g\"\nroles = [{{ group = \"a\", role = \"owner\" }}]\n")),
        ] {
            let said = read(&text).unwrap_err();
            assert!(said.contains(key), "{key}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        let without =
            load(Some(&format!("[[sign_in.providers]]\n{GOOD}")), std::iter::empty()).unwrap_err().to_string();
        assert!(without.contains("server.public_origin"), "{without}");
        let alone = load(Some("[sign_in]\nlocal = \"nobody\"\n"), std::iter::empty()).unwrap_err().to_string();
        assert!(alone.contains("sign_in.local"), "{alone}");
    }
}
