//! Which rule an event fits, and when a message is tried again. Pure.

use super::event::Event;
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::FreezeScope;
use passerelle_contract::notifications::EventKind;
use rand::Rng;
use std::time::Duration;
use uuid::Uuid;

/// How often a message is tried before somebody has to say so. With the pauses between, three quarters of an hour.
pub const MOST_ATTEMPTS: u32 = 10;
/// The longest pause, also when a peer asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// A rule as it is asked.
#[derive(Debug, Clone)]
pub struct Rule {
    pub channel_id: Uuid,
    pub team: Option<String>,
    pub system: Option<String>,
    pub environment: Option<String>,
    pub tier: Option<Tier>,
    pub events: Vec<EventKind>,
}

/// Whom an event is about, in one respect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concerns<T> {
    /// It is about no single one, so it is about each.
    Every,
    Only(T),
    /// It is about something that has none: a service that no team owns.
    None,
}

impl<T: PartialEq> Concerns<T> {
    fn includes(&self, wanted: Option<&T>) -> bool {
        match (wanted, self) {
            (None, _) | (Some(_), Self::Every) => true,
            (Some(wanted), Self::Only(one)) => wanted == one,
            (Some(_), Self::None) => false,
        }
    }
}

/// Whom an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub team: Concerns<String>,
    pub system: Concerns<String>,
    pub environment: Concerns<String>,
    pub tier: Concerns<Tier>,
}

impl Subject {
    /// `owner` are team and system of the event's service as the catalog knows them, `tier` is of its environment.
    #[must_use]
    pub fn of(event: &Event, owner: (Option<String>, Option<String>), tier: Option<Tier>) -> Self {
        let belonging = |one: Option<String>| match (one, &event.service) {
            (Some(one), _) => Concerns::Only(one),
            (None, Some(_)) => Concerns::None,
            (None, None) => Concerns::Every,
        };
        let (team, system) = owner;
        let team = match &event.facts.scope {
            Some(FreezeScope::Team(team)) => Concerns::Only(team.clone()),
            _ => belonging(team),
        };
        Self {
            team,
            system: belonging(system),
            environment: event.environment.clone().map_or(Concerns::Every, Concerns::Only),
            tier: match (tier, &event.environment) {
                (Some(tier), _) => Concerns::Only(tier),
                (None, Some(_)) => Concerns::None,
                (None, None) => Concerns::Every,
            },
        }
    }
}

impl Rule {
    #[must_use]
    pub fn fits(&self, kind: EventKind, subject: &Subject) -> bool {
        (self.events.is_empty() || self.events.contains(&kind))
            && subject.team.includes(self.team.as_ref())
            && subject.system.includes(self.system.as_ref())
            && subject.environment.includes(self.environment.as_ref())
            && subject.tier.includes(self.tier.as_ref())
    }
}

/// The pause after so many attempts: doubled each time, with up to a fifth more or less, so that many messages that failed together
/// do not come back together. What the peer asks for is the least.
#[must_use]
pub fn pause(first: Duration, attempts: u32, asked: Option<Duration>) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1).min(20)));
    let jitter = rand::thread_rng().gen_range(0.8..1.2);
    doubled.mul_f64(jitter).max(asked.unwrap_or_default()).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::event::Facts;
    use time::OffsetDateTime;

    fn event(service: Option<&str>, environment: Option<&str>) -> Event {
        Event {
            id: 1,
            at: OffsetDateTime::UNIX_EPOCH,
            kind: EventKind::DeploymentFailed,
            service: service.map(str::to_owned),
            environment: environment.map(str::to_owned),
            facts: Facts::default(),
        }
    }

    fn rule() -> Rule {
        Rule { channel_id: Uuid::nil(), team: None, system: None, environment: None, tier: None, events: Vec::new() }
    }

    fn about_web() -> Subject {
        let owner = (Some("shop/core".to_owned()), None);
        Subject::of(&event(Some("shop/web"), Some("production")), owner, Some(Tier::Production))
    }

    #[test]
    fn every_condition_of_a_rule_has_to_hold() {
        let kind = EventKind::DeploymentFailed;
        let team = |name: &str| Rule { team: Some(name.to_owned()), ..rule() };
        assert!(rule().fits(kind, &about_web()));
        assert!(team("shop/core").fits(kind, &about_web()));
        assert!(!team("shop/other").fits(kind, &about_web()));
        assert!(
            !Rule { system: Some("shop/shop".to_owned()), ..rule() }.fits(kind, &about_web()),
            "it is in no system"
        );
        assert!(Rule { tier: Some(Tier::Production), ..team("shop/core") }.fits(kind, &about_web()));
        assert!(!Rule { tier: Some(Tier::Staging), ..team("shop/core") }.fits(kind, &about_web()));
        assert!(!Rule { environment: Some("staging".to_owned()), ..rule() }.fits(kind, &about_web()));
        assert!(Rule { events: vec![kind], ..rule() }.fits(kind, &about_web()));
        assert!(!Rule { events: vec![EventKind::FreezeCreated], ..rule() }.fits(kind, &about_web()));
    }

    #[test]
    fn what_concerns_everything_concerns_each() {
        let all = Subject::of(&event(None, None), (None, None), None);
        let narrow = Rule { team: Some("shop/core".to_owned()), tier: Some(Tier::Production), ..rule() };
        assert!(narrow.fits(EventKind::FreezeCreated, &all));
        let mut of_team = event(None, None);
        of_team.facts.scope = Some(FreezeScope::Team("shop/other".to_owned()));
        assert!(!narrow.fits(EventKind::FreezeCreated, &Subject::of(&of_team, (None, None), None)));
    }

    #[test]
    fn pauses_grow_vary_and_end() {
        let first = Duration::from_secs(5);
        for (attempts, from, to) in [(1, 4, 6), (2, 8, 12), (5, 64, 96), (10, 2048, 3072), (40, 3600, 3600)] {
            let pause = pause(first, attempts, None);
            assert!((Duration::from_secs(from)..=Duration::from_secs(to)).contains(&pause), "{attempts}: {pause:?}");
        }
        assert_eq!(pause(first, 1, Some(Duration::from_secs(60))), Duration::from_secs(60));
        assert_eq!(pause(first, 1, Some(Duration::from_secs(100_000))), LONGEST_PAUSE);
    }
}
