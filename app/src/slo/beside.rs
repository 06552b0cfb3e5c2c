//! Budgets on the pages of deployments: what is left before one begins, and what one left.

use super::{rows, verdict_tone};
use crate::i18n::T;
use crate::ui::{BudgetLine, Columns, Status, Table};
use crate::web::{OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::deployments::DeploymentOut;
use passerelle_contract::slo::SloRow;
use passerelle_server::portal::Portal;
use passerelle_server::slo::BudgetAround;
use time::Duration;

/// How long after its end a deployment is still taken to be the reason.
const WATCHED: Duration = Duration::hours(1);

/// The budgets that have a say, beside the plan.
pub async fn before_deploying(
    portal: &Portal,
    req: &Req,
    service: &str,
    environment: &str,
) -> Result<Option<AnyView>, PageError> {
    let t = req.t;
    let mut slos = portal.slo.slos_of(&req.ctx, service).await.or_page(req)?;
    slos.retain(|slo| slo.environment.as_deref().is_none_or(|own| own == environment));
    if slos.is_empty() {
        return Ok(None);
    }
    let items = slos.iter().map(|slo| item(t, slo)).collect::<Vec<_>>();
    let view = view! {
        <section class="panel">
            <h2>{t.tab_slos()}</h2>
            <ul>{items}</ul>
        </section>
    };
    Ok(Some(view.into_any()))
}

fn item(t: T, slo: &SloRow) -> impl IntoView + use<> {
    let left = slo.remaining_ratio.map(|share| {
        let (tone, icon) = slo.verdict.map_or((crate::ui::Tone::Off, "off"), verdict_tone);
        view! { <Status tone=tone icon=icon word=t.budget_left(share) /> }
    });
    let line = rows::line_label(t, slo)
        .map(|label| view! { <span class="left-of"><BudgetLine values=slo.sparkline.clone() label=label /></span> });
    view! {
        <li class="mb-3">
            <a class="link" href=format!("/slos/{}", slo.id)>
                {slo.title.clone()}
            </a>
            <div class="tags">{left} {line}</div>
        </li>
    }
}

/// What a deployment left of the budgets; nothing while they are not measured.
pub async fn left_by(portal: &Portal, req: &Req, deployment: &DeploymentOut) -> Result<Option<AnyView>, PageError> {
    let Some(began) = deployment.started_at else { return Ok(None) };
    let after = deployment.ended_at.map_or(req.now, |end| (end + WATCHED).min(req.now));
    let (service, environment) = (&deployment.service, &deployment.environment);
    let all = portal.slo.around(&req.ctx, service, environment, began, after).await.or_page(req)?;
    if all.is_empty() {
        return Ok(None);
    }
    let t = req.t;
    let rows = all.into_iter().map(|one| around(t, one)).collect::<Vec<_>>();
    let columns =
        Columns::of([t.col_slo()]).numbers([t.slo_around_before(), t.slo_around_after(), t.slo_around_change()]);
    let view = view! {
        <section class="stack">
            <h2>{t.slo_around()}</h2>
            <Table label=t.slo_around() columns=columns>{rows}</Table>
            <p class="muted">{t.slo_around_note()}</p>
        </section>
    };
    Ok(Some(view.into_any()))
}

fn around(t: T, one: BudgetAround) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=format!("/slos/{}", one.id)>
                    {one.title}
                </a>
            </th>
            <td class="num">{t.percent(one.before, 2)}</td>
            <td class="num">{t.percent(one.after, 2)}</td>
            <td class="num">{t.percent(one.after - one.before, 2)}</td>
        </tr>
    }
}
