//! `/alerts`: what Alertmanagers told, the newest first. Filters are in the address.

use super::rows::table;
use crate::shell::Section;
use crate::ui::{Chip, Empty, Head, Pager};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::alerts::{AlertFilter, AlertState};

const PATH: &str = "/alerts";

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let (t, query) = (req.t, &req.query);
    let filter = AlertFilter {
        service: query.text("service"),
        environment: query.text("environment"),
        state: query.get("state").and_then(AlertState::parse),
        severity: query.text("severity"),
        cursor: query.text("cursor"),
        limit: Some(50),
    };
    let found = app.portal.alerts.list_alerts(&req.ctx, &filter).await.or_page(&req)?;
    let content = if found.items.is_empty() {
        view! { <Empty icon="warn" title=t.alerts_empty() text=t.alerts_empty_text() /> }.into_any()
    } else {
        let pages = req.pages(PATH, found.items.len(), found.total, found.next_cursor.as_deref());
        view! {
            {table(&req, found.items, true)}
            <Pager t=t pages=pages />
        }
        .into_any()
    };
    let chips = chips(&req);
    let body = view! {
        <Head title=t.nav_alerts() sub=t.alerts_sub() />
        {chips}
        {content}
    };
    Ok(page(req.page(t.nav_alerts()).section(Section::Alerts), body))
}

fn chips(req: &Req) -> impl IntoView + use<> {
    let (t, query) = (req.t, &req.query);
    let states = AlertState::ALL
        .map(|state| {
            let on = query.get("state") == Some(state.as_str());
            let href = query.with("state", (!on).then_some(state.as_str())).href(PATH);
            view! { <Chip href=href label=t.alert_state(state) on=on /> }
        })
        .into_iter()
        .collect::<Vec<_>>();
    let narrowed = ["service", "environment", "severity"]
        .into_iter()
        .filter_map(|name| query.text(name).map(|value| (name, value)))
        .map(|(name, value)| {
            let label = t.clear_filter(&value);
            view! { <Chip href=query.with(name, None).href(PATH) label=value on=true aria_label=label /> }
        })
        .collect::<Vec<_>>();
    view! { <div class="chips mb-3">{states} {narrowed}</div> }
}
