//! What is frozen at this moment, for the marks in the matrix and on the pages of an environment.

use crate::i18n::T;
use crate::ui::{Status, Tone};
use crate::web::Req;
use leptos::prelude::*;
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::{FreezeOut, FreezeScope, GateMode};
use passerelle_server::kernel::{Action, AppError, Object, decide};
use passerelle_server::portal::Portal;

/// The freezes that hold, and the tiers whose policy asks about freezes.
#[derive(Debug)]
pub struct Frozen {
    freezes: Vec<FreezeOut>,
    tiers: Vec<Tier>,
}

impl Frozen {
    pub async fn now(portal: &Portal, req: &Req) -> Result<Self, AppError> {
        // Somebody without a role still has a home page.
        if !decide(&req.ctx, Action::GateRead, &Object::new("freeze", "*")).allowed {
            return Ok(Self { freezes: Vec::new(), tiers: Vec::new() });
        }
        let freezes = portal.gates.frozen_now(&req.ctx).await?;
        let tiers = if freezes.is_empty() {
            Vec::new()
        } else {
            let policies = portal.gates.list_policies(&req.ctx).await?;
            policies.into_iter().filter(|one| one.policy.freeze != GateMode::Off).map(|one| one.tier).collect()
        };
        Ok(Self { freezes, tiers })
    }

    /// The freeze of a whole environment, if one holds.
    pub fn environment(&self, tier: Tier, name: &str) -> Option<&FreezeOut> {
        self.find(tier, |scope| match scope {
            FreezeScope::Global => true,
            FreezeScope::Environment(frozen) => frozen == name,
            FreezeScope::Team(_) | FreezeScope::Service(_) => false,
        })
    }

    /// The freeze of one service or its team, if one holds.
    pub fn service(&self, tier: Tier, key: &str, team: Option<&str>) -> Option<&FreezeOut> {
        self.find(tier, |scope| match scope {
            FreezeScope::Service(frozen) => frozen.eq_ignore_ascii_case(key),
            FreezeScope::Team(frozen) => team.is_some_and(|team| frozen.eq_ignore_ascii_case(team)),
            FreezeScope::Global | FreezeScope::Environment(_) => false,
        })
    }

    /// The words for the band of a page about this environment.
    pub fn band(&self, t: T, tier: Tier, name: &str) -> Option<String> {
        self.environment(tier, name).map(|freeze| words(t, freeze))
    }

    fn find(&self, tier: Tier, reaches: impl Fn(&FreezeScope) -> bool) -> Option<&FreezeOut> {
        if !self.tiers.contains(&tier) {
            return None;
        }
        self.freezes.iter().find(|freeze| reaches(&freeze.scope))
    }
}

fn words(t: T, freeze: &FreezeOut) -> String {
    let end = freeze.windows.first().and_then(|window| window.ends_at);
    let until = end.map_or_else(|| t.freeze_until_lifted().to_owned(), |at| t.freeze_until(t.date_time(at)));
    t.frozen_band(&freeze.title, until)
}

/// The mark; who points at it, or reads it, learns why and until when.
pub fn mark(t: T, freeze: &FreezeOut) -> AnyView {
    let why = words(t, freeze);
    view! {
        <a href=format!("/freezes/{}", freeze.id) title=why>
            <Status tone=Tone::Warn icon="freeze" word=t.frozen() />
        </a>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn freeze(scope: FreezeScope) -> FreezeOut {
        let out = json!({ "id": uuid::Uuid::nil(), "scope": scope, "title": "Sale", "starts_at": "2026-11-20T00:00:00Z",
            "ends_at": null, "recurrence": null, "time_zone": "UTC", "active": true, "windows": [], "created_by": "ada",
            "created_at": "2026-11-20T00:00:00Z", "lifted_by": null, "lifted_at": null });
        serde_json::from_value(out).unwrap()
    }

    #[test]
    fn a_freeze_marks_what_it_reaches_and_where_freezes_count() {
        let frozen = |scope| Frozen { freezes: vec![freeze(scope)], tiers: vec![Tier::Staging, Tier::Production] };
        let global = frozen(FreezeScope::Global);
        assert!(global.environment(Tier::Production, "production").is_some());
        assert!(global.environment(Tier::Development, "dev").is_none(), "its policy does not ask about freezes");
        assert!(global.service(Tier::Production, "shop/web", None).is_none(), "told once, at the environment");
        let team = frozen(FreezeScope::Team("shop/core".into()));
        assert!(team.service(Tier::Staging, "shop/web", Some("shop/core")).is_some());
        assert!(team.environment(Tier::Staging, "staging").is_none());
    }
}
