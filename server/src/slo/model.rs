//! An SLO as the rest of this capability reads it, and rules that need no database.

use crate::kernel::{AppError, EnvironmentScope, Object, Result, ServiceScope};
use passerelle_contract::environments::Tier;
use passerelle_contract::slo::{BudgetVerdict, SloPolicy};
use passerelle_slo_formats::{Conventions, Definition, Window, duration, read_documents};
use passerelle_slo_math::Period;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// One SLO with what it means.
#[derive(Debug, Clone)]
pub struct Slo {
    pub id: Uuid,
    pub service_id: Uuid,
    pub service: ServiceScope,
    /// Id, name and tier; without one it counts for every environment.
    pub environment: Option<(Uuid, EnvironmentScope)>,
    pub connection_id: Uuid,
    /// Name of the connection.
    pub connection: String,
    /// It leads to a simulator.
    pub simulated: bool,
    pub source_id: Uuid,
    pub format: String,
    pub definition: Arc<Definition>,
    pub period: Period,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

impl Slo {
    /// What authorisation looks at.
    #[must_use]
    pub fn object(&self) -> Object {
        let environment = self.environment.as_ref().map(|(_, scope)| scope.clone());
        slo_object(&self.service, environment, &self.definition.name)
    }

    /// Whether it has a say on deployments to an environment.
    #[must_use]
    pub fn counts_for(&self, environment: Uuid) -> bool {
        self.environment.as_ref().is_none_or(|(own, _)| *own == environment)
    }

    /// The tier whose policy a list shows it under.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.environment.as_ref().map_or(Tier::Production, |(_, scope)| scope.tier)
    }

    #[must_use]
    pub fn step_minutes(&self) -> i64 {
        i64::from(self.definition.method.step_s()) / 60
    }

    /// `30d`, or `1M Europe/Paris` for a calendar period.
    #[must_use]
    pub fn window_text(&self) -> String {
        match &self.definition.window {
            Window::Rolling { seconds } => duration::short(*seconds),
            Window::Calendar { count, unit, zone, .. } => format!("{} {zone}", duration::calendar_text(*count, *unit)),
        }
    }
}

pub(super) fn slo_object(service: &ServiceScope, environment: Option<EnvironmentScope>, name: &str) -> Object {
    let object = Object::new("slo", format!("{}/{name}", service.key)).with_service(service.clone());
    match environment {
        Some(environment) => object.with_environment(environment),
        None => object,
    }
}

/// What is stored of a definition: one OpenSLO document, written by us.
///
/// # Errors
/// Only when another version wrote something that this one cannot read.
pub(super) fn parse_definition(text: &str, min_bad_events: i64) -> Result<Definition> {
    let outcome = read_documents(text, &Conventions::usual("unused"));
    if let Some(problem) = outcome.problems.first() {
        return Err(AppError::internal(format!("stored SLO, line {}: {}", problem.line, problem.message)));
    }
    let mut definition = outcome
        .definitions()
        .next()
        .map(|(_, definition)| definition.clone())
        .ok_or_else(|| AppError::internal("a stored SLO without an objective"))?;
    definition.min_bad_events = u64::try_from(min_bad_events).unwrap_or_default();
    Ok(definition)
}

/// The ladder of a tier when the table has none.
pub(super) const fn default_policy(tier: Tier) -> SloPolicy {
    let missing = match tier {
        Tier::Production => BudgetVerdict::Block,
        Tier::Development | Tier::Staging => BudgetVerdict::Warn,
    };
    SloPolicy { warn_below: 25, approval_below: 10, block_at: 0, missing }
}
