//! `/gates/{tier}`: the policy of a tier, a fieldset a gate.

use super::policies::history;
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{
    Alert, ButtonKind, Check, Crumb, Flash, Head, Hidden, LinkButton, Select, Submit, Text, Tone, TypedName,
};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::{ApprovalPolicy, GateMode, GatePolicy, PromotionPolicy, VulnerabilityPolicy, kinds};
use passerelle_server::environments::{Etag, IfMatch};
use passerelle_server::kernel::{Action, AppError, Object, decide};

const MINUTES: &str = "/promotion_order/healthy_minutes";
const NEEDED: &str = "/approval/needed";
const HOURS: &str = "/approval/expires_after_hours";
const MODES: [(GateMode, &str); 3] = [(GateMode::Off, "off"), (GateMode::Warn, "warn"), (GateMode::Block, "block")];
/// The selects of the form; each is a mode.
const MODE_FIELDS: [&str; 5] = ["promotion_order", "preflight", "vulnerability", "error_budget", "freeze"];

pub async fn show(State(app): State<AppState>, Path(tier): Path<String>, req: Req) -> Result<Response, PageError> {
    let tier = req.tier(&tier)?;
    let policy = app.portal.gates.get_policy(&req.ctx, tier).await.or_page(&req)?;
    let etag = [("etag".to_owned(), policy.etag())];
    let fields = fields_of(&policy.policy).into_iter().chain(etag).collect();
    draw(&app, &req, tier, &fields, &Errors::default()).await
}

pub async fn save(
    State(app): State<AppState>,
    Path(tier): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let tier = req.tier(&tier)?;
    let saved = match read(req.t, tier, &fields) {
        Ok(policy) => {
            app.portal.gates.put_policy(&req.ctx, tier, policy, &IfMatch::new(Some(fields.get("etag")))).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match saved {
        Ok(_) => {
            let text = req.t.flash_saved(req.t.gates_edit(req.t.tier(tier)));
            Ok(see_other("/gates", Some(Flash { ok: true, text })))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            draw(&app, &req, tier, &fields, &errors).await.map(|form| errors.refuse(form))
        }
    }
}

fn word(mode: GateMode) -> String {
    MODES.iter().find(|(known, _)| *known == mode).map_or("off", |(_, word)| word).to_owned()
}

fn fields_of(policy: &GatePolicy) -> Fields {
    [
        ("promotion_order", word(policy.promotion_order.mode)),
        ("minutes", policy.promotion_order.healthy_minutes.to_string()),
        ("preflight", word(policy.preflight)),
        ("vulnerability", word(policy.vulnerability.mode)),
        ("report_required", policy.vulnerability.report_required.to_string()),
        ("error_budget", word(policy.error_budget)),
        ("freeze", word(policy.freeze)),
        ("needed", policy.approval.needed.to_string()),
        ("hours", policy.approval.expires_after_hours.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn read(t: T, tier: Tier, fields: &Fields) -> Result<GatePolicy, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut modes = [GateMode::Off; MODE_FIELDS.len()];
    for (mode, name) in modes.iter_mut().zip(MODE_FIELDS) {
        match MODES.iter().find(|(_, word)| *word == fields.get(name)) {
            Some((found, _)) => *mode = *found,
            None => errors.push(FieldError::said(format!("/{name}"), t.required())),
        }
    }
    let minutes = fields.get("minutes").parse::<u32>();
    let (needed, hours) = (fields.get("needed").parse::<u8>(), fields.get("hours").parse::<u8>());
    let wrong = |pointer: &str, allowed: &str| FieldError::said(pointer, allowed);
    errors.extend(minutes.is_err().then(|| wrong(MINUTES, t.gate_minutes_hint())));
    errors.extend(needed.is_err().then(|| wrong(NEEDED, t.gate_needed_hint())));
    errors.extend(hours.is_err().then(|| wrong(HOURS, t.gate_hours_hint())));
    if tier == Tier::Production && fields.get("confirm") != tier.as_str() {
        errors.push(FieldError::said("/confirm", t.confirm_word_wrong(tier.as_str())));
    }
    let (Ok(minutes), Ok(needed), Ok(hours), true) = (minutes, needed, hours, errors.is_empty()) else {
        return Err(errors);
    };
    let [promotion, preflight, vulnerability, error_budget, freeze] = modes;
    Ok(GatePolicy {
        promotion_order: PromotionPolicy { mode: promotion, healthy_minutes: minutes },
        preflight,
        vulnerability: VulnerabilityPolicy { mode: vulnerability, report_required: fields.on("report_required") },
        error_budget,
        freeze,
        approval: ApprovalPolicy { needed, expires_after_hours: hours },
    })
}

async fn draw(app: &AppState, req: &Req, tier: Tier, fields: &Fields, errors: &Errors) -> Result<Response, PageError> {
    let t = req.t;
    let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(req)?;
    let names: Vec<String> =
        environments.into_iter().filter(|found| found.tier == tier).map(|found| found.name).collect();
    let sub = if names.is_empty() { t.gates_edit_sub_none().to_owned() } else { t.gates_edit_sub(names.join(", ")) };
    let title = t.gates_edit(t.tier(tier));
    let crumbs = vec![Crumb::new("/gates", t.gates_title())];
    let frame = req.page(title.clone()).section(Section::Gates).crumbs(crumbs).band(tier, t.tier(tier));
    let shown: Vec<String> = MODE_FIELDS.iter().map(|name| format!("/{name}")).collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).chain([NEEDED, HOURS, "/confirm"]).collect();
    let form = form(req, tier, fields, errors);
    Ok(page(
        frame,
        view! {
            <Head title=title sub=sub>
                <LinkButton href=history(tier) label=t.gates_history() kind=ButtonKind::Quiet />
            </Head>
            {summary(t, errors, &shown)}
            {form}
        },
    ))
}

fn form(req: &Req, tier: Tier, fields: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let may = decide(&req.ctx, Action::GatePolicyEdit, &Object::new("gate_policy", tier.as_str()));
    let why_not = (!may.allowed).then(|| req.ctx.say(&may.because));
    let number = |name: &'static str, label: &'static str, hint: &'static str, pointer: &str| {
        let (hint, error) = (hint.to_owned(), errors.of(pointer));
        view! { <Text t=t name=name label=label kind="number" value=fields.text(name) hint=hint error=error required=true /> }
    };
    let modes = |name: &'static str| mode_select(t, name, fields, errors);
    let confirm = (tier == Tier::Production && may.allowed).then(|| {
        let error = errors.of("/confirm");
        view! { <TypedName t=t name="confirm" of=tier.as_str() hint=t.gates_confirm_hint() error=error /> }
    });
    view! {
        {why_not.map(|why| view! { <Alert tone=Tone::Off>{why}</Alert> })}
        <form class="form" method="post">
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Hidden name="etag" value=fields.text("etag") />
            <div class="policy">
            {fieldset(t, kinds::PROMOTION_ORDER, t.gate_promotion_what(), view! {
                <div class="pair">{modes("promotion_order")} {number("minutes", t.gate_minutes(), t.gate_minutes_hint(), MINUTES)}</div>
            }.into_any())}
            {fieldset(t, kinds::PREFLIGHT, t.gate_preflight_what(), modes("preflight"))}
            {fieldset(t, kinds::VULNERABILITY, t.gate_vulnerability_what(), view! {
                {modes("vulnerability")}
                <Check name="report_required" label=t.gate_report_check() checked=fields.on("report_required") />
            }.into_any())}
            {fieldset(t, kinds::ERROR_BUDGET, t.gate_budget_what(), modes("error_budget"))}
            {fieldset(t, kinds::FREEZE, t.gate_freeze_what(), modes("freeze"))}
            {fieldset(t, kinds::APPROVAL, t.gate_approval_what(), view! {
                <div class="pair">
                    {number("needed", t.gate_needed(), t.gate_needed_hint(), NEEDED)}
                    {number("hours", t.gate_hours(), t.gate_hours_hint(), HOURS)}
                </div>
            }.into_any())}
            </div>
            {confirm}
            <div class="btns">
                {may.allowed.then(|| view! { <Submit label=t.save() kind=if tier == Tier::Production { ButtonKind::Production } else { ButtonKind::Primary } /> })}
                <LinkButton href="/gates" label=t.cancel() kind=ButtonKind::Quiet />
            </div>
        </form>
    }
}

fn fieldset(t: T, kind: &str, what: &'static str, inner: AnyView) -> AnyView {
    view! {
        <fieldset class="panel">
            <legend>{t.gate_kind(kind)}</legend>
            <p class="hint">{what}</p>
            {inner}
        </fieldset>
    }
    .into_any()
}

fn mode_select(t: T, name: &'static str, fields: &Fields, errors: &Errors) -> AnyView {
    let choices = [t.gates_mode_off(), t.gates_mode_warn(), t.gates_mode_block()];
    let choices = MODES.iter().zip(choices).map(|((_, key), words)| ((*key).to_owned(), words.to_owned())).collect();
    let error = errors.of(&format!("/{name}"));
    view! { <Select t=t name=name label=t.gates_mode() choices=choices value=fields.text(name) error=error /> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_survives_the_form() {
        let policy = GatePolicy {
            promotion_order: PromotionPolicy { mode: GateMode::Warn, healthy_minutes: 30 },
            vulnerability: VulnerabilityPolicy { mode: GateMode::Block, report_required: true },
            approval: ApprovalPolicy { needed: 2, expires_after_hours: 8 },
            freeze: GateMode::Block,
            ..GatePolicy::default()
        };
        assert_eq!(read(T::default(), Tier::Staging, &fields_of(&policy)), Ok(policy));
        assert_eq!(read(T::default(), Tier::Production, &fields_of(&policy)).unwrap_err()[0].pointer, "/confirm");
    }

    #[test]
    fn nothing_is_taken_for_off() {
        let errors = read(T::default(), Tier::Staging, &Fields::default()).unwrap_err();
        assert_eq!(errors.len(), MODE_FIELDS.len() + 3, "an absent field must not switch a gate off");
    }
}
