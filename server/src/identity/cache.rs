//! Principals by the SHA-256 of their credential, so that a request needs no query to be authorised.
//!
//! An entry is used only while nothing says that access has changed: a change in this process empties the cache, a change in
//! another one is seen by the poll of [`super::jobs`]; without a poll in the last seconds nothing cached is believed.

use crate::kernel::Principal;
use parking_lot::{Mutex, RwLock};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const MAX_ENTRIES: usize = 50_000;
/// Covers the one case a poll cannot see: a process that ended between its commit and raising the version.
const MAX_AGE: Duration = Duration::from_secs(10);
const MAX_POLL_AGE: Duration = Duration::from_secs(5);
/// How often the last use of a credential is written down.
const TOUCH_EVERY: Duration = Duration::from_secs(30);

/// Whose last use is to be written down.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Touched {
    Session([u8; 32]),
    Token(String),
}

#[derive(Debug)]
struct Entry {
    principal: Arc<Principal>,
    ends_at: OffsetDateTime,
    loaded: Instant,
}

#[derive(Debug)]
pub(super) struct PrincipalCache {
    entries: RwLock<HashMap<[u8; 32], Entry>>,
    generation: AtomicU64,
    started: Instant,
    /// Milliseconds since `started`.
    polled_ms: AtomicU64,
    version: AtomicI64,
    touched: Mutex<HashSet<Touched>>,
    touched_at: Mutex<HashMap<[u8; 32], Instant>>,
}

impl PrincipalCache {
    pub(super) fn new() -> Self {
        Self {
            entries: RwLock::default(),
            generation: AtomicU64::new(0),
            started: Instant::now(),
            polled_ms: AtomicU64::new(0),
            version: AtomicI64::new(-1),
            touched: Mutex::default(),
            touched_at: Mutex::default(),
        }
    }

    pub(super) fn get(&self, key: &[u8; 32]) -> Option<Arc<Principal>> {
        let polled = Duration::from_millis(self.polled_ms.load(Ordering::Acquire));
        if self.started.elapsed().saturating_sub(polled) > MAX_POLL_AGE {
            return None;
        }
        let entries = self.entries.read();
        let entry = entries.get(key)?;
        let holds = entry.loaded.elapsed() < MAX_AGE && entry.ends_at > OffsetDateTime::now_utc();
        holds.then(|| entry.principal.clone())
    }

    /// Taken before loading a principal and given to [`Self::put`], so that what was read before a change is not kept after it.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn put(&self, key: [u8; 32], principal: Arc<Principal>, ends_at: OffsetDateTime, generation: u64) {
        let mut entries = self.entries.write();
        if self.generation() != generation {
            return;
        }
        if entries.len() >= MAX_ENTRIES {
            entries.clear();
        }
        entries.insert(key, Entry { principal, ends_at, loaded: Instant::now() });
    }

    pub(super) fn clear(&self) {
        let mut entries = self.entries.write();
        self.generation.fetch_add(1, Ordering::AcqRel);
        entries.clear();
    }

    /// What the poll saw.
    pub(super) fn saw_version(&self, version: i64) {
        if self.version.swap(version, Ordering::AcqRel) != version {
            self.clear();
        }
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.polled_ms.store(now, Ordering::Release);
    }

    /// Notes a use when a principal is loaded, which happens every few seconds while it is used.
    pub(super) fn touch(&self, key: [u8; 32], what: Touched) {
        let mut touched_at = self.touched_at.lock();
        let now = Instant::now();
        if touched_at.len() > MAX_ENTRIES {
            touched_at.clear();
        }
        if touched_at.get(&key).is_none_or(|at| now.duration_since(*at) >= TOUCH_EVERY) {
            touched_at.insert(key, now);
            self.touched.lock().insert(what);
        }
    }

    pub(super) fn take_touched(&self) -> Vec<Touched> {
        self.touched.lock().drain().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::PrincipalCache;
    use crate::kernel::{Ctx, Via};
    use std::sync::Arc;
    use time::{Duration, OffsetDateTime};

    #[test]
    fn what_was_read_before_a_change_is_not_believed_after_it() {
        let cache = PrincipalCache::new();
        let somebody = Ctx::system(Via::Job, "test").principal;
        let soon = OffsetDateTime::now_utc() + Duration::minutes(1);
        cache.saw_version(1);
        let before = cache.generation();
        cache.put([1; 32], Arc::clone(&somebody), soon, before);
        assert!(cache.get(&[1; 32]).is_some());
        cache.saw_version(1);
        assert!(cache.get(&[1; 32]).is_some());
        cache.saw_version(2);
        assert!(cache.get(&[1; 32]).is_none());
        cache.put([1; 32], Arc::clone(&somebody), soon, before);
        assert!(cache.get(&[1; 32]).is_none());
        cache.put([1; 32], somebody, OffsetDateTime::now_utc() - Duration::seconds(1), cache.generation());
        assert!(cache.get(&[1; 32]).is_none());
    }
}
