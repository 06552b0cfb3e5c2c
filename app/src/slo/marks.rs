//! The deployments of a period, as marks on a chart and as a list.

use crate::i18n::T;
use crate::ui::{Moment, StateBadge, TierTag, Tone};
use crate::web::{OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::deployments::{DeploymentFilter, DeploymentRow, DeploymentState};
use passerelle_contract::slo::SloOut;
use passerelle_server::portal::Portal;
use time::OffsetDateTime;

/// As many as are asked for at once; a period with more shows the newest.
const MOST: u32 = 100;

/// Deployments that changed what ran, the oldest first.
pub async fn of(portal: &Portal, req: &Req, slo: &SloOut) -> Result<Vec<DeploymentRow>, PageError> {
    let filter = DeploymentFilter {
        service: Some(slo.service.clone()),
        environment: slo.environment.clone(),
        limit: Some(MOST),
        ..DeploymentFilter::default()
    };
    let mut rows = portal.deployments.list_deployments(&req.ctx, filter).await.or_page(req)?.items;
    let ran = [DeploymentState::Succeeded, DeploymentState::Failed, DeploymentState::RolledBack];
    rows.retain(|row| ran.contains(&row.state) && moment(row) >= slo.period_from);
    rows.reverse();
    Ok(rows)
}

pub fn moment(row: &DeploymentRow) -> OffsetDateTime {
    row.ended_at.unwrap_or(row.created_at)
}

pub fn tone(row: &DeploymentRow) -> (Tone, &'static str) {
    match row.state {
        DeploymentState::Succeeded => (Tone::Run, "deploy"),
        DeploymentState::RolledBack => (Tone::Warn, "back"),
        _ => (Tone::Bad, "bad"),
    }
}

pub fn text(t: T, row: &DeploymentRow) -> String {
    let version = row.version.clone().or_else(|| row.image.clone()).unwrap_or_default();
    t.slo_mark(version, &row.environment, t.state(row.state), t.date_time(moment(row)))
}

/// The same in words, with the way to each.
pub fn list(t: T, rows: &[DeploymentRow]) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let items = rows
        .iter()
        .rev()
        .map(|row| {
            let version = row.version.clone().or_else(|| row.image.clone());
            view! {
                <li class="tags mb-2">
                    <a class="link mono break" href=format!("/deployments/{}", row.id)>
                        {t.operation(row.operation)}
                        " "
                        {version}
                    </a>
                    <TierTag t=t tier=row.tier name=row.environment.clone() />
                    <StateBadge t=t state=row.state />
                    <span class="muted">
                        <Moment t=t at=moment(row) />
                    </span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let title = t.slo_marks();
    let view = view! {
        <details class="disclose">
            <summary>{format!("{title} ({})", rows.len())}</summary>
            <ul class="scroll-y">{items}</ul>
        </details>
    };
    Some(view.into_any())
}
