//! Buttons, fields, tables, tabs.

use crate::i18n::T;
use crate::ui::{
    Ago, ButtonKind, Check, Chip, Choice, Columns, CopyId, HealthBadge, LinkButton, Moment, Pager, Pages, Select,
    Submit, Tab, Table, Tabs, Text, TextArea,
};
use leptos::prelude::*;
use passerelle_contract::deployments::Health;
use passerelle_contract::environments::Tier;
use time::{Duration, OffsetDateTime};

pub fn buttons(t: T) -> impl IntoView {
    view! {
        <section class="panel">
            <h2>"Buttons"</h2>
            <div class="show">
                <Submit label=t.act_deploy() />
                <Submit label=t.act_deploy() kind=ButtonKind::Production />
                <LinkButton href="/ui" label=t.edit() />
                <LinkButton href="/ui" label=t.act_roll_back() kind=ButtonKind::Danger icon="back" />
                <LinkButton href="/ui" label=t.cancel() kind=ButtonKind::Quiet />
                <LinkButton href="/ui" label=t.details() kind=ButtonKind::Small />
                <Submit label=t.act_deploy() disabled_because=t.deploy_blocked() />
                <CopyId t=t id="019aa6d2-7b1e" />
            </div>
            <div class="chips mt-3">
                <Chip href="/ui" label=t.matrix_attention() count="3" />
                <Chip href="/ui" label=t.matrix_differs() on=true />
            </div>
        </section>
    }
}

pub fn inputs(t: T) -> impl IntoView {
    let tiers = ["staging", "production"].map(|tier| (tier.to_owned(), tier.to_owned())).to_vec();
    view! {
        <form class="panel form" action="/ui">
            <h2>"Fields"</h2>
            <div class="pair">
                <Text
                    t=t
                    name="a"
                    label=t.field_name()
                    required=true
                    hint=t.field_name_hint().to_owned()
                    value="staging"
                />
                <Text t=t name="b" label=t.field_order() value="x" required=true error=t.not_a_number().to_owned() />
                <Select t=t name="c" label=t.field_tier() choices=tiers value="production" />
            </div>
            <TextArea t=t name="d" label=t.reason() hint=t.reason_hint().to_owned() />
            <Check name="e" label=t.field_auto_rollback() checked=true />
            <Choice
                name="f"
                value="release"
                label=t.rollback_config_release()
                hint=t.rollback_config_release_hint()
                checked=true
            />
            <Choice name="f" value="current" label=t.rollback_config_current() hint=t.rollback_config_current_hint() />
        </form>
    }
}

pub fn lists(t: T, now: OffsetDateTime) -> impl IntoView {
    let tab = |text: &str, here| Tab { href: "/ui".to_owned(), text: text.to_owned(), here };
    let tabs = vec![tab(t.tab_overview(), true), tab(t.tab_releases(), false), tab(t.tab_history(), false)];
    let at = now - Duration::minutes(130);
    let pages = Pages { shown: 20, total: 12_345, first: None, next: Some("/ui".to_owned()) };
    view! {
        <section>
            <Tabs label="Tabs" tabs=tabs />
            <Table label="Table" columns=Columns::of([t.col_service(), t.col_health()]).tiers(t, [(Tier::Production, t.tier_production().to_owned())]).and([t.col_updated()])>
                    <tr>
                        <th scope="row">
                            <a class="svc" href="/ui">
                                "user-service"
                            </a>
                            <div class="under">"skillforge"</div>
                        </th>
                        <td>
                            <HealthBadge t=t health=Health::Healthy />
                        </td>
                        <td class="mono">"9f31c2a"</td>
                        <td>
                            <Ago t=t at=at now=now />
                            " · "
                            <Moment t=t at=at />
                        </td>
                    </tr>
                    <tr>
                        <td>
                            <span class="skeleton"></span>
                        </td>
                        <td>
                            <span class="skeleton"></span>
                        </td>
                        <td>
                            <span class="skeleton"></span>
                        </td>
                        <td>
                            <span class="skeleton"></span>
                        </td>
                    </tr>
                </Table>
            <Pager t=t pages=pages />
        </section>
    }
}
