//! The waivers of a service: a tab of its page, with the form for a new one.

use super::service::all_tabs;
use crate::shell::Section;
use crate::ui::{
    Alert, ButtonKind, Columns, Crumb, Empty, Flash, Head, Hidden, Moment, Status, Submit, Table, Tabs, Text, TextArea,
    Tone,
};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::gates::{WaiverIn, WaiverOut};
use passerelle_contract::{FieldError, moment};
use passerelle_server::kernel::{Action, AppError, Object, decide};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

const SHOWN: [&str; 4] = ["/vulnerability", "/package", "/reason", "/expires_at"];
/// The end that a form begins with.
const USUAL: Duration = Duration::days(30);

type Place = Path<(String, String)>;

pub async fn show(
    State(app): State<AppState>,
    Path((namespace, name)): Place,
    req: Req,
) -> Result<Response, PageError> {
    let query = |name: &str| req.query.text(name).unwrap_or_default();
    let until = (req.now + USUAL).date().to_string();
    let fields = [("vulnerability", query("vulnerability")), ("package", query("package")), ("until", until)];
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    draw(&app, &req, &format!("{namespace}/{name}"), &fields, &Errors::default()).await
}

/// The last second of a day.
fn end_of(day: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&format!("{day}T23:59:59Z"), &Rfc3339).ok().and_then(moment::within)
}

pub async fn create(
    State(app): State<AppState>,
    Path((namespace, name)): Place,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let service = format!("{namespace}/{name}");
    let made = match end_of(fields.get("until")) {
        Some(expires_at) => {
            let new = WaiverIn {
                service: service.clone(),
                vulnerability: fields.text("vulnerability"),
                package: fields.some("package"),
                reason: fields.text("why"),
                expires_at,
            };
            app.portal.gates.create_waiver(&req.ctx, new).await
        }
        None => Err(AppError::Invalid(vec![FieldError::said("/expires_at", req.t.waiver_until_wrong())])),
    };
    match made {
        Ok(waiver) => {
            let text = req.t.flash_waived(waiver.vulnerability);
            Ok(see_other(&format!("/services/{service}/waivers"), Some(Flash { ok: true, text })))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            draw(&app, &req, &service, &fields, &errors).await.map(|form| errors.refuse(form))
        }
    }
}

pub async fn revoke(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = req.id("waiver", &id)?;
    app.portal.gates.revoke_waiver(&req.ctx, id).await.or_page(&req)?;
    let back = format!("/services/{}/waivers", fields.get("service"));
    Ok(see_other(&back, Some(Flash { ok: true, text: req.t.flash_unwaived().to_owned() })))
}

async fn draw(
    app: &AppState,
    req: &Req,
    service: &str,
    fields: &Fields,
    errors: &Errors,
) -> Result<Response, PageError> {
    let t = req.t;
    let reference = app.portal.catalog.service_for(&req.ctx, service).or_page(req)?;
    let key = reference.scope.key.clone();
    let waivers = app.portal.gates.list_waivers(&req.ctx, &key).await.or_page(req)?;
    let may = decide(&req.ctx, Action::WaiverEdit, &Object::service(reference.scope));
    let list = if waivers.is_empty() {
        view! { <Empty icon="shield" title=t.waivers_empty() text=t.waivers_empty_text() /> }.into_any()
    } else {
        let rows = waivers.into_iter().map(|waiver| line(req, waiver, may.allowed)).collect::<Vec<_>>();
        view! {
            <Table label=t.tab_waivers() columns=Columns::of([t.col_state(), t.col_vulnerability(), t.col_reason(), t.col_until(), t.col_by()]).acts(t.waiver_revoke())>{rows}</Table>
        }
        .into_any()
    };
    let form = if may.allowed {
        form(req, &key, fields, errors).into_any()
    } else {
        let why = t.waiver_not_you(req.ctx.say(&may.because));
        view! { <Alert tone=Tone::Off>{why}</Alert> }.into_any()
    };
    let title = t.waivers_title(&key);
    let crumbs = vec![Crumb::new("/services", t.services_title()), Crumb::new(format!("/services/{key}"), key.clone())];
    Ok(page(
        req.page(title.clone()).section(Section::Services).crumbs(crumbs),
        view! {
            <Head title=title sub=t.waivers_sub() />
            <Tabs label=key.clone() tabs=all_tabs(t, &key, "waivers") />
            {summary(t, errors, &SHOWN)}
            <div class="stack">{list} {form}</div>
        },
    ))
}

fn line(req: &Req, waiver: WaiverOut, may: bool) -> impl IntoView + use<> {
    let t = req.t;
    let (tone, icon, word) = match (waiver.active, waiver.revoked_at.is_some()) {
        (true, _) => (Tone::Warn, "hold", t.waiver_active()),
        (false, true) => (Tone::Off, "skip", t.waiver_revoked()),
        (false, false) => (Tone::Off, "ok", t.waiver_over()),
    };
    let revoke = (may && waiver.active).then(|| {
        view! {
            <form method="post" action=format!("/waivers/{}/revoke", waiver.id)>
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <Hidden name="service" value=waiver.service.clone() />
                <Submit label=t.waiver_revoke() kind=ButtonKind::Small of=waiver.vulnerability.clone() />
            </form>
        }
    });
    view! {
        <tr>
            <td>
                <Status tone=tone icon=icon word=word />
            </td>
            <th scope="row" class="mono break">
                {waiver.vulnerability}
                {waiver.package.map(|package| view! { <div class="under">{package}</div> })}
            </th>
            <td class="break">{waiver.reason}</td>
            <td class="nowrap">
                <Moment t=t at=waiver.expires_at />
            </td>
            <td>
                {waiver.created_by}
                {waiver.revoked_by.map(|who| view! { <div class="under">{format!("{}: {who}", t.waiver_revoked())}</div> })}
            </td>
            <td class="tight">{revoke}</td>
        </tr>
    }
}

fn form(req: &Req, service: &str, fields: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    view! {
        <form class="panel form" method="post" action=format!("/services/{service}/waivers")>
            <h2>{t.waiver_new()}</h2>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <div class="pair">
                <Text t=t name="vulnerability" label=t.waiver_id() value=fields.text("vulnerability") hint=t.waiver_id_hint().to_owned() error=errors.of("/vulnerability") required=true code=true autocomplete="off" />
                <Text t=t name="package" label=t.waiver_package() value=fields.text("package") error=errors.of("/package") code=true autocomplete="off" />
                <Text t=t name="until" label=t.waiver_until() kind="date" value=fields.text("until") hint=t.waiver_until_hint().to_owned() error=errors.of("/expires_at") required=true />
            </div>
            <TextArea t=t name="why" label=t.waiver_reason() value=fields.text("why") hint=t.waiver_reason_hint().to_owned() error=errors.of("/reason") required=true rows=2 />
            <div class="btns">
                <Submit label=t.waiver_new() />
            </div>
        </form>
    }
}
