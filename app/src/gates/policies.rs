//! `/gates`: what each tier asks of a deployment, side by side; and the same for one environment.

use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{ButtonKind, Columns, Head, LinkButton, Status, Table, Tone};
use crate::web::{AppState, OrPage, PageError, Query, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::{GateMode, GatePolicy, GatePolicyOut, kinds};
use passerelle_server::kernel::{Action, Object, decide};

/// What one gate asks: how strict, and with which numbers.
struct Asks {
    kind: &'static str,
    mode: GateMode,
    detail: Option<String>,
}

fn asks(t: T, policy: &GatePolicy) -> [Asks; 6] {
    let promotion = &policy.promotion_order;
    let healthy = match promotion.healthy_minutes {
        0 => t.gate_healthy_once().to_owned(),
        minutes => t.gate_healthy_for(t.number(minutes.into())),
    };
    let approval = &policy.approval;
    let people = format!("{}, {}", t.gate_people(approval.needed.into()), t.gate_within(approval.expires_after_hours));
    let required = policy.vulnerability.report_required;
    let plain = |kind, mode| Asks { kind, mode, detail: None };
    [
        Asks { kind: kinds::PROMOTION_ORDER, mode: promotion.mode, detail: Some(healthy) },
        plain(kinds::PREFLIGHT, policy.preflight),
        Asks {
            kind: kinds::VULNERABILITY,
            mode: policy.vulnerability.mode,
            detail: required.then(|| t.gate_report_required().to_owned()),
        },
        plain(kinds::ERROR_BUDGET, policy.error_budget),
        plain(kinds::FREEZE, policy.freeze),
        Asks {
            kind: kinds::APPROVAL,
            mode: if approval.needed == 0 { GateMode::Off } else { GateMode::Block },
            detail: Some(people),
        },
    ]
}

fn mode(t: T, asks: &Asks) -> AnyView {
    let (tone, icon, word) = match asks.mode {
        GateMode::Off => (Tone::Off, "skip", t.gate_off()),
        GateMode::Warn => (Tone::Warn, "warn", t.gate_warn()),
        GateMode::Block => (Tone::Ok, "shield", t.gate_blocks()),
    };
    let detail = asks.detail.clone().filter(|_| asks.mode != GateMode::Off);
    view! {
        <Status tone=tone icon=icon word=word />
        {detail.map(|detail| view! { <div class="under">{detail}</div> })}
    }
    .into_any()
}

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let policies = app.portal.gates.list_policies(&req.ctx).await.or_page(&req)?;
    let heads = policies.iter().map(|policy| (policy.tier, t.tier(policy.tier).to_owned())).collect::<Vec<_>>();
    let columns = policies.iter().map(|policy| asks(t, &policy.policy)).collect::<Vec<_>>();
    let rows = (0..6)
        .map(|row| {
            let kind = columns.first().map(|column| t.gate_kind(column[row].kind)).unwrap_or_default();
            let cells = columns
                .iter()
                .map(|column| {
                    let mode = mode(t, &column[row]);
                    view! { <td>{mode}</td> }
                })
                .collect::<Vec<_>>();
            view! {
                <tr>
                    <th scope="row">{kind}</th>
                    {cells}
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let last = policies.iter().map(|policy| changed(&req, policy)).collect::<Vec<_>>();
    Ok(page(
        req.page(t.gates_title()).section(Section::Gates),
        view! {
            <Head title=t.gates_title() sub=t.gates_sub() />
            {super::tabs(&req, "/gates")}
            <Table label=t.gates_tab_policies() columns=Columns::of([t.col_gate()]).tiers(t, heads)>
                {rows}
                <tr>
                    <th scope="row"><span class="vh">{t.gates_history()}</span></th>
                    {last}
                </tr>
            </Table>
        },
    ))
}

fn may_edit(req: &Req, tier: Tier) -> bool {
    decide(&req.ctx, Action::GatePolicyEdit, &Object::new("gate_policy", tier.as_str())).allowed
}

/// The audit rows of a tier's policy.
pub fn history(tier: Tier) -> String {
    let object = format!("gate_policy:{}", tier.as_str());
    Query::default().with("action", Some("gate.policy_edit")).with("object", Some(&object)).href("/audit")
}

fn changed(req: &Req, policy: &GatePolicyOut) -> impl IntoView + use<> {
    let t = req.t;
    let (tier, who) = (policy.tier, policy.updated_by.clone());
    let name = t.tier(tier);
    let words = who.map_or_else(|| t.gates_as_shipped().to_owned(), |who| t.gates_changed(who));
    let ago = policy.updated_by.is_some().then(|| t.ago((req.now - policy.updated_at).whole_seconds()));
    let label = if may_edit(req, tier) { t.edit() } else { t.open() };
    view! {
        <td>
            <div class="btns">
                <LinkButton href=format!("/gates/{}", tier.as_str()) label=label kind=ButtonKind::Small of=name />
            </div>
            <div class="under">{words} " " {ago}</div>
            <a class="link under" href=history(tier)>{t.gates_history()} <span class="vh">{name}</span></a>
        </td>
    }
}

/// What a deployment to an environment of this tier must pass, for the environment's page.
pub fn panel(req: &Req, policy: &GatePolicyOut) -> AnyView {
    let t = req.t;
    let tier = policy.tier;
    let items = asks(t, &policy.policy)
        .into_iter()
        .map(|asks| {
            let mode = mode(t, &asks);
            view! { <dt>{t.gate_kind(asks.kind)}</dt> <dd>{mode}</dd> }
        })
        .collect::<Vec<_>>();
    view! {
        <section class="panel">
            <h2>{t.gates_here()}</h2>
            <p class="muted mb-3">{t.gates_inherited(t.tier(tier))}</p>
            <dl class="dl">{items}</dl>
            <div class="btns mt-3">
                <LinkButton href=format!("/gates/{}", tier.as_str()) label=t.gates_open() />
                <LinkButton href=history(tier) label=t.gates_history() kind=ButtonKind::Quiet />
            </div>
        </section>
    }
    .into_any()
}
