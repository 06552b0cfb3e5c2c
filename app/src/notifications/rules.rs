//! `/notifications/rules`: which events go to which channel.

use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{ButtonKind, Columns, Empty, Head, LinkButton, Status, Table, Tone};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::notifications::RuleOut;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let rules = app.portal.notifications.list_rules(&req.ctx).await.or_page(&req)?;
    let may = super::may_edit(&req.ctx).allowed;
    let new = move || {
        may.then(
            || view! { <LinkButton href="/notifications/rules/new" label=t.rule_new() kind=ButtonKind::Primary /> },
        )
    };
    let content = if rules.is_empty() {
        view! {
            <Empty icon="bell" title=t.rules_empty() text=t.rules_empty_text()>
                {new()}
            </Empty>
        }
        .into_any()
    } else {
        let rows = rules.into_iter().map(|rule| row(t, rule)).collect::<Vec<_>>();
        view! {
            <Table label=t.notify_rules() columns=Columns::of([t.col_channel(), t.col_where(), t.col_what(), t.col_state()])>{rows}</Table>
        }
        .into_any()
    };
    Ok(page(
        req.page(t.notify_rules()).section(Section::Notifications),
        view! {
            <Head title=t.notify_title() sub=t.notify_rules_sub()>
                {new()}
            </Head>
            {super::tabs(&req, "/notifications/rules")}
            {content}
        },
    ))
}

/// What a rule asks of the place, in one line.
pub fn place(t: T, rule: &RuleOut) -> String {
    let parts = [
        rule.team.as_ref().map(|team| format!("{} {team}", t.rule_team())),
        rule.system.as_ref().map(|system| format!("{} {system}", t.rule_system())),
        rule.environment.as_ref().map(|environment| format!("{} {environment}", t.rule_environment())),
        rule.tier.map(|tier| format!("{} {}", t.rule_tier(), t.tier(tier))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { t.rule_everything().to_owned() } else { parts.join(" · ") }
}

fn row(t: T, rule: RuleOut) -> impl IntoView {
    let events = if rule.events.is_empty() {
        t.rule_all_events().to_owned()
    } else {
        rule.events.iter().map(|event| t.event(*event)).collect::<Vec<_>>().join(", ")
    };
    let (tone, icon, word) =
        if rule.enabled { (Tone::Ok, "ok", t.rule_is_on()) } else { (Tone::Off, "hold", t.rule_is_off()) };
    let place = place(t, &rule);
    let named = t.rule_of(&rule.channel, &place);
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=format!("/notifications/rules/{}", rule.id) aria-label=named>
                    {rule.channel}
                </a>
            </th>
            <td class="break">{place}</td>
            <td class="break">{events}</td>
            <td class="nowrap">
                <Status tone=tone icon=icon word=word />
            </td>
        </tr>
    }
}
