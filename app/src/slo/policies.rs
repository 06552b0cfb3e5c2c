//! `/slos/policies`: what the rest of a budget means for deployments, a form for each tier.

use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, Select, Submit, Text, TierTag, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::environments::Tier;
use passerelle_contract::slo::{BudgetVerdict, SloPolicy, SloPolicyOut};
use passerelle_server::kernel::{Action, AppError, Object, decide};

const STEPS: [&str; 3] = ["warn_below", "approval_below", "block_at"];
const SHOWN: [&str; 4] = ["/warn_below", "/approval_below", "/block_at", "/missing"];

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    render(&app, &req, None).await
}

pub async fn save(
    State(app): State<AppState>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let tier = req.tier(&name)?;
    let saved = match read(&req, tier, &fields) {
        Ok(policy) => app.portal.slo.put_slo_policy(&req.ctx, tier, policy).await,
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match saved {
        Ok(_) => {
            let text = req.t.slo_policy_saved(req.t.tier(tier));
            Ok(see_other("/slos/policies", Some(Flash { ok: true, text })))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(render(&app, &req, Some((tier, &fields, &errors))).await?))
        }
    }
}

/// Three forms are on one page, so each field carries its tier.
fn named(tier: Tier, name: &str) -> String {
    format!("{}-{name}", tier.as_str())
}

fn read(req: &Req, tier: Tier, fields: &Fields) -> Result<SloPolicy, Vec<FieldError>> {
    let wrong = |name: &str| FieldError::said(format!("/{name}"), req.t.not_a_number());
    let numbers = STEPS.map(|name| fields.get(&named(tier, name)).parse::<i32>().map_err(|_| wrong(name)));
    let missing = BudgetVerdict::parse(fields.get(&named(tier, "missing")));
    let missing = missing.ok_or_else(|| FieldError::said("/missing", req.t.required()));
    match (numbers, missing) {
        ([Ok(warn_below), Ok(approval_below), Ok(block_at)], Ok(missing)) => {
            Ok(SloPolicy { warn_below, approval_below, block_at, missing })
        }
        (numbers, missing) => Err(numbers.into_iter().filter_map(Result::err).chain(missing.err()).collect()),
    }
}

/// `typed` is what was refused for one tier, and why.
async fn render(app: &AppState, req: &Req, typed: Option<(Tier, &Fields, &Errors)>) -> Result<Response, PageError> {
    let t = req.t;
    let may = decide(&req.ctx, Action::GatePolicyEdit, &Object::new("slo_policy", "*"));
    let because = (!may.allowed).then(|| req.ctx.say(&may.because));
    let why_not = because.map(|because| view! { <Alert tone=Tone::Off>{because}</Alert> });
    let nothing = Errors::default();
    let told = summary(t, typed.map_or(&nothing, |(_, _, errors)| errors), &SHOWN);
    let policies = app.portal.slo.list_slo_policies(&req.ctx).await.or_page(req)?;
    let forms = policies
        .into_iter()
        .map(|known| match typed {
            Some((tier, fields, errors)) if tier == known.tier => form(req, tier, fields, errors, may.allowed),
            _ => form(req, known.tier, &stored(&known), &nothing, may.allowed),
        })
        .collect::<Vec<_>>();
    let crumbs = vec![Crumb::new("/slos", t.slos_title())];
    Ok(page(
        req.page(t.slo_policies_title()).section(Section::Slos).crumbs(crumbs),
        view! {
            <Head title=t.slo_policies_title() sub=t.slo_policies_sub() />
            {told}
            <div class="stack">{why_not} {forms}</div>
        },
    ))
}

fn stored(known: &SloPolicyOut) -> Fields {
    let policy = known.policy;
    let pairs = [
        ("warn_below", policy.warn_below.to_string()),
        ("approval_below", policy.approval_below.to_string()),
        ("block_at", policy.block_at.to_string()),
        ("missing", policy.missing.as_str().to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (named(known.tier, name), value)).collect()
}

fn form(req: &Req, tier: Tier, fields: &Fields, errors: &Errors, may: bool) -> AnyView {
    let t = req.t;
    let labels = [t.slo_policy_warn(), t.slo_policy_approval(), t.slo_policy_block()];
    let steps = STEPS
        .into_iter()
        .zip(labels)
        .map(|(name, label)| {
            let error = errors.of(&format!("/{name}"));
            let name = named(tier, name);
            let value = fields.text(&name);
            view! { <Text t=t name=name label=label kind="number" value=value error=error required=true /> }
        })
        .collect::<Vec<_>>();
    let words = BudgetVerdict::ALL.map(|verdict| (verdict.as_str().to_owned(), t.budget_verdict(verdict).to_owned()));
    let name = t.tier(tier);
    let missing = named(tier, "missing");
    let set = fields.text(&missing);
    view! {
        <section class="panel">
            <h2>
                <TierTag t=t tier=tier name=name />
            </h2>
            <form class="form" method="post" action=format!("/slos/policies/{}", tier.as_str()) aria-label=name>
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <div class="pair">
                    {steps}
                    <Select t=t name=missing label=t.slo_policy_missing() choices=words.to_vec() value=set error=errors.of("/missing") />
                </div>
                <div class="btns">
                    {may.then(|| view! { <Submit label=t.slo_policy_save(name) kind=ButtonKind::Plain /> })}
                </div>
            </form>
        </section>
    }
    .into_any()
}
