//! Tokens that end by themselves and are asked for anew before that.

use crate::TargetError;
use async_trait::async_trait;
use std::fmt;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Where the bearer tokens of a connection come from.
#[async_trait]
pub(crate) trait Bearer: Send + Sync + fmt::Debug {
    /// A token that holds for a minute at least.
    async fn token(&self) -> Result<String, TargetError>;
}

/// A credential with its end. It prints as `***`.
#[derive(Clone)]
pub(crate) struct Timed<T> {
    pub value: T,
    /// Not used any more from here on.
    pub until: Instant,
}

impl<T> Timed<T> {
    /// `life` as the issuer tells it; `margin` of it is left unused.
    pub fn new(value: T, life: Duration, margin: Duration) -> Self {
        Self { value, until: Instant::now() + life.saturating_sub(margin) }
    }
}

impl<T> fmt::Debug for Timed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Keeps one credential; who asks while a new one is fetched waits for it.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<Option<Timed<T>>>);

impl<T: Clone> Kept<T> {
    pub const fn new() -> Self {
        Self(Mutex::const_new(None))
    }

    pub async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Result<T, TargetError>
    where
        F: Future<Output = Result<Timed<T>, TargetError>>,
    {
        let mut kept = self.0.lock().await;
        if let Some(timed) = kept.as_ref().filter(|timed| timed.until > Instant::now()) {
            return Ok(timed.value.clone());
        }
        let fresh = fetch().await?;
        let value = fresh.value.clone();
        *kept = Some(fresh);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_token_is_fetched_again_before_it_ends() {
        let (kept, fetched) = (Kept::new(), AtomicU32::new(0));
        let fetch = |life: u64| {
            let number = fetched.fetch_add(1, Ordering::Relaxed);
            async move { Ok(Timed::new(number, Duration::from_secs(life), Duration::from_secs(60))) }
        };
        assert_eq!(kept.get(|| fetch(600)).await, Ok(0));
        assert_eq!(kept.get(|| fetch(600)).await, Ok(0));
        let kept = Kept::new();
        assert_eq!(kept.get(|| fetch(30)).await, Ok(1), "one that is about to end is given once");
        assert_eq!(kept.get(|| fetch(600)).await, Ok(2));
        assert_eq!(format!("{kept:?}").matches("600").count(), 0);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let kept: Kept<u32> = Kept::new();
        let failed =
            kept.get(|| async { Err(TargetError::Forbidden(passerelle_contract::Text::verbatim("no"))) }).await;
        assert!(failed.is_err());
        let life = Duration::from_secs(600);
        assert_eq!(kept.get(|| async move { Ok(Timed::new(7, life, Duration::ZERO)) }).await, Ok(7));
    }
}
