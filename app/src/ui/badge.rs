//! Status is a shape, a word and a colour, never a colour alone.

use super::Icon;
use crate::i18n::T;
use leptos::prelude::*;
use passerelle_contract::audit::Outcome;
use passerelle_contract::deployments::{DeploymentState, Health};
use passerelle_contract::environments::Tier;

/// How good or bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Ok,
    Warn,
    Bad,
    Run,
    Off,
}

impl Tone {
    /// The class that colours it.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Ok => "st ok",
            Self::Warn => "st warn",
            Self::Bad => "st bad",
            Self::Run => "st run",
            Self::Off => "st off",
        }
    }

    /// The same as a small square without a word.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Ok => "mark ok",
            Self::Warn => "mark warn",
            Self::Bad => "mark bad",
            Self::Run => "mark run",
            Self::Off => "mark off",
        }
    }

    /// The shape when nothing more fitting is known.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Run => "run",
            Self::Off => "off",
        }
    }
}

/// A status with its word.
#[component]
pub fn Status(tone: Tone, #[prop(into)] word: String, #[prop(optional)] icon: Option<&'static str>) -> impl IntoView {
    let icon = icon.unwrap_or(tone.icon());
    let spin = if icon == "run" { "spin" } else { "" };
    view! {
        <span class=tone.class()>
            <Icon name=icon class=spin />
            <span>{word}</span>
        </span>
    }
}

/// The tone of a health.
#[must_use]
pub const fn health_tone(health: Health) -> Tone {
    match health {
        Health::Healthy => Tone::Ok,
        Health::Progressing => Tone::Run,
        Health::Unknown => Tone::Off,
        Health::Degraded => Tone::Warn,
        Health::Failed => Tone::Bad,
    }
}

/// Health with an addition such as an age: `healthy · 2 h`.
#[component]
pub fn HealthBadge(t: T, health: Health, #[prop(optional, into)] more: Option<String>) -> impl IntoView {
    let word = match more {
        Some(more) => format!("{} · {more}", t.health(health)),
        None => t.health(health).to_owned(),
    };
    view! { <Status tone=health_tone(health) word=word /> }
}

/// The tone and the shape of a deployment's state.
#[must_use]
pub const fn state_tone(state: DeploymentState) -> (Tone, &'static str) {
    match state {
        DeploymentState::Requested | DeploymentState::Queued | DeploymentState::AwaitingApproval => (Tone::Run, "off"),
        DeploymentState::Running | DeploymentState::Verifying => (Tone::Run, "run"),
        DeploymentState::Succeeded => (Tone::Ok, "ok"),
        DeploymentState::Failed => (Tone::Bad, "bad"),
        DeploymentState::Blocked => (Tone::Warn, "skip"),
        DeploymentState::RolledBack => (Tone::Warn, "back"),
        DeploymentState::Cancelled => (Tone::Off, "skip"),
        DeploymentState::NeedsPerson => (Tone::Warn, "ask"),
    }
}

/// A deployment's state.
#[component]
pub fn StateBadge(t: T, state: DeploymentState) -> impl IntoView {
    let (tone, icon) = state_tone(state);
    view! { <Status tone=tone icon=icon word=t.state(state) /> }
}

/// How an audited attempt ended.
#[component]
pub fn OutcomeBadge(t: T, outcome: Outcome) -> impl IntoView {
    let (tone, icon) = match outcome {
        Outcome::Intent => (Tone::Run, "off"),
        Outcome::Success => (Tone::Ok, "ok"),
        Outcome::Failure => (Tone::Bad, "bad"),
        Outcome::Denied => (Tone::Warn, "skip"),
    };
    view! { <Status tone=tone icon=icon word=t.outcome(outcome) /> }
}

/// Marks a target that is not a real platform.
#[component]
pub fn Simulated(t: T) -> impl IntoView {
    view! { <span class="tag sim" title=t.simulated_why()>{t.simulated()}</span> }
}

/// The heading of a row about a service in an environment, with the way to the service.
#[component]
pub fn PlaceHead(t: T, service: String, tier: Tier, environment: String) -> impl IntoView {
    let href = format!("/services/{service}");
    view! {
        <th scope="row">
            <a class="svc" href=href>
                {service}
            </a>
            <div class="under">
                <TierTag t=t tier=tier name=environment />
            </div>
        </th>
    }
}

/// An environment's name with the sign of its tier; production has its own colour and shape.
#[component]
pub fn TierTag(t: T, tier: Tier, #[prop(into)] name: String) -> impl IntoView {
    let class = match tier {
        Tier::Production => "tier production",
        Tier::Staging | Tier::Development => "tier",
    };
    view! {
        <span class=class title=t.tier(tier)>
            {(tier == Tier::Production).then(|| view! { <Icon name="shield" /> })}
            {name}
        </span>
    }
}
