//! The filters of the matrix: all of them in the address.

use crate::i18n::T;
use crate::ui::{ButtonKind, Chip, Hidden, LinkButton, Select, Submit, facet_choices};
use crate::web::Query;
use leptos::prelude::*;
use passerelle_contract::catalog::ServiceFacets;

pub fn view(t: T, query: &Query, facets: &ServiceFacets) -> impl IntoView + use<> {
    let set = |name: &str| query.text(name).unwrap_or_default();
    let flag = |name: &'static str, label: &'static str| {
        let on = query.flag(name) == Some(true);
        let href = query.with(name, (!on).then_some("true")).href("/");
        view! { <Chip href=href label=label on=on /> }
    };
    let kept = ["attention", "differs"]
        .into_iter()
        .filter(|name| query.flag(name) == Some(true))
        .map(|name| view! { <Hidden name=name value="true" /> })
        .collect::<Vec<_>>();
    let (system, team) = (set("system"), set("team"));
    view! {
        <form class="filters" action="/" data-auto="">
            {kept}
            <div class="field grow">
                <label for="f-q">{t.search_words()}</label>
                <input class="input" id="f-q" type="search" name="q" value=set("q") />
            </div>
            <Select
                t=t
                name="system"
                label=t.facet_system()
                choices=facet_choices(t, &facets.system, &system)
                value=system.clone()
            />
            <Select t=t name="team" label=t.facet_team() choices=facet_choices(t, &facets.team, &team) value=team.clone() />
            <Submit label=t.filter() kind=ButtonKind::Plain />
            {query.filtered().then(|| view! { <LinkButton href="/" label=t.clear_filters() kind=ButtonKind::Quiet /> })}
        </form>
        <div class="chips mb-3">
            {flag("attention", t.matrix_attention())} {flag("differs", t.matrix_differs())}
        </div>
    }
}
