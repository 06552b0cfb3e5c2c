//! What identity does by the clock: notice changes of other processes, write last uses down, sweep what has ended.

use super::cache::Touched;
use super::service::IdentityService;
use super::store;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How soon a role taken away in another process acts here.
pub const POLL: Duration = Duration::from_secs(1);
const FLUSH_EVERY: u32 = 10;
const SWEEP_EVERY: u32 = 600;

/// Runs until stopped; every process that answers requests runs one.
pub async fn run(identity: IdentityService, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(POLL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = identity.keep_up(round).await {
            tracing::debug!(%error, "access could not be polled");
        }
        round = round.wrapping_add(1);
    }
}

impl IdentityService {
    /// One round of the job.
    ///
    /// # Errors
    /// When the database is away; cached principals are not believed for long then.
    pub async fn keep_up(&self, round: u32) -> crate::kernel::Result<()> {
        let version = store::version(self.db.pool()).await?;
        self.cache.saw_version(version);
        if round.is_multiple_of(FLUSH_EVERY) {
            let (mut sessions, mut tokens) = (Vec::new(), Vec::new());
            for touched in self.cache.take_touched() {
                match touched {
                    Touched::Session(id) => sessions.push(id.to_vec()),
                    Touched::Token(id) => tokens.push(id),
                }
            }
            store::touch(self.db.pool(), &sessions, &tokens).await?;
        }
        if round % SWEEP_EVERY == SWEEP_EVERY - 1 {
            store::delete_ended(self.db.pool()).await?;
        }
        Ok(())
    }
}
