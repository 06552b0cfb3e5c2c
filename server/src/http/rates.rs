//! How many requests one may send in a minute: nobody by address, somebody by who they are, and changes of one kind once more.
//!
//! In memory: each process counts for itself. The files of the pages and the health of the process are not counted.

use crate::kernel::{AppError, Ctx, PrincipalKind};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use passerelle_targets::networks::shared_by_one;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

/// From so many keys on, those that have all their requests left again are forgotten before another one is kept.
const MANY_KEYS: usize = 10_000;

/// In a minute, and as many at once; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateSettings {
    /// Requests of one person or token; of one address where nobody is known.
    pub requests: u32,
    /// Changes of one person or token by one route.
    pub writes: u32,
}

type Keyed<K> = Option<RateLimiter<K, HashMapStateStore<K>, DefaultClock>>;

/// What is counted.
#[derive(Debug)]
pub(super) struct Rates {
    addresses: Keyed<IpAddr>,
    principals: Keyed<String>,
    writes: Keyed<(String, String)>,
}

impl Rates {
    pub(super) fn new(settings: RateSettings) -> Arc<Self> {
        let (requests, writes) = (settings.requests, settings.writes);
        Arc::new(Self { addresses: keyed(requests), principals: keyed(requests), writes: keyed(writes) })
    }
}

/// Stands inside authentication. A stranger's address counts for strangers only: behind one address there may be many people.
pub(super) async fn limit(State(rates): State<Arc<Rates>>, ctx: Ctx, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/static/") || matches!(path, "/healthz" | "/readyz") {
        return next.run(request).await;
    }
    let taken = match who(&ctx) {
        None => take(&rates.addresses, &shared_by_one(address(&request))),
        Some(who) => take(&rates.principals, &who).and_then(|()| {
            if request.method().is_safe() {
                return Ok(());
            }
            let route = request.extensions().get::<MatchedPath>().map_or(path, MatchedPath::as_str);
            take(&rates.writes, &(who, format!("{} {route}", request.method())))
        }),
    };
    match taken {
        Ok(()) => next.run(request).await,
        Err(retry_after_s) => AppError::RateLimited { retry_after_s }.into_response(),
    }
}

/// A user by whichever session, and each of their tokens for itself: a script that runs wild does not keep its owner out.
fn who(ctx: &Ctx) -> Option<String> {
    let principal = ctx.principal();
    match &principal.kind {
        PrincipalKind::Anonymous | PrincipalKind::System => None,
        PrincipalKind::Session { .. } => Some(principal.name.clone()),
        PrincipalKind::Token { id } => Some(format!("token:{id}")),
    }
}

fn address(request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
}

fn keyed<K: Hash + Eq + Clone>(per_minute: u32) -> Keyed<K> {
    NonZeroU32::new(per_minute).map(|count| RateLimiter::hashmap(Quota::per_minute(count)))
}

/// # Errors
/// Seconds to wait.
fn take<K: Hash + Eq + Clone>(limiter: &Keyed<K>, key: &K) -> Result<(), u64> {
    let Some(limiter) = limiter else { return Ok(()) };
    if limiter.len() >= MANY_KEYS {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(limiter.clock().now()).as_secs() + 1)
}

#[cfg(test)]
mod tests {
    use super::{RateSettings, Rates, take};

    #[test]
    fn each_key_has_its_own_count_and_is_told_how_long_to_wait() {
        let rates = Rates::new(RateSettings { requests: 3, writes: 0 });
        let key = |name: &str| name.to_owned();
        for _ in 0..3 {
            assert_eq!(take(&rates.principals, &key("ada")), Ok(()));
        }
        let wait = take(&rates.principals, &key("ada")).unwrap_err();
        assert!((1..=21).contains(&wait), "one comes back every twenty seconds, not {wait}");
        assert_eq!(take(&rates.principals, &key("bob")), Ok(()));
    }

    #[test]
    fn zero_is_no_limit() {
        let rates = Rates::new(RateSettings { requests: 0, writes: 0 });
        assert!((0..1000).all(|_| take(&rates.writes, &("ada".to_owned(), "POST /x".to_owned())).is_ok()));
    }
}
