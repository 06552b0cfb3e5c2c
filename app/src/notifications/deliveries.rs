//! `/notifications/deliveries`: what became of each message, and sending again.

use crate::shell::Section;
use crate::ui::{
    Ago, ButtonKind, Chip, Columns, Empty, Flash, Head, Hidden, LinkButton, Pager, Select, Status, Submit, Table, Text,
    Tone,
};
use crate::web::{AppState, OrPage, PageError, Posted, Query, Req, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page;
use passerelle_contract::notifications::{DeliveryFilter, DeliveryOut, DeliveryState, EventKind};
use passerelle_server::kernel::{Action, AppError, Object, decide};
use uuid::Uuid;

const PATH: &str = "/notifications/deliveries";

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let (t, query) = (req.t, &req.query);
    let filter = DeliveryFilter {
        channel: query.text("channel"),
        state: query.get("state").and_then(DeliveryState::parse),
        event: query.get("event").and_then(EventKind::parse),
        service: query.text("service"),
        environment: query.text("environment"),
        cursor: query.text("cursor"),
        limit: Some(50),
    };
    let found = app.portal.notifications.list_deliveries(&req.ctx, &filter).await.or_page(&req)?;
    Ok(page(
        req.page(t.notify_log()).section(Section::Notifications),
        view! {
            <Head title=t.notify_title() sub=t.notify_log_sub() />
            {super::tabs(&req, PATH)}
            {chips(&req)}
            {filters(&req)}
            {table(&req, found)}
        },
    ))
}

/// Tries again, and comes back to where the button was.
pub async fn retry(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id: Uuid = id.parse().map_err(|_| req.fail(AppError::not_found(format!("delivery:{id}"))))?;
    app.portal.notifications.retry_delivery(&req.ctx, id).await.or_page(&req)?;
    let back = Query::parse(fields.get("filters").trim_start_matches('?')).href(PATH);
    Ok(see_other(&back, Some(Flash { ok: true, text: req.t.flash_retried().to_owned() })))
}

fn chips(req: &Req) -> impl IntoView + use<> {
    let (t, query) = (req.t, &req.query);
    let states = DeliveryState::ALL
        .map(|state| {
            let on = query.get("state") == Some(state.as_str());
            let href = query.with("state", (!on).then_some(state.as_str())).href(PATH);
            view! { <Chip href=href label=t.delivery(state) on=on /> }
        })
        .into_iter()
        .collect::<Vec<_>>();
    view! { <div class="chips mb-3">{states}</div> }
}

fn filters(req: &Req) -> impl IntoView + use<> {
    let (t, query) = (req.t, &req.query);
    let value = |name: &str| query.text(name).unwrap_or_default();
    let mut events = vec![(String::new(), t.any().to_owned())];
    events.extend(EventKind::ALL.map(|event| (event.as_str().to_owned(), t.event(event).to_owned())));
    let clear =
        query.filtered().then(|| view! { <LinkButton href=PATH label=t.clear_filters() kind=ButtonKind::Quiet /> });
    let state = query.text("state").map(|state| view! { <Hidden name="state" value=state /> });
    view! {
        <form class="filters" action=PATH data-auto="">
            {state}
            <Text t=t name="channel" label=t.col_channel() value=value("channel") autocomplete="off" />
            <Select t=t name="event" label=t.col_event() choices=events value=value("event") required=false />
            <Text t=t name="service" label=t.col_service() value=value("service") autocomplete="off" />
            <Text t=t name="environment" label=t.col_environment() value=value("environment") autocomplete="off" />
            <Submit label=t.filter() kind=ButtonKind::Plain />
            {clear}
        </form>
    }
}

fn table(req: &Req, found: Page<DeliveryOut>) -> AnyView {
    let t = req.t;
    if found.items.is_empty() {
        return view! { <Empty icon="bell" title=t.deliveries_empty() text=t.deliveries_empty_text() /> }.into_any();
    }
    let may = decide(&req.ctx, Action::NotificationRetry, &Object::new("delivery", "*")).allowed;
    let pages = req.pages(PATH, found.items.len(), found.total, found.next_cursor.as_deref());
    let rows = found.items.into_iter().map(|delivery| line(req, delivery, may)).collect::<Vec<_>>();
    view! {
        <Table label=t.notify_log() columns=Columns::of([t.col_state(), t.col_event(), t.col_service(), t.col_channel(), t.col_answer(), t.col_when()]).acts(t.delivery_retry())>{rows}</Table>
        <Pager t=t pages=pages />
    }
    .into_any()
}

fn line(req: &Req, delivery: DeliveryOut, may: bool) -> impl IntoView + use<> {
    let t = req.t;
    let (tone, icon) = match delivery.state {
        DeliveryState::Waiting => (Tone::Run, "run"),
        DeliveryState::Delivered => (Tone::Ok, "ok"),
        DeliveryState::Failed => (Tone::Bad, "bad"),
    };
    let event = t.event(delivery.event);
    let what = match delivery.deployment {
        Some(id) => view! { <a href=format!("/deployments/{id}")>{event}</a> }.into_any(),
        None => event.into_any(),
    };
    let mut tries = t.delivery_attempts(u64::from(delivery.attempts));
    if let Some(at) = delivery.next_at {
        let left = (at - req.now).whole_seconds();
        let next = if left > 0 { t.delivery_next(t.age(left)) } else { t.delivery_soon().to_owned() };
        tries = format!("{tries}, {next}");
    }
    let retry = (may && delivery.state != DeliveryState::Delivered).then(|| {
        let of = format!("{event}, {}", delivery.channel);
        view! {
            <form method="post" action=format!("{PATH}/{}/retry", delivery.id)>
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <Hidden name="filters" value=req.query.href("") />
                <Submit label=t.delivery_retry() kind=ButtonKind::Small of=of />
            </form>
        }
    });
    view! {
        <tr>
            <td class="nowrap">
                <Status tone=tone icon=icon word=t.delivery(delivery.state) />
            </td>
            <td>{what}</td>
            <th scope="row" class="break">
                {delivery.service.unwrap_or_else(|| t.rule_everything().to_owned())}
                {delivery.environment.map(|name| view! { <div class="under">{name}</div> })}
            </th>
            <td class="break">
                {delivery.channel}
                {delivery.recipient.map(|mailbox| view! { <div class="under">{mailbox}</div> })}
            </td>
            <td class="break">
                {delivery.answer.map(|answer| answer.to_string())}
                <div class="under">{tries}</div>
            </td>
            <td class="nowrap">
                <Ago t=t at=delivery.created_at now=req.now />
            </td>
            <td class="tight">{retry}</td>
        </tr>
    }
}
