//! What a user can do, and what giving or taking a role would change: looked at before anything is done.

use super::{PAGE, Part, frame, head, scopes, why};
use crate::i18n::T;
use crate::ui::{Alert, ButtonKind, Columns, Select, Status, Submit, Table, Text, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Req, page, summary};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::access::{AccessFilter, RoleBindingOut, SimulatedOut, SimulationFilter, SimulationOut};
use passerelle_contract::environments::EnvironmentOut;
use passerelle_server::kernel::{AppError, Object};

const SHOWN: [&str; 4] = ["/role", "/scope", "/without", "/user"];

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(&req)?;
    let user = req.query.text("user").unwrap_or_default();
    let filter = AccessFilter { user: Some(user.clone()), cursor: None, limit: Some(PAGE) };
    let bindings = app.portal.identity.list_role_bindings(&req.ctx, &filter).await.or_page(&req)?.items;
    let form = fields(&req);
    let (errors, told) = match simulated(&app, &req, &form, &user, &environments).await {
        Ok(told) => (Errors::default(), told),
        Err(AppError::NotFound(what)) => {
            let text = req.ctx.say(&AppError::NotFound(what).detail());
            (Errors::default(), Some(view! { <Alert tone=Tone::Bad>{text}</Alert> }.into_any()))
        }
        Err(error) => (req.shown(error)?, None),
    };
    let refused = !errors.is_empty();
    let drawn = page(
        frame(&req, Part::Simulate),
        view! {
            {head(&req, Part::Simulate)}
            {summary(t, &errors, &SHOWN)}
            <div class="stack">
                {question(&req, &form, &errors, &environments, &bindings)}
                {told}
            </div>
        },
    );
    Ok(if refused { errors.refuse(drawn) } else { drawn })
}

fn fields(req: &Req) -> Fields {
    let names = ["user", "role", "scope_kind", "scope", "without"];
    names.into_iter().map(|name| (name.to_owned(), req.query.text(name).unwrap_or_default())).collect()
}

/// Nothing before somebody is named.
async fn simulated(
    app: &AppState,
    req: &Req,
    form: &Fields,
    user: &str,
    environments: &[EnvironmentOut],
) -> Result<Option<AnyView>, AppError> {
    if user.is_empty() {
        return Ok(None);
    }
    let object: Object = why::object(app, req, environments)?;
    let added = match (form.get("role"), form.get("scope")) {
        ("", "") => None,
        _ => Some(scopes::read(req.t, form).map_err(|error| AppError::Invalid(vec![error]))?),
    };
    let without = form.some("without").map(|id| id.parse()).transpose();
    let without = without.map_err(|_| AppError::not_found(format!("role_binding:{}", form.get("without"))))?;
    let filter = SimulationFilter {
        role: added.as_ref().map(|(role, _)| *role),
        scope: added.as_ref().map(|(_, scope)| scope.key()),
        without,
        ..SimulationFilter::default()
    };
    let told = app.portal.identity.simulate(&req.ctx, user, &object, &filter).await?;
    Ok(Some(answer(req.t, told).into_any()))
}

fn question(
    req: &Req,
    form: &Fields,
    errors: &Errors,
    environments: &[EnvironmentOut],
    bindings: &[RoleBindingOut],
) -> impl IntoView + use<> {
    let t = req.t;
    let none = (String::new(), t.nothing().to_owned());
    let roles = bindings.iter().map(|binding| {
        (binding.id.to_string(), format!("{} · {}", t.role(binding.role), scopes::in_words(t, &binding.scope)))
    });
    let choices = std::iter::once(none).chain(roles).collect::<Vec<_>>();
    let take = (choices.len() > 1).then(|| {
        view! { <Select t=t name="without" label=t.simulate_without() choices=choices value=form.text("without") error=errors.of("/without") required=false /> }
    });
    view! {
        <form class="panel form" action=Part::Simulate.href()>
            <div class="pair">
                <Text t=t name="user" label=t.field_user() value=form.text("user") error=errors.of("/user") required=true code=true autocomplete="off" />
                {why::about(req, environments)}
            </div>
            <fieldset class="stack">
                <legend>{t.simulate_as_if()}</legend>
                {scopes::inputs(t, form, errors, false)}
                {take}
            </fieldset>
            <div class="btns">
                <Submit label=t.ask() kind=ButtonKind::Plain />
            </div>
        </form>
    }
}

fn answer(t: T, told: SimulationOut) -> impl IntoView {
    let changed = |one: &SimulatedOut| one.then.as_ref().is_some_and(|then| then.allowed != one.now.allowed);
    let more = told.permissions.iter().filter(|one| changed(one) && !one.now.allowed).count();
    let fewer = told.permissions.iter().filter(|one| changed(one) && one.now.allowed).count();
    let asked = told.roles_then.is_some();
    let sum = asked.then(|| view! { <p>{t.simulate_sum(t.number(more as u64), t.number(fewer as u64))}</p> });
    let mut permissions = told.permissions;
    // What changes is what was asked for; the order stays otherwise.
    permissions.sort_by_key(|one| !changed(one));
    let rows = permissions.into_iter().map(|one| row(t, one)).collect::<Vec<_>>();
    let columns = if asked {
        Columns::of([t.col_action(), t.simulate_now(), t.simulate_then(), t.col_because()])
    } else {
        Columns::of([t.col_action(), t.simulate_now(), t.col_because()])
    };
    view! {
        <section>
            <h2>{t.simulate_of(&told.user)}</h2>
            {sum}
            <Table label=t.simulate_of(&told.user) columns=columns>{rows}</Table>
        </section>
    }
}

fn row(t: T, one: SimulatedOut) -> impl IntoView {
    let changes = one.then.as_ref().filter(|then| then.allowed != one.now.allowed).map(|then| {
        let (tone, word) =
            if then.allowed { (Tone::Warn, t.simulate_gained()) } else { (Tone::Bad, t.simulate_lost()) };
        view! { <Status tone=tone word=word /> }
    });
    let now = why::verdict(t, &one.now);
    let then = one.then.as_ref().map(|then| {
        view! {
            <td>
                {why::verdict(t, then)} {changes}
            </td>
        }
    });
    let because = one.then.unwrap_or(one.now.clone()).because;
    view! {
        <tr>
            <th scope="row" class="mono">
                {one.now.action}
            </th>
            <td>{now}</td>
            {then}
            <td class="break">{because}</td>
        </tr>
    }
}
