//! The worker: lays events out by the rules, and sends what is due. Any number of processes may run one.
//!
//! Laying out takes events and writes deliveries in one transaction. A delivery is claimed with a lease; a process that dies leaves one
//! that runs out, and the message is sent again with the same id. So it comes at least once.

use super::channels::{Parcel, Undelivered};
use super::event::Event;
use super::message::{Message, Places};
use super::model::{MOST_ATTEMPTS, Subject, pause};
use super::service::NotificationService;
use super::store::deliveries::{self, Claim, Ended};
use super::store::{channels, outbox, rules};
use crate::deployments::ApprovalToken;
use crate::kernel::{AppError, Result};
use crate::secrets::RevealError;
use passerelle_contract::notifications::EventKind;
use passerelle_contract::text;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How often to look without a signal.
const POLL: Duration = Duration::from_millis(500);
/// Events of one transaction.
const EVENTS: i64 = 100;
/// Messages that this process sends at the same time.
const AT_ONCE: usize = 16;
/// Between two sweeps.
const SWEEP: Duration = Duration::from_secs(3600);
/// How long the log is kept.
const KEPT_DAYS: i32 = 90;

/// Sends messages until it is stopped.
#[derive(Debug, Clone)]
pub struct Courier {
    service: NotificationService,
    owner: String,
    /// Something ended, so that the next of its channel may go.
    freed: Arc<Notify>,
}

impl Courier {
    #[must_use]
    pub fn new(service: NotificationService) -> Self {
        Self { service, owner: Uuid::now_v7().to_string(), freed: Arc::default() }
    }

    /// Runs until `stop`; what is under way then may end.
    pub async fn run(self, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        let tasks = TaskTracker::new();
        let mut swept = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.freed.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            if let Err(error) = self.round(&slots, &tasks).await {
                tracing::warn!(%error, "messages could not be sent; trying again");
            }
            if swept.elapsed() >= SWEEP {
                swept = tokio::time::Instant::now();
                if let Err(error) = self.sweep().await {
                    tracing::warn!(%error, "old deliveries could not be swept");
                }
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn round(&self, slots: &Arc<Semaphore>, tasks: &TaskTracker) -> Result<()> {
        while self.lay_out().await? {}
        let free = i64::try_from(slots.available_permits()).unwrap_or_default();
        if free == 0 {
            return Ok(());
        }
        for claim in deliveries::claim(self.service.db.pool(), &self.owner, free).await? {
            // Nobody else takes permits.
            let Ok(slot) = Arc::clone(slots).acquire_owned().await else { break };
            let courier = self.clone();
            tasks.spawn(async move {
                if let Err(error) = courier.deliver(&claim).await {
                    // Its lease runs out and it is tried again.
                    tracing::warn!(delivery = %claim.id, %error, "the outcome of a delivery could not be written");
                }
                drop(slot);
                courier.freed.notify_one();
            });
        }
        Ok(())
    }

    /// Lays out events that nobody has; says whether there may be more.
    async fn lay_out(&self) -> Result<bool> {
        let mut tx = self.service.db.pool().begin().await?;
        let (events, ids) = outbox::take(&mut tx, EVENTS).await?;
        if ids.is_empty() {
            return Ok(false);
        }
        let rules = rules::standing(&mut tx).await?;
        let mut destinations: HashMap<Uuid, (String, Vec<String>)> = HashMap::new();
        for event in &events {
            let subject = self.subject(event).await?;
            let mut wanted: Vec<Uuid> =
                rules.iter().filter(|rule| rule.fits(event.kind, &subject)).map(|rule| rule.channel_id).collect();
            wanted.sort_unstable();
            wanted.dedup();
            for channel in wanted {
                let (name, recipients) = match destinations.entry(channel) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(self.destinations(&mut tx, channel).await?),
                };
                for recipient in recipients.iter() {
                    outbox::lay_out(&mut tx, event, (channel, name), recipient).await?;
                }
            }
        }
        outbox::taken(&mut tx, &ids).await?;
        tx.commit().await?;
        Ok(i64::try_from(ids.len()).is_ok_and(|count| count == EVENTS))
    }

    /// The name of a channel and who gets a message of their own; nobody when it cannot be read, which is told where it is tried.
    async fn destinations(&self, db: &mut sqlx::PgConnection, channel: Uuid) -> Result<(String, Vec<String>)> {
        let Some(row) = channels::by_id(db, channel).await? else { return Ok(Default::default()) };
        let recipients = match self.service.opened(&row).await {
            Ok((kind, config)) => kind.recipients(&config),
            Err(error) => {
                tracing::error!(channel = row.name, %error, "a channel cannot be read");
                vec![String::new()]
            }
        };
        Ok((row.name, recipients))
    }

    async fn subject(&self, event: &Event) -> Result<Subject> {
        let owner = event.service.as_deref().and_then(|key| self.service.catalog.find_service(key));
        let owner = owner.map_or((None, None), |service| (service.scope.team, service.scope.system));
        let tier = match &event.environment {
            Some(name) => self.service.environments.find_environment(name).await?.map(|found| found.tier),
            None => None,
        };
        Ok(Subject::of(event, owner, tier))
    }

    async fn deliver(&self, claim: &Claim) -> Result<()> {
        let attempts = u32::try_from(claim.attempts).unwrap_or(u32::MAX);
        let ended = match self.send(claim).await {
            Ok(Ok(answer)) => Ended::Delivered(answer),
            Ok(Err(Undelivered { again, after, why })) => {
                if again && attempts < MOST_ATTEMPTS {
                    Ended::Later(why, pause(self.service.outlook()?.first_pause, attempts, after))
                } else {
                    Ended::Failed(why)
                }
            }
            // The database is away: nothing can be written, and the lease runs out.
            Err(error @ AppError::Unavailable(_)) => return Err(error),
            Err(error) => {
                tracing::error!(delivery = %claim.id, %error, "a message could not be made");
                Ended::Failed(error.detail())
            }
        };
        if let Ended::Failed(why) = &ended {
            tracing::warn!(delivery = %claim.id, attempts, why = %why, "a message was not delivered");
        }
        deliveries::end(self.service.db.pool(), &self.owner, claim, &ended).await
    }

    async fn send(&self, claim: &Claim) -> Result<Result<passerelle_contract::Text, Undelivered>> {
        let outlook = self.service.outlook()?;
        let mut connection = self.service.db.pool().acquire().await?;
        let Some(event) = outbox::by_id(&mut connection, claim.event_id).await? else {
            return Ok(Err(Undelivered::never(text!("what happened is not known any more"))));
        };
        let Some(row) = channels::by_id(&mut *connection, claim.channel_id).await? else {
            return Ok(Err(Undelivered::never(text!("the channel was deleted"))));
        };
        drop(connection);
        let (kind, config) = match self.service.opened(&row).await {
            Ok(opened) => opened,
            Err(RevealError::Unusable { pointer, why } | RevealError::Away { pointer, why }) => {
                return Ok(Err(Undelivered::later(text!("{pointer} {message}", pointer, message = why))));
            }
            Err(RevealError::App(error)) => return Err(error),
        };
        let places = Places { origin: &outlook.origin, approval: self.approval(&event, &outlook.origin) };
        let message = Message::of(&event, &places, row.language().locale());
        let parcel = Parcel {
            id: claim.id,
            message: &message,
            recipient: &claim.recipient,
            at: event.at,
            event: Some(&event),
            origin: &outlook.origin,
        };
        Ok(kind.send(&outlook.guard, &config, &parcel).await)
    }

    /// The signed link, while the request for approval lasts.
    fn approval(&self, event: &Event, origin: &str) -> Option<String> {
        let facts = &event.facts;
        let until = facts.until.filter(|until| *until > OffsetDateTime::now_utc());
        let (id, until) = (facts.deployment.filter(|_| event.kind == EventKind::ApprovalRequested)?, until?);
        let fingerprint = hex::decode(facts.fingerprint.as_deref()?).ok()?;
        let token = ApprovalToken::new(id, until, &fingerprint)?.sign(&self.service.keys);
        Some(format!("{origin}/approve/{token}"))
    }

    async fn sweep(&self) -> Result<()> {
        let mut connection = self.service.db.pool().acquire().await?;
        outbox::sweep(&mut connection, KEPT_DAYS).await
    }
}
