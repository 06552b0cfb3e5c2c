//! Pages of notifications: channels, the rules that lead to them, and what became of each message. The form of a channel is drawn from
//! the JSON Schema of its kind.

mod channel_edit;
mod channel_new;
mod channels;
mod deliveries;
mod rule_form;
mod rules;

use crate::shell::Section;
use crate::ui::{Crumb, Tab, Tabs};
use crate::web::{AppState, Page, Req};
use axum::Router;
use axum::routing::{get, post};
use leptos::prelude::*;
use passerelle_server::kernel::{Action, AppError, Ctx, Decision, Object, decide};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/notifications", get(channels::show))
        .route("/notifications/channels/new", get(channel_new::new).post(channel_new::create))
        .route("/notifications/channels/{name}", get(channel_edit::show).post(channel_edit::save))
        .route("/notifications/channels/{name}/test", post(channels::test))
        .route("/notifications/channels/{name}/delete", post(channel_edit::delete))
        .route("/notifications/rules", get(rules::show))
        .route("/notifications/rules/new", get(rule_form::new).post(rule_form::create))
        .route("/notifications/rules/{id}", get(rule_form::show).post(rule_form::save))
        .route("/notifications/rules/{id}/delete", post(rule_form::delete))
        .route("/notifications/deliveries", get(deliveries::show))
        .route("/notifications/deliveries/{id}/retry", post(deliveries::retry))
}

/// Channels, rules, deliveries.
fn tabs(req: &Req, here: &'static str) -> impl IntoView + use<> {
    let t = req.t;
    let all = [
        ("/notifications", t.notify_channels()),
        ("/notifications/rules", t.notify_rules()),
        ("/notifications/deliveries", t.notify_log()),
    ];
    let tabs = all.map(|(href, text)| Tab { href: href.to_owned(), text: text.to_owned(), here: href == here });
    view! { <Tabs label=t.notify_title() tabs=tabs.to_vec() /> }
}

/// A page below one of the tabs.
fn below(req: &Req, title: &str, path: &'static str, tab: &'static str) -> Page {
    let crumbs = vec![Crumb::new("/notifications", req.t.notify_title()), Crumb::new(path, tab)];
    req.page(title).section(Section::Notifications).crumbs(crumbs)
}

fn may_edit(ctx: &Ctx) -> Decision {
    decide(ctx, Action::NotificationEdit, &Object::new("channel", "*"))
}

/// Whoever may not change anything is told before filling in a form.
fn permitted(ctx: &Ctx) -> Result<(), AppError> {
    if ctx.is_anonymous() {
        return Err(AppError::Unauthenticated);
    }
    let may = may_edit(ctx);
    if may.allowed { Ok(()) } else { Err(AppError::Forbidden(may.because)) }
}
