//! One cell: the version, how it does, and what one can do there.

use crate::gates::frozen::{self, Frozen};
use crate::ui::{HealthBadge, Icon, Simulated, StateBadge, Status, Tone};
use crate::web::{Query, Req};
use leptos::prelude::*;
use passerelle_contract::catalog::ServiceOut;
use passerelle_contract::deployments::{CellOut, Health};
use passerelle_contract::environments::Tier;
use passerelle_server::kernel::{Action, EnvironmentScope, Object, ServiceScope, decide};
use passerelle_server::slo::{BudgetChip, BudgetChips};

/// What is known of all cells: freezes and budgets.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub frozen: &'a Frozen,
    pub budgets: &'a BudgetChips,
}

impl Known<'_> {
    fn budget(&self, service: &ServiceOut, cell: &CellOut) -> Option<&BudgetChip> {
        self.budgets.get(&(service.id, cell.environment.clone()))
    }
}

/// What the table knows about one of its cells.
pub struct Marks {
    /// Exactly one cell of the table is reached by the Tab key; the arrow keys go on from there.
    pub entry: bool,
    /// To be marked as simulated.
    pub simulated: bool,
    /// The version that could be promoted to it.
    pub incoming: Option<String>,
}

pub fn view(req: &Req, service: &ServiceOut, cell: CellOut, marks: Marks, known: Known<'_>) -> AnyView {
    let t = req.t;
    let label = t.matrix_cell(&service.name, &cell.environment);
    let tab = if marks.entry { "0" } else { "-1" };
    let content =
        if cell.binding.is_some() { bound(req, service, cell, marks, known) } else { unbound(req, service, &cell) };
    view! {
        <td data-cell="" tabindex=tab aria-label=label>
            {content}
        </td>
    }
    .into_any()
}

/// Whether the caller may do this to the service there.
pub fn may(req: &Req, action: Action, service: &ServiceOut, cell: &CellOut) -> bool {
    let scope = ServiceScope { key: service.key.clone(), team: service.owner.clone(), system: service.system.clone() };
    let place = EnvironmentScope { name: cell.environment.clone(), tier: cell.tier };
    decide(&req.ctx, action, &Object::service(scope).with_environment(place)).allowed
}

fn unbound(req: &Req, service: &ServiceOut, cell: &CellOut) -> AnyView {
    let t = req.t;
    let bind = may(req, Action::BindingEdit, service, cell).then(|| {
        let href = format!("/bindings/new?service={}&environment={}", service.key, cell.environment);
        let label = t.matrix_bind_label(&service.name, &cell.environment);
        view! {
            " "
            <a class="link" href=href aria-label=label>
                {t.matrix_bind()}
            </a>
        }
    });
    view! { <div class="none">{t.matrix_not_bound()} {bind}</div> }.into_any()
}

fn bound(req: &Req, service: &ServiceOut, cell: CellOut, marks: Marks, known: Known<'_>) -> AnyView {
    let t = req.t;
    let promote = marks.incoming.and_then(|version| promote(req, service, &cell, version));
    let budget = known.budget(service, &cell).map(|chip| crate::slo::chip(t, chip));
    let acts = acts(req, service, &cell);
    let freeze = known.frozen.service(cell.tier, &service.key, service.owner.as_deref());
    let freeze = freeze.map(|freeze| frozen::mark(t, freeze));
    let class = if cell.tier == Tier::Production { "cell prod" } else { "cell" };
    let version = cell.version.or(cell.image).unwrap_or_else(|| t.nothing().to_owned());
    let href = match cell.active.or(cell.last) {
        Some(deployment) => format!("/deployments/{deployment}"),
        None => format!("/services/{}", service.key),
    };
    let health = match cell.since {
        Some(since) => {
            let age = t.age((req.now - since).whole_seconds());
            view! { <HealthBadge t=t health=cell.health more=age /> }.into_any()
        }
        None => view! { <HealthBadge t=t health=cell.health /> }.into_any(),
    };
    let message = cell.health_message.filter(|_| cell.health != Health::Healthy);
    let hold = cell.hold.map(|hold| {
        let age = t.ago((req.now - hold.since).whole_seconds());
        let why = t.on_hold_by(hold.by, age, hold.reason);
        view! {
            <span title=why>
                <Status tone=Tone::Warn icon="hold" word=t.on_hold() />
            </span>
        }
    });
    let active = cell.active.zip(cell.active_state).map(|(id, state)| {
        view! {
            <a href=format!("/deployments/{id}")>
                <StateBadge t=t state=state />
            </a>
        }
    });
    view! {
        <div class=class>
            <div class="v">
                <a href=href>{version}</a>
            </div>
            <div class="tags">
                {health} {budget} {active} {hold} {freeze} {marks.simulated.then(|| view! { <Simulated t=t /> })}
            </div>
            {message.map(|message| view! { <div class="under break">{message.to_string()}</div> })}
            {promote}
            {acts}
        </div>
    }
    .into_any()
}

/// Opens the deploy page with what runs in the environment before.
fn promote(req: &Req, service: &ServiceOut, cell: &CellOut, version: String) -> Option<AnyView> {
    let t = req.t;
    may(req, Action::DeploymentCreate, service, cell).then(|| {
        let query = Query::default().with("environment", Some(&cell.environment)).with("version", Some(&version));
        let href = query.href(&format!("/services/{}/deploy", service.key));
        let label = t.matrix_promote_label(&version, &service.name, &cell.environment);
        view! {
            <a class="promote" data-act="p" href=href aria-label=label>
                <Icon name="go" />
                {t.act_promote(&version)}
            </a>
        }
        .into_any()
    })
}

fn acts(req: &Req, service: &ServiceOut, cell: &CellOut) -> AnyView {
    let t = req.t;
    let href = |act: &str| format!("/services/{}/{act}?environment={}", service.key, cell.environment);
    let deploy = may(req, Action::DeploymentCreate, service, cell).then(|| {
        let label = t.matrix_deploy_label(&service.name, &cell.environment);
        view! {
            <a class="btn small" data-act="d" href=href("deploy") aria-label=label>
                {t.act_deploy()}
            </a>
        }
    });
    let back = may(req, Action::DeploymentRollBack, service, cell).then(|| {
        let label = t.matrix_roll_back_label(&service.name, &cell.environment);
        view! {
            <a class="btn small" data-act="r" href=href("rollback") aria-label=label.clone() title=label>
                <Icon name="back" />
            </a>
        }
    });
    view! { <div class="go">{deploy} {back}</div> }.into_any()
}
