//! Making, changing and deleting a rule.

use super::{may_edit, permitted};
use crate::i18n::T;
use crate::ui::{Alert, ButtonKind, Check, Flash, Head, Hidden, Icon, LinkButton, Select, Submit, Text, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::environments::Tier;
use passerelle_contract::notifications::{EventKind, RuleIn, RuleOut};
use passerelle_server::kernel::AppError;
use uuid::Uuid;

const LIST: &str = "/notifications/rules";
const SHOWN: [&str; 6] = ["/channel", "/team", "/system", "/environment", "/tier", "/events"];

/// What can be chosen.
struct Choices {
    channels: Vec<(String, String)>,
    environments: Vec<(String, String)>,
}

async fn choices(app: &AppState, req: &Req) -> Result<Choices, PageError> {
    let same = |name: String| (name.clone(), name);
    let channels = app.portal.notifications.list_channels(&req.ctx).await.or_page(req)?;
    let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(req)?;
    let any = (String::new(), req.t.any().to_owned());
    Ok(Choices {
        channels: channels.into_iter().map(|channel| same(channel.name)).collect(),
        environments: std::iter::once(any).chain(environments.into_iter().map(|one| same(one.name))).collect(),
    })
}

pub async fn new(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    permitted(&req.ctx).or_page(&req)?;
    let start = std::iter::once(("enabled".to_owned(), "true".to_owned())).collect();
    draw(&app, &req, None, &start, &Errors::default()).await
}

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let rule = found(&app, &req, &id).await?;
    draw(&app, &req, Some(&rule), &fields_of(&rule), &Errors::default()).await
}

async fn found(app: &AppState, req: &Req, id: &str) -> Result<RuleOut, PageError> {
    let id: Uuid = id.parse().map_err(|_| req.fail(AppError::not_found(format!("notification_rule:{id}"))))?;
    app.portal.notifications.get_rule(&req.ctx, id).await.or_page(req)
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let made = app.portal.notifications.create_rule(&req.ctx, read(&fields)).await;
    answer(&app, &req, None, &fields, made.map(|_| req.t.flash_rule_made())).await
}

pub async fn save(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let rule = found(&app, &req, &id).await?;
    let saved = app.portal.notifications.replace_rule(&req.ctx, rule.id, read(&fields)).await;
    answer(&app, &req, Some(&rule), &fields, saved.map(|_| req.t.flash_rule_saved())).await
}

pub async fn delete(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let req = posted.req;
    let rule = found(&app, &req, &id).await?;
    app.portal.notifications.delete_rule(&req.ctx, rule.id).await.or_page(&req)?;
    Ok(see_other(LIST, Some(Flash { ok: true, text: req.t.flash_rule_gone().to_owned() })))
}

async fn answer(
    app: &AppState,
    req: &Req,
    rule: Option<&RuleOut>,
    fields: &Fields,
    done: Result<&'static str, AppError>,
) -> Result<Response, PageError> {
    match done {
        Ok(text) => Ok(see_other(LIST, Some(Flash { ok: true, text: text.to_owned() }))),
        Err(error) => {
            let errors = req.shown(error)?;
            draw(app, req, rule, fields, &errors).await.map(|form| errors.refuse(form))
        }
    }
}

/// The name of an event's check box.
fn box_of(event: EventKind) -> String {
    format!("event.{}", event.as_str())
}

fn fields_of(rule: &RuleOut) -> Fields {
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let yes = || "true".to_owned();
    let mut pairs = vec![
        ("channel".to_owned(), rule.channel.clone()),
        ("team".to_owned(), given(&rule.team)),
        ("system".to_owned(), given(&rule.system)),
        ("environment".to_owned(), given(&rule.environment)),
        ("tier".to_owned(), rule.tier.map_or("", Tier::as_str).to_owned()),
    ];
    pairs.extend(rule.events.iter().map(|event| (box_of(*event), yes())));
    pairs.extend(rule.enabled.then(|| ("enabled".to_owned(), yes())));
    pairs.into_iter().collect()
}

fn read(fields: &Fields) -> RuleIn {
    RuleIn {
        channel: fields.text("channel"),
        team: fields.some("team"),
        system: fields.some("system"),
        environment: fields.some("environment"),
        tier: Tier::parse(fields.get("tier")),
        events: EventKind::ALL.into_iter().filter(|event| fields.on(&box_of(*event))).collect(),
        enabled: Some(fields.on("enabled")),
    }
}

async fn draw(
    app: &AppState,
    req: &Req,
    rule: Option<&RuleOut>,
    fields: &Fields,
    errors: &Errors,
) -> Result<Response, PageError> {
    let t = req.t;
    let choices = choices(app, req).await?;
    let may = may_edit(&req.ctx);
    let why_not = (!may.allowed).then(|| req.ctx.say(&may.because));
    let title = rule.map_or_else(|| t.rule_new().to_owned(), |rule| t.rule_edit(&rule.channel));
    let none = choices.channels.is_empty().then(|| {
        view! {
            <Alert tone=Tone::Warn>
                {t.rules_no_channel()} " " <a href="/notifications/channels/new">{t.channel_new()}</a>
            </Alert>
        }
    });
    let form = form(req, choices, fields, errors, (rule.is_some(), may.allowed));
    let gone = rule.filter(|_| may.allowed).map(|rule| deletion(t, rule, req.ctx.csrf_token()));
    Ok(page(
        super::below(req, &title, LIST, t.notify_rules()),
        view! {
            <Head title=title.clone() sub=t.notify_rules_sub() />
            {summary(t, errors, &SHOWN)}
            <div class="stack">
                {why_not.map(|why| view! { <Alert tone=Tone::Off>{why}</Alert> })} {none} {form} {gone}
            </div>
        },
    ))
}

fn form(
    req: &Req,
    choices: Choices,
    fields: &Fields,
    errors: &Errors,
    (known, may): (bool, bool),
) -> impl IntoView + use<> {
    let t = req.t;
    let value = |name: &str| fields.text(name);
    let mut tiers = vec![(String::new(), t.any().to_owned())];
    tiers.extend(Tier::ALL.map(|tier| (tier.as_str().to_owned(), t.tier(tier).to_owned())));
    let save = may.then(|| view! { <Submit label=if known { t.save() } else { t.create() } /> });
    view! {
        <form class="panel form" method="post">
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Select t=t name="channel" label=t.col_channel() choices=choices.channels value=value("channel") error=errors.of("/channel") />
            <div class="pair">
                <Text t=t name="team" label=t.rule_team() value=value("team") hint=t.rule_key_hint().to_owned() error=errors.of("/team") code=true autocomplete="off" />
                <Text t=t name="system" label=t.rule_system() value=value("system") hint=t.rule_key_hint().to_owned() error=errors.of("/system") code=true autocomplete="off" />
            </div>
            <div class="pair">
                <Select t=t name="environment" label=t.rule_environment() choices=choices.environments value=value("environment") error=errors.of("/environment") required=false />
                <Select t=t name="tier" label=t.rule_tier() choices=tiers value=value("tier") error=errors.of("/tier") required=false />
            </div>
            {events(t, fields, errors.of("/events"))}
            <Check name="enabled" label=t.rule_enabled() checked=fields.on("enabled") />
            <div class="btns">
                {save}
                <LinkButton href=LIST label=t.cancel() kind=ButtonKind::Quiet />
            </div>
        </form>
    }
}

fn events(t: T, fields: &Fields, error: Option<String>) -> impl IntoView + use<> {
    let boxes = EventKind::ALL
        .map(|event| {
            let name = box_of(event);
            let on = fields.on(&name);
            view! { <Check name=name label=t.event(event) checked=on /> }
        })
        .into_iter()
        .collect::<Vec<_>>();
    view! {
        <fieldset class="field">
            <legend>{t.rule_events()}</legend>
            <div class="hint">{t.rule_events_hint()}</div>
            <div class="pair">{boxes}</div>
            {error
                .map(|error| {
                    view! {
                        <div class="err">
                            <Icon name="bad" />
                            <span>{error}</span>
                        </div>
                    }
                })}
        </fieldset>
    }
}

/// Two steps.
fn deletion(t: T, rule: &RuleOut, csrf: String) -> impl IntoView + use<> {
    view! {
        <details class="disclose">
            <summary>{t.delete()}</summary>
            <form class="panel danger form" method="post" action=format!("/notifications/rules/{}/delete", rule.id)>
                <Hidden name="csrf" value=csrf />
                <p>{t.rule_delete_effect()}</p>
                <div class="btns">
                    <Submit label=t.delete_label(t.rule_edit(&rule.channel)) kind=ButtonKind::Danger />
                </div>
            </form>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back_from_its_own_form() {
        let rule = RuleOut {
            id: Uuid::nil(),
            channel: "ops".to_owned(),
            team: Some("shop/core".to_owned()),
            system: None,
            environment: None,
            tier: Some(Tier::Production),
            events: vec![EventKind::DeploymentFailed, EventKind::ApprovalRequested],
            enabled: true,
            updated_at: time::OffsetDateTime::UNIX_EPOCH,
        };
        let read = read(&fields_of(&rule));
        assert_eq!((read.team, read.tier, read.enabled), (rule.team, rule.tier, Some(true)));
        assert_eq!(read.events, rule.events);
        let stopped = RuleOut { enabled: false, team: None, ..rule_of(read.channel) };
        assert_eq!(super::read(&fields_of(&stopped)).enabled, Some(false));
    }

    fn rule_of(channel: String) -> RuleOut {
        let updated_at = time::OffsetDateTime::UNIX_EPOCH;
        let (team, system, environment, tier) = (None, None, None, None);
        RuleOut {
            id: Uuid::nil(),
            channel,
            team,
            system,
            environment,
            tier,
            events: Vec::new(),
            enabled: true,
            updated_at,
        }
    }
}
