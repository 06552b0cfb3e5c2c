//! What would change, what the gates say of it, and the form that does it.

use super::choosing::Chosen;
use super::going::{self, Asked};
use crate::i18n::T;
use crate::ui::{Alert, Diff, GateList, ImageRef, Status, Tone};
use crate::web::Req;
use leptos::prelude::*;
use passerelle_contract::deployments::{EnvVar, PlanOut, Severity};
use passerelle_contract::gates::BreakGlassOut;
use passerelle_server::portal::Portal;

/// The change line by line. An image is named once: in the lines where it changes, else above them.
pub fn changes(t: T, plan: &PlanOut) -> impl IntoView + use<> {
    let incomplete =
        plan.incomplete.clone().map(|why| view! { <Alert tone=Tone::Warn>{t.deploy_incomplete(why)}</Alert> });
    let lines = plan.diff.clone();
    let nothing = lines.is_empty() && plan.incomplete.is_none();
    let told = lines.iter().any(|line| line.after.as_ref().is_some_and(|after| *after == plan.incoming_image.as_str()));
    let part = |name: &'static str, version: Option<&String>, image: Option<&String>| {
        let version = version.map(|version| view! { <span class="mono break">{version.clone()}</span> " " });
        let known = version.is_some();
        let image = image.filter(|_| !told || !known).cloned();
        let none = (!known && image.is_none()).then(|| t.nothing());
        view! {
            <dt>{name}</dt>
            <dd>{version} {image.map(|image| view! { <ImageRef t=t image=image /> })} {none}</dd>
        }
    };
    let now = part(t.deploy_now(), plan.current_version.as_ref(), plan.current_image.as_ref());
    let commits = plan.compare_url.clone().map(|url| {
        view! {
            <dt>{t.deploy_commits()}</dt>
            <dd>
                <a href=url rel="noreferrer">
                    {t.deploy_compare()}
                </a>
            </dd>
        }
    });
    let incoming = part(t.deploy_incoming(), plan.incoming_version.as_ref(), Some(&plan.incoming_image));
    view! {
        <section class="panel">
            <h2>{t.deploy_changes()}</h2>
            <dl class="dl mb-3">
                {now} {incoming} {commits} <dt>{t.deploy_replicas()}</dt> <dd>{plan.replicas.desired.to_string()}</dd>
            </dl>
            {incomplete}
            {nothing.then(|| view! { <p class="muted">{t.deploy_no_change()}</p> })}
            {(!lines.is_empty()).then(|| view! { <Diff t=t lines=lines /> })}
            {variables(t, &plan.env)}
        </section>
    }
}

fn variables(t: T, env: &[EnvVar]) -> Option<AnyView> {
    if env.is_empty() {
        return None;
    }
    let rows = env
        .iter()
        .map(|variable| {
            let secret = variable.secret.then(|| view! { " " <span class="tag">{t.secret()}</span> });
            view! {
                <tr>
                    <th scope="row" class="mono">
                        {variable.name.clone()}
                    </th>
                    <td class="mono break">{variable.value.clone()} {secret}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let view = view! {
        <details class="mt-3">
            <summary>{format!("{} ({})", t.deploy_env(), env.len())}</summary>
            <div class="wide mt-3" tabindex="0">
                <table>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    };
    Some(view.into_any())
}

/// What the gates say, what was noticed, and the form.
pub fn verdicts(
    portal: &Portal,
    req: &Req,
    service: &str,
    plan: PlanOut,
    chosen: &Chosen,
    glass: Option<BreakGlassOut>,
) -> impl IntoView + use<> {
    let t = req.t;
    let hold = plan.hold.clone().map(|hold| {
        view! { <Alert tone=Tone::Warn title=t.on_hold().to_owned()>{format!("{} · {}", hold.by, hold.reason)}</Alert> }
    });
    let findings = plan
        .findings
        .iter()
        .map(|finding| {
            let tone = match finding.severity {
                Severity::Info => Tone::Off,
                Severity::Warning => Tone::Warn,
                Severity::Error => Tone::Bad,
            };
            view! {
                <li class="mb-3">
                    <Status tone=tone word=t.severity(finding.severity) />
                    <div class="break">{finding.message.to_string()}</div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let findings = (!findings.is_empty()).then(|| {
        view! {
            <section class="panel">
                <h2>{t.deploy_findings()}</h2>
                <ul>{findings}</ul>
            </section>
        }
    });
    let asked = Asked {
        service,
        plan: &plan,
        version: chosen.version.clone(),
        image: chosen.image.clone(),
        reason: chosen.reason.clone(),
        exempt: chosen.exempt,
        errors: &chosen.errors,
        glass,
    };
    let form = going::form(portal, req, asked);
    view! {
        {hold}
        <section class="panel">
            <h2>{t.deploy_gates()}</h2>
            <GateList t=t gates=plan.gates now=req.now />
        </section>
        {findings}
        {form}
    }
}
