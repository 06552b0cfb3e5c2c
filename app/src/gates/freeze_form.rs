//! Making and changing a freeze: once, or again and again, with its next windows shown before it is made.

use super::freezes::{self, window};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Select, Submit, Text, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::gates::{FreezeIn, FreezeOut, FreezeScope, FreezeWindow};
use passerelle_contract::{FieldError, Locale};
use passerelle_server::gates::{GateService, clock_in, moment_in};
use passerelle_server::kernel::AppError;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

const SHOWN: [&str; 6] = ["/title", "/scope", "/starts_at", "/ends_at", "/recurrence", "/time_zone"];
const CUSTOM: &str = "custom";

pub fn id_of(text: &str) -> Result<Uuid, AppError> {
    text.parse().map_err(|_| AppError::not_found(format!("freeze:{text}")))
}

/// Key, words and rule of the usual repetitions.
pub fn repeats(t: T) -> [(&'static str, &'static str, &'static str); 5] {
    [
        ("daily", t.freeze_daily(), "FREQ=DAILY"),
        ("workdays", t.freeze_workdays(), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("weekly", t.freeze_weekly(), "FREQ=WEEKLY"),
        ("monthly", t.freeze_monthly(), "FREQ=MONTHLY"),
        ("yearly", t.freeze_yearly(), "FREQ=YEARLY"),
    ]
}

/// The zone in which somebody who reads this language thinks first.
pub const fn usual_zone(t: T) -> &'static str {
    match t.0 {
        Locale::En => "UTC",
        Locale::Fr => "Europe/Paris",
    }
}

pub async fn new(req: Req) -> Result<Response, PageError> {
    let scope = req.query.text("environment");
    let pairs = [
        ("time_zone", usual_zone(req.t).to_owned()),
        ("scope_kind", if scope.is_some() { "environment" } else { "global" }.to_owned()),
        ("scope", scope.unwrap_or_default()),
    ];
    let fields = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    // Nobody has no form.
    if req.ctx.is_anonymous() {
        return Err(req.fail(AppError::Unauthenticated));
    }
    Ok(draw(&req, None, &fields, &Errors::default(), None))
}

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let freeze = found(&app, &req, &id).await?;
    Ok(draw(&req, Some(&freeze), &fields_of(req.t, &freeze), &Errors::default(), None))
}

async fn found(app: &AppState, req: &Req, id: &str) -> Result<FreezeOut, PageError> {
    let id = id_of(id).or_page(req)?;
    app.portal.gates.get_freeze(&req.ctx, id).await.or_page(req)
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    if fields.get("act") == "preview" {
        return preview(&req, None, &fields);
    }
    let made = match read(req.t, &fields) {
        Ok(new) => app.portal.gates.create_freeze(&req.ctx, new).await,
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    answer(&req, None, &fields, made.map(|freeze| req.t.flash_frozen(freeze.title)))
}

pub async fn save(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let freeze = found(&app, &req, &id).await?;
    if fields.get("act") == "preview" {
        return preview(&req, Some(&freeze), &fields);
    }
    let saved = match read(req.t, &fields) {
        Ok(new) => app.portal.gates.replace_freeze(&req.ctx, freeze.id, new).await,
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    answer(&req, Some(&freeze), &fields, saved.map(|freeze| req.t.flash_freeze_saved(freeze.title)))
}

fn preview(req: &Req, freeze: Option<&FreezeOut>, fields: &Fields) -> Result<Response, PageError> {
    let windows = match read(req.t, fields) {
        Ok(new) => GateService::preview(&new),
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match windows {
        Ok(windows) => Ok(draw(req, freeze, fields, &Errors::default(), Some(windows))),
        Err(error) => answer(req, freeze, fields, Err(error)),
    }
}

fn answer(
    req: &Req,
    freeze: Option<&FreezeOut>,
    fields: &Fields,
    done: Result<String, AppError>,
) -> Result<Response, PageError> {
    match done {
        Ok(text) => Ok(see_other("/freezes", Some(Flash { ok: true, text }))),
        Err(error @ (AppError::Invalid(_) | AppError::Conflict(_) | AppError::Forbidden(_))) => {
            let errors = Errors::from(error.problem(&req.ctx));
            Ok(errors.refuse(draw(req, freeze, fields, &errors, None)))
        }
        Err(other) => Err(req.fail(other)),
    }
}

fn fields_of(t: T, freeze: &FreezeOut) -> Fields {
    let zone = &freeze.time_zone;
    let known = |rule: &str| repeats(t).into_iter().find(|(_, _, text)| *text == rule).map(|(key, _, _)| key);
    let (repeat, rule) = match freeze.recurrence.as_deref() {
        None => ("", ""),
        Some(rule) => known(rule).map_or((CUSTOM, rule), |key| (key, "")),
    };
    [
        ("title", freeze.title.clone()),
        ("scope_kind", freeze.scope.kind().to_owned()),
        ("scope", freeze.scope.value().to_owned()),
        ("starts_at", typed(zone, freeze.starts_at)),
        ("ends_at", freeze.ends_at.map(|at| typed(zone, at)).unwrap_or_default()),
        ("time_zone", zone.clone()),
        ("repeats", repeat.to_owned()),
        ("recurrence", rule.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// As an input of the type `datetime-local` writes it.
fn typed(zone: &str, at: OffsetDateTime) -> String {
    let at = clock_in(zone, at);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}", at.year(), u8::from(at.month()), at.day(), at.hour(), at.minute())
}

fn wall(text: &str) -> Option<PrimitiveDateTime> {
    let seconds = if text.len() == 16 { ":00Z" } else { "Z" };
    let at = OffsetDateTime::parse(&format!("{text}{seconds}"), &Rfc3339).ok()?;
    Some(PrimitiveDateTime::new(at.date(), at.time()))
}

fn read(t: T, fields: &Fields) -> Result<FreezeIn, Vec<FieldError>> {
    let mut errors = Vec::new();
    let value = fields.text("scope");
    let scope = match (fields.get("scope_kind"), value.is_empty()) {
        ("global", true) => Some(FreezeScope::Global),
        ("global", false) => None,
        (_, true) => None,
        (kind, false) => FreezeScope::of(kind, &value),
    };
    if scope.is_none() {
        let why = if value.is_empty() { t.required() } else { t.freeze_value_none() };
        errors.push(FieldError::said("/scope/value", why));
    }
    let zone = fields.text("time_zone");
    if moment_in(&zone, PrimitiveDateTime::MIN.replace_year(2026).unwrap_or(PrimitiveDateTime::MIN)).is_none() {
        errors.push(FieldError::said("/time_zone", t.freeze_zone_wrong()));
    }
    let mut moment = |name: &str| {
        let text = fields.get(name);
        let at = wall(text).and_then(|wall| moment_in(&zone, wall));
        if !text.is_empty() && wall(text).is_none() {
            errors.push(FieldError::said(format!("/{name}"), t.freeze_time_wrong()));
        }
        at
    };
    let (starts_at, ends_at) = (moment("starts_at"), moment("ends_at"));
    let recurrence = match fields.get("repeats") {
        "" => None,
        CUSTOM => {
            let rule = fields.some("recurrence");
            if rule.is_none() {
                errors.push(FieldError::said("/recurrence", t.required()));
            }
            rule
        }
        key => repeats(t).into_iter().find(|(known, _, _)| *known == key).map(|(_, _, rule)| rule.to_owned()),
    };
    match scope {
        Some(scope) if errors.is_empty() => {
            Ok(FreezeIn { scope, title: fields.text("title"), starts_at, ends_at, recurrence, time_zone: Some(zone) })
        }
        _ => Err(errors),
    }
}

fn draw(
    req: &Req,
    freeze: Option<&FreezeOut>,
    fields: &Fields,
    errors: &Errors,
    preview: Option<Vec<FreezeWindow>>,
) -> Response {
    let t = req.t;
    let title = freeze.map_or_else(|| t.freeze_new().to_owned(), |freeze| t.freeze_edit(&freeze.title));
    let frame = req.page(title.clone()).section(Section::Freezes);
    let zone = fields.text("time_zone");
    let state = freeze.map(|freeze| freezes::state(t, freeze));
    let lift = freeze
        .filter(|freeze| freeze.lifted_at.is_none() && !freeze.windows.is_empty())
        .map(|freeze| freezes::lift_form(req, freeze));
    let lifted = freeze
        .and_then(|freeze| freeze.lifted_by.clone())
        .map(|who| view! { <Alert tone=Tone::Off>{t.freeze_lifted_by(who)}</Alert> });
    let editable = lifted.is_none();
    let shown = preview.or_else(|| freeze.map(|freeze| freeze.windows.iter().take(5).copied().collect()));
    let windows = shown.filter(|_| editable).map(|windows| windows_panel(t, &zone, &windows));
    let form = editable.then(|| form(req, freeze.is_some(), fields, errors));
    page(
        frame.crumbs(vec![Crumb::new("/freezes", t.freezes_title())]),
        view! {
            <Head title=title>
                {state} {lift}
            </Head>
            {summary(t, errors, &SHOWN)}
            <div class="stack">{lifted} {windows} {form}</div>
        },
    )
}

fn windows_panel(t: T, zone: &str, windows: &[FreezeWindow]) -> AnyView {
    let items = windows.iter().map(|one| view! { <li>{window(t, zone, one)}</li> }).collect::<Vec<_>>();
    let none = items.is_empty().then(|| view! { <p class="muted">{t.freeze_preview_none()}</p> });
    view! {
        <section class="panel" role="status">
            <h2>{t.freeze_preview_title()}</h2>
            {none}
            <ol class="facts">{items}</ol>
            <p class="muted">{zone.to_owned()}</p>
        </section>
    }
    .into_any()
}

fn form(req: &Req, known: bool, fields: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let choices = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, words)| ((*key).to_owned(), (*words).to_owned())).collect::<Vec<_>>()
    };
    let scopes = choices(&[
        ("global", t.freeze_global()),
        ("team", t.freeze_team()),
        ("environment", t.freeze_environment()),
        ("service", t.freeze_service()),
    ]);
    let mut repeat = vec![(String::new(), t.freeze_once().to_owned())];
    repeat.extend(repeats(t).map(|(key, words, _)| (key.to_owned(), words.to_owned())));
    repeat.push((CUSTOM.to_owned(), t.freeze_custom().to_owned()));
    let value = |name: &str| fields.text(name);
    view! {
        <form class="panel form" method="post">
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Text t=t name="title" label=t.freeze_title_field() value=value("title") hint=t.freeze_title_hint().to_owned() error=errors.of("/title") required=true autocomplete="off" />
            <div class="pair">
                <Select t=t name="scope_kind" label=t.freeze_scope() choices=scopes value=value("scope_kind") />
                <Text t=t name="scope" label=t.freeze_value() value=value("scope") hint=t.freeze_value_hint().to_owned() error=errors.of("/scope") code=true autocomplete="off" />
            </div>
            <div class="pair">
                <Text t=t name="starts_at" label=t.freeze_from() kind="datetime-local" value=value("starts_at") hint=t.freeze_from_hint().to_owned() error=errors.of("/starts_at") />
                <Text t=t name="ends_at" label=t.freeze_to() kind="datetime-local" value=value("ends_at") hint=t.freeze_to_hint().to_owned() error=errors.of("/ends_at") />
                <Text t=t name="time_zone" label=t.freeze_zone() value=value("time_zone") hint=t.freeze_zone_hint().to_owned() error=errors.of("/time_zone") required=true code=true autocomplete="off" />
            </div>
            <div class="pair">
                <Select t=t name="repeats" label=t.freeze_repeats() choices=repeat value=value("repeats") />
                <Text t=t name="recurrence" label=t.freeze_rule() value=value("recurrence") hint=t.freeze_rule_hint().to_owned() error=errors.of("/recurrence") code=true autocomplete="off" />
            </div>
            <div class="btns">
                <Submit label=if known { t.save() } else { t.create() } />
                <Submit label=t.freeze_preview() kind=ButtonKind::Plain name="act" value="preview" />
                <LinkButton href="/freezes" label=t.cancel() kind=ButtonKind::Quiet />
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(changes: &[(&str, &str)]) -> Fields {
        let mut all = vec![
            ("title", "Weekends"),
            ("scope_kind", "environment"),
            ("scope", "production"),
            ("starts_at", "2026-11-20T18:00"),
            ("ends_at", "2026-11-23T06:00"),
            ("time_zone", "Europe/Paris"),
            ("repeats", "weekly"),
        ];
        all.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        all.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn times_are_read_on_the_clock_of_the_zone() {
        let t = T::default();
        let new = read(t, &form(&[])).unwrap();
        assert_eq!(new.starts_at, Some(time::macros::datetime!(2026-11-20 17:00 UTC)));
        assert_eq!(new.recurrence.as_deref(), Some("FREQ=WEEKLY"));
        assert_eq!(typed("Europe/Paris", new.starts_at.unwrap()), "2026-11-20T18:00");
    }

    #[test]
    fn what_cannot_be_read_is_never_taken_for_now_or_for_everything() {
        for (name, value, pointer) in [
            ("starts_at", "soon", "/starts_at"),
            ("ends_at", "2026-13-01T00:00", "/ends_at"),
            ("time_zone", "Paris", "/time_zone"),
            ("scope", "", "/scope/value"),
            ("scope_kind", "global", "/scope/value"),
            ("scope_kind", "moon", "/scope/value"),
            ("repeats", "custom", "/recurrence"),
        ] {
            let errors = read(T::default(), &form(&[(name, value)])).unwrap_err();
            assert_eq!(errors[0].pointer, pointer, "{name}={value}");
        }
    }
}
