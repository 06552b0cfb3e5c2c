//! Who can do something with a service, in an environment or with the portal, and by which role.

use super::{PAGE, Part, frame, head, why};
use crate::ui::{Alert, ButtonKind, Columns, Pager, Select, Submit, Table, Tone};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page as Listing;
use passerelle_contract::access::{HolderFilter, HolderOut};
use passerelle_contract::environments::EnvironmentOut;
use passerelle_server::kernel::{Action, AppError};

/// What is asked about at first.
const FIRST: Action = Action::DeploymentCreate;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(&req)?;
    let action = req.query.get("action").unwrap_or(FIRST.name()).to_owned();
    let found = match why::object(&app, &req, &environments) {
        Ok(object) => {
            let cursor = req.query.text("cursor");
            let filter = HolderFilter { action: Some(action.clone()), cursor, limit: Some(PAGE), ..Default::default() };
            app.portal.identity.holders(&req.ctx, &object, &filter).await
        }
        Err(error) => Err(error),
    };
    let content = match found {
        Ok(listing) => table(&req, listing).into_any(),
        Err(error @ (AppError::NotFound(_) | AppError::Invalid(_))) => {
            let problem = error.problem(&req.ctx);
            let text = problem.errors.first().map_or(problem.detail.clone(), |error| req.ctx.say(&error.message));
            view! { <Alert tone=Tone::Bad>{text}</Alert> }.into_any()
        }
        Err(error) => return Err(req.fail(error)),
    };
    Ok(page(
        frame(&req, Part::Who),
        view! {
            {head(&req, Part::Who)}
            {question(&req, &action, &environments)}
            {content}
        },
    ))
}

fn question(req: &Req, action: &str, environments: &[EnvironmentOut]) -> impl IntoView + use<> {
    let t = req.t;
    let actions = Action::ALL
        .into_iter()
        .filter(|action| action.least_role(None).is_some())
        .map(|action| (action.name().to_owned(), action.name().to_owned()))
        .collect::<Vec<_>>();
    view! {
        <form class="filters" action=Part::Who.href()>
            <Select t=t name="action" label=t.col_action() choices=actions value=action />
            {why::about(req, environments)}
            <Submit label=t.ask() kind=ButtonKind::Plain />
        </form>
    }
}

fn table(req: &Req, listing: Listing<HolderOut>) -> impl IntoView + use<> {
    let t = req.t;
    if listing.items.is_empty() {
        return view! { <p class="muted">{t.who_nobody()}</p> }.into_any();
    }
    let pages = req.pages(Part::Who.href(), listing.items.len(), listing.total, listing.next_cursor.as_deref());
    let rows = listing
        .items
        .into_iter()
        .map(|holder| {
            let tokens = holder.service.then(|| view! { <div class="under">{t.user_service()}</div> });
            view! {
                <tr>
                    <th scope="row">
                        <a class="svc" href=format!("/access/users/{}", holder.user)>
                            {holder.user.clone()}
                        </a>
                        {tokens}
                    </th>
                    <td>{holder.display_name}</td>
                    <td class="break">{holder.because}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <section>
            <Table label=t.access_who() columns=Columns::of([t.col_user(), t.col_display_name(), t.col_because()])>{rows}</Table>
            <Pager t=t pages=pages />
        </section>
    }
    .into_any()
}
