//! Leaving for a provider: what is pending is sealed into a cookie, so that nobody who is not signed in makes rows by asking.

use super::{ProviderError, Providers};
use crate::identity::model::Client;
use crate::identity::service::IdentityService;
use crate::kernel::{AppError, Ctx, PrincipalKind};
use passerelle_oidc::Pending;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

/// How long somebody may be away.
const MINUTES: i64 = 10;
const MAX_NEXT: usize = 1000;
/// What the sealed value is bound to.
pub(super) const PLACE: &str = "sign_in:pending";
const COOKIE: &str = "passerelle_sign_in";
const COOKIE_SECURE: &str = "__Host-passerelle_sign_in";

/// Where to send the browser, with the cookie that goes along.
#[derive(Debug, Clone)]
pub struct Departure {
    pub url: String,
    /// A whole `Set-Cookie`.
    pub cookie: String,
}

/// Sealed into the cookie.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Away {
    pub(super) pending: Pending,
    pub(super) next: String,
    /// Seconds since 1970.
    pub(super) until: i64,
    pub(super) purpose: Purpose,
}

/// What somebody goes to a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Purpose {
    SignIn,
    /// A further way to sign in.
    Link(Holder),
    /// Showing again who they are.
    Confirm(Holder),
}

/// Whose session it was when they left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) user: Uuid,
    session: Uuid,
}

impl Holder {
    /// # Errors
    /// `Unauthenticated` without a session.
    pub(super) fn of(ctx: &Ctx) -> Result<Self, AppError> {
        let principal = ctx.principal();
        match (&principal.kind, principal.user_id) {
            (PrincipalKind::Session { id, .. }, Some(user)) => Ok(Self { user, session: *id }),
            _ => Err(AppError::Unauthenticated),
        }
    }

    /// Whether it is still the same session.
    pub(super) fn is(self, ctx: &Ctx) -> bool {
        Self::of(ctx).is_ok_and(|holder| holder == self)
    }
}

impl Providers {
    pub(super) fn cookie_name(&self) -> &'static str {
        if self.secure() { COOKIE_SECURE } else { COOKIE }
    }

    /// A `Set-Cookie`; an empty value takes it away. `Lax`, because the provider sends people back by a link.
    pub(super) fn cookie(&self, value: &str) -> String {
        let (name, age) = (self.cookie_name(), if value.is_empty() { 0 } else { MINUTES * 60 });
        let secure = if self.secure() { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }
}

impl IdentityService {
    /// To the provider, and afterwards to `next`.
    ///
    /// # Errors
    /// When there is no such provider, or it cannot be asked (with an audit row); `RateLimited` after too many of those.
    pub async fn leave_for(
        &self,
        ctx: &Ctx,
        id: &str,
        next: &str,
        client: &Client,
    ) -> Result<Departure, ProviderError> {
        self.depart(ctx, id, (local_path(next), Purpose::SignIn), client).await
    }

    pub(super) async fn depart(
        &self,
        ctx: &Ctx,
        id: &str,
        (next, purpose): (String, Purpose),
        client: &Client,
    ) -> Result<Departure, ProviderError> {
        let (providers, known) = self.at(id)?;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let begun = match purpose {
            Purpose::Confirm(_) => known.door.begin_again(&providers.wire, now).await,
            Purpose::SignIn | Purpose::Link(_) => known.door.begin(&providers.wire).await,
        };
        let (url, pending) = match begun {
            Ok(begun) => begun,
            Err(refused) => {
                self.count_failure(client)?;
                self.refused_at(ctx, id, client, refused.cause).await?;
                return Err(refused.into());
            }
        };
        let away = Away { pending, next, until: now + MINUTES * 60, purpose };
        let plain = serde_json::to_string(&away).map_err(AppError::internal)?;
        let sealed = self.keys.seal(PLACE, &plain)?;
        Ok(Departure { url: url.into(), cookie: providers.cookie(&sealed) })
    }

    /// The page on which one signs out at the provider as well.
    ///
    /// # Errors
    /// As [`Self::leave_for`].
    pub async fn sign_out_at(&self, id: &str) -> Result<Option<String>, ProviderError> {
        let (providers, known) = self.at(id)?;
        let back = format!("{}/sign-in", providers.origin);
        Ok(known.door.sign_out_url(&providers.wire, &back).await?.map(String::from))
    }

    /// The cookie of a pending sign-in: its name, and the `Set-Cookie` that takes it away.
    #[must_use]
    pub fn pending_cookie(&self) -> Option<(&'static str, String)> {
        self.providers.get().map(|providers| (providers.cookie_name(), providers.cookie("")))
    }
}

/// A path of this portal, or its home page for everything that could be read as leading elsewhere, now or after one decoding.
#[must_use]
pub fn local_path(text: &str) -> String {
    const BASE: &str = "https://portal.invalid";
    let odd = |text: &str| {
        !text.starts_with('/')
            || text.starts_with("//")
            || text.contains(['\\', '\u{fffd}'])
            || text.chars().any(|c| c.is_control() || c.is_whitespace())
    };
    let path = text.split(['?', '#']).next().unwrap_or_default();
    // `%2f` and `%09` become what they mean when somebody decodes once more; `+` is no blank in a path.
    let decoded = decode(path);
    let again = decode(&decoded);
    let bad = text.len() > MAX_NEXT || odd(text) || odd(&decoded) || odd(&again) || decoded.starts_with("/auth/");
    let base = Url::parse(BASE);
    let stays = base.is_ok_and(|base| base.join(text).is_ok_and(|url| url.origin() == base.origin()));
    if bad || !stays { "/".to_owned() } else { text.to_owned() }
}

/// What is no UTF-8 shows as U+FFFD.
fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn the_way_back_stays_in_the_portal() {
        for good in ["/", "/services?q=a%20b&team=x%2Fy", "/services/shop/web#live", "/deployments/1", "/a%20b"] {
            let same = if good == "/a%20b" { "/" } else { good };
            assert_eq!(local_path(good), same);
        }
        for bad in [
            "",
            "services",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/%09/evil.example",
            "/%2f/evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%252fevil.example",
            "https://evil.example",
            "javascript:alert(1)",
            " /x",
            "/x\r\nSet-Cookie: a=b",
            "/%0d%0aSet-Cookie:a",
            "/auth/company/sign-out",
            "/%61uth/company/sign-out",
            "/\u{2028}x",
            "/%ff",
        ] {
            assert_eq!(local_path(bad), "/", "{bad:?}");
        }
        assert_eq!(local_path(&format!("/{}", "a".repeat(1000))), "/");
    }
}
