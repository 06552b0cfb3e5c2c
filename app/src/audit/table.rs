//! The rows.

use super::changes::changes;
use crate::i18n::T;
use crate::ui::{Columns, CopyId, Diff, Moment, OutcomeBadge, Pager, Status, Table, Tone};
use crate::web::Req;
use leptos::prelude::*;
use passerelle_contract::Page as Listing;
use passerelle_contract::audit::AuditEventOut;

pub fn table(req: &Req, listing: Listing<AuditEventOut>) -> impl IntoView + use<> {
    let t = req.t;
    let pages = req.pages("/audit", listing.items.len(), listing.total, listing.next_cursor.as_deref());
    let rows = listing
        .items
        .into_iter()
        .map(|event| {
            let actor = req.query.with("actor", Some(&event.actor)).href("/audit");
            row(t, event, actor)
        })
        .collect::<Vec<_>>();
    view! {
        <Table label=t.audit_title() columns=Columns::of([t.col_at(), t.col_actor(), t.col_action(), t.col_object(), t.col_outcome(), t.col_sealed()])>{rows}</Table>
        <Pager t=t pages=pages />
    }
}

fn row(t: T, event: AuditEventOut, actor: String) -> impl IntoView {
    let (tone, icon, word) =
        if event.sealed { (Tone::Ok, "shield", t.audit_sealed()) } else { (Tone::Off, "off", t.audit_open()) };
    let via = t.audit_via(&event.via);
    let outcome = event.outcome;
    let at = event.at;
    let name = event.actor.clone();
    let action = event.action.clone();
    let object = object(&event);
    let details = details(t, event);
    view! {
        <tr>
            <td>
                <Moment t=t at=at />
            </td>
            <td>
                <a class="link" href=actor>
                    {name}
                </a>
                <div class="under">{via}</div>
            </td>
            <td class="mono">{action}</td>
            <td class="break">{object} {details}</td>
            <td>
                <OutcomeBadge t=t outcome=outcome />
            </td>
            <td>
                <Status tone=tone icon=icon word=word />
            </td>
        </tr>
    }
}

/// The object, with the service and the environment it concerns when the object does not name them itself.
fn object(event: &AuditEventOut) -> impl IntoView + use<> {
    let concerns: Vec<String> = [&event.service, &event.environment]
        .into_iter()
        .flatten()
        .filter(|name| !event.object.contains(name.as_str()))
        .cloned()
        .collect();
    let under = (!concerns.is_empty()).then(|| view! { <div class="under">{concerns.join(" · ")}</div> });
    let name = match address(&event.object) {
        Some(href) => view! {
            <a class="link mono" href=href>
                {event.object.clone()}
            </a>
        }
        .into_any(),
        None => view! { <span class="mono">{event.object.clone()}</span> }.into_any(),
    };
    view! {
        {name}
        {under}
    }
}

/// The page of an object that has one.
fn address(object: &str) -> Option<String> {
    let (kind, key) = object.split_once(':')?;
    if key.is_empty() || key.contains(['*', '@', ' ', '?', '#', '\\', '%']) {
        return None;
    }
    let folder = match kind {
        "service" => "services",
        "deployment" => "deployments",
        "environment" => "environments",
        "connection" => "connections",
        "freeze" => "freezes",
        "gate_policy" => "gates",
        "release" => "releases",
        "slo" => "slos",
        _ => return None,
    };
    Some(format!("/{folder}/{key}"))
}

/// Reason, what changed, request id: folded, and readable without a script.
fn details(t: T, event: AuditEventOut) -> impl IntoView {
    let lines = changes(event.before.as_ref(), event.after.as_ref());
    let diff = (!lines.is_empty()).then(|| view! { <Diff t=t lines=lines /> });
    let reason = event.reason.map(|reason| view! { <div class="under">{reason}</div> });
    view! {
        {reason}
        <details class="disclose">
            <summary>{t.details()}</summary>
            {diff}
            <div class="muted">{t.request_id()} " " <CopyId t=t id=event.request_id /></div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn only_objects_with_a_page_are_linked() {
        assert_eq!(address("service:skillforge/user").as_deref(), Some("/services/skillforge/user"));
        assert_eq!(address("environment:*"), None);
        assert_eq!(address("binding:a/b@staging"), None);
        assert_eq!(address("user:ada"), None);
    }
}
