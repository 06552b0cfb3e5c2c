//! What one may do with a service, an environment or the portal, each with the rule that decides.

use super::{Part, frame, head, known};
use crate::i18n::T;
use crate::ui::{Alert, ButtonKind, Columns, Select, Status, Submit, Table, Text, Tone};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::access::PermissionOut;
use passerelle_contract::environments::EnvironmentOut;
use passerelle_server::kernel::{AppError, EnvironmentScope, Object};

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    known(&req).or_page(&req)?;
    // Without any role nothing is read, and the table below says so for every act.
    let environments = app.portal.environments.list_environments(&req.ctx).await.unwrap_or_default();
    let (object, wrong) = match object(&app, &req, &environments) {
        Ok(object) => (object, None),
        Err(error @ (AppError::NotFound(_) | AppError::Invalid(_))) => {
            (Object::new("portal", "*"), Some(req.ctx.say(&error.detail())))
        }
        Err(error) => return Err(req.fail(error)),
    };
    let content = match wrong {
        Some(text) => view! { <Alert tone=Tone::Bad>{text}</Alert> }.into_any(),
        None => table(t, app.portal.identity.permissions(&req.ctx, &object)).into_any(),
    };
    Ok(page(
        frame(&req, Part::Why),
        view! {
            {head(&req, Part::Why)}
            {ask(&req, &environments)}
            {content}
        },
    ))
}

/// The service and the environment of the query, as what is asked about.
pub(super) fn object(app: &AppState, req: &Req, environments: &[EnvironmentOut]) -> Result<Object, AppError> {
    let object = match req.query.get("service") {
        Some(key) => Object::service(app.portal.catalog.service_for(&req.ctx, key)?.scope),
        None => Object::new("portal", "*"),
    };
    let Some(name) = req.query.get("environment") else { return Ok(object) };
    let found = environments.iter().find(|known| known.name == name);
    let found = found.ok_or_else(|| AppError::not_found(format!("environment:{name}")))?;
    Ok(object.with_environment(EnvironmentScope { name: found.name.clone(), tier: found.tier }))
}

fn ask(req: &Req, environments: &[EnvironmentOut]) -> impl IntoView + use<> {
    view! {
        <form class="filters" action="/access/why">
            {about(req, environments)}
            <Submit label=req.t.ask() kind=ButtonKind::Plain />
        </form>
    }
}

/// The fields `service` and `environment`.
pub(super) fn about(req: &Req, environments: &[EnvironmentOut]) -> impl IntoView + use<> {
    let t = req.t;
    let value = |name: &str| req.query.text(name).unwrap_or_default();
    let none = (String::new(), t.nothing().to_owned());
    let names = environments.iter().map(|known| (known.name.clone(), known.name.clone()));
    let stages = std::iter::once(none).chain(names).collect::<Vec<_>>();
    let example = t.service_key_example().to_owned();
    view! {
        <Text t=t name="service" label=t.col_service() value=value("service") placeholder=example code=true />
        <Select t=t name="environment" label=t.col_environment() choices=stages value=value("environment") required=false />
    }
}

/// Whether a permission is given.
pub(super) fn verdict(t: T, permission: &PermissionOut) -> impl IntoView + use<> {
    let (tone, word, icon) =
        if permission.allowed { (Tone::Ok, t.allowed(), "ok") } else { (Tone::Off, t.not_allowed(), "skip") };
    view! { <Status tone=tone icon=icon word=word /> }
}

fn table(t: T, permissions: Vec<PermissionOut>) -> impl IntoView {
    let rows = permissions
        .into_iter()
        .map(|permission| {
            let verdict = verdict(t, &permission);
            view! {
                <tr>
                    <th scope="row" class="mono">
                        {permission.action}
                    </th>
                    <td>{verdict}</td>
                    <td class="break">{permission.because}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <Table label=t.access_why() columns=Columns::of([t.col_action(), t.col_allowed(), t.col_because()])>{rows}</Table>
    }
}
