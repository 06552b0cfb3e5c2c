//! The middleware, in order from the outside in. Each layer has one job and its own file.
//!
//! | layer | why it stands there |
//! | --- | --- |
//! | client address | said by a proxy that is believed; everything inside counts and notes by it |
//! | request id + log line | everything inside is logged under one id that nobody outside can choose |
//! | security headers | on every answer, those of refusals and panics too |
//! | compression | outside of everything that makes an answer; the headers above need no body |
//! | problem -> page | outside of the layers that answer problems to browsers |
//! | panic -> problem | nothing that panics takes the connection down |
//! | time-out | a stuck handler ends; a body that streams may go on |
//! | body limit | before anything reads the body |
//! | path check | a path with U+0000 names nothing, and Postgres cannot be asked for it |
//! | site check | before a cookie is looked at |
//! | device cookie | after a sign-in, behind the session's own cookie |
//! | session, authentication | says who it is; a bad credential ends here |
//! | rates | by who it is, so inside authentication |
//! | read-only guard | who may write nothing at all reaches no writing route of the API |
//! | idempotency | inside authentication, since keys belong to a principal |

use super::authenticate::{self, read_only_guard};
use super::rates::{self, RateSettings, Rates};
use super::{compression, forwarded, idempotency, limits, plain_pages, request, security_headers, site};
use crate::identity::{IdentityService, device};
use crate::kernel::Db;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use passerelle_targets::networks::Networks;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

/// What the configuration says about the door.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// For example `https://portal.example`; unset, the `Host` header is what `Origin` must fit.
    pub public_origin: Option<String>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// For an answer to begin.
    pub timeout: Duration,
    pub rates: RateSettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            public_origin: None,
            trusted_proxies: Networks::default(),
            timeout: Duration::from_secs(60),
            rates: RateSettings { requests: 0, writes: 0 },
        }
    }
}

impl HttpSettings {
    /// People come by https, so cookies are `Secure` and HSTS is sent.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }
}

/// What the layers need.
#[derive(Debug, Clone)]
pub struct Stack {
    pub identity: IdentityService,
    pub db: Db,
    pub settings: HttpSettings,
}

/// Puts the layers around the routes.
pub fn stack(routes: Router, parts: Stack) -> Router {
    let Stack { identity, db, settings } = parts;
    let secure = settings.is_https();
    let sessions = identity.session_layer(secure);
    let settings = Arc::new(settings);
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(settings.trusted_proxies.clone(), forwarded::client_address))
        .layer(from_fn(request::identify_and_log))
        .layer(from_fn_with_state(secure, security_headers::set))
        .layer(compression::layer())
        .layer(from_fn(plain_pages::of_problems))
        .layer(CatchPanicLayer::custom(request::panicked))
        .layer(from_fn_with_state(settings.timeout, limits::timeout))
        .layer(from_fn(limits::body))
        .layer(from_fn(request::refuse_nul))
        .layer(from_fn_with_state(Arc::clone(&settings), site::check))
        .layer(from_fn_with_state(secure, device::give))
        .layer(sessions)
        .layer(from_fn_with_state(identity, authenticate::authenticate))
        .layer(from_fn_with_state(Rates::new(settings.rates), rates::limit))
        .layer(from_fn_with_state(db.clone(), read_only_guard))
        .layer(from_fn_with_state(db, idempotency::once));
    // The limit is ours (`limits::body`), per path; axum's own of 2 MB would come before it.
    routes.layer(axum::extract::DefaultBodyLimit::disable()).layer(layers)
}
