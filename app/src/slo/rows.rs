//! Objectives as rows of a table: on the list, and on the page of a service.

use super::{state_tone, verdict_tone};
use crate::i18n::T;
use crate::ui::{BudgetLine, Columns, Status, Table, Tone};
use leptos::prelude::*;
use passerelle_contract::slo::{SloRow, SloState};
use passerelle_server::slo::BudgetChip;

/// `service` tells whose they are; on the page of a service that is known.
pub fn table(t: T, slos: Vec<SloRow>, service: bool) -> AnyView {
    let rows = slos.into_iter().map(|slo| row(t, slo, service)).collect::<Vec<_>>();
    let columns = Columns::of([t.col_slo(), t.col_budget_left(), t.slo_verdict()])
        .numbers([t.col_target(), t.col_burn_1h(), t.col_burn_6h(), t.col_burn_3d()])
        .and([t.col_measured()]);
    view! { <Table label=t.slos_title() columns=columns>{rows}</Table> }.into_any()
}

fn row(t: T, slo: SloRow, service: bool) -> impl IntoView {
    let burn = |window: &str| slo.burn.get(window).map_or_else(|| t.nothing().to_owned(), |burn| t.times(*burn));
    let burns = ["1h", "6h", "3d"].map(burn).map(|text| view! { <td class="num">{text}</td> });
    let verdict = slo.verdict.map(|verdict| {
        let (tone, icon) = verdict_tone(verdict);
        view! { <Status tone=tone icon=icon word=t.budget_verdict(verdict) /> }
    });
    let place = slo.environment.clone().unwrap_or_else(|| t.slo_all_environments().to_owned());
    let whose = service.then(|| view! { <a href=format!("/services/{}", slo.service)>{slo.service.clone()}</a> " · " });
    let left = left(t, &slo);
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=format!("/slos/{}", slo.id)>
                    {slo.title}
                </a>
                <div class="under">{whose} {place}</div>
            </th>
            <td>{left}</td>
            <td>{verdict}</td>
            <td class="num nowrap">
                {format!("{}\u{a0}%", t.amount(slo.objective))} <div class="under">{slo.window}</div>
            </td>
            {burns.into_iter().collect::<Vec<_>>()}
            <td>
                <Status tone=state_tone(slo.state) word=t.slo_state(slo.state) />
                {slo
                    .simulated
                    .then(|| view! { <div><span class="tag sim" title=t.slo_simulated_why()>{t.slo_simulated()}</span></div> })}
            </td>
        </tr>
    }
}

/// What is left of the budget that hinders most, in as few words as fit into a cell.
pub fn chip(t: T, chip: &BudgetChip) -> AnyView {
    let (tone, icon) = verdict_tone(chip.verdict);
    let word = match chip.state {
        SloState::NoData => t.data_none().to_owned(),
        SloState::Partial if chip.remaining > 0.0 => t.data_partial().to_owned(),
        _ => t.percent(chip.remaining, 0),
    };
    let label = t.slo_chip(&chip.title, t.budget_left(chip.remaining));
    let said = format!(" {label}");
    view! {
        <a href=format!("/slos/{}", chip.slo) title=label.clone()>
            <Status tone=tone icon=if tone == Tone::Ok { "budget" } else { icon } word=word />
            <span class="vh">{said}</span>
        </a>
    }
    .into_any()
}

/// What is left, in words and as a line over the period.
fn left(t: T, slo: &SloRow) -> AnyView {
    let Some(share) = slo.remaining_ratio else {
        return view! { <Status tone=Tone::Off word=t.slo_unmeasured() /> }.into_any();
    };
    let (tone, icon) = slo.verdict.map_or((Tone::Off, "off"), verdict_tone);
    let line = line_label(t, slo).map(|label| view! { <BudgetLine values=slo.sparkline.clone() label=label /> });
    view! {
        <div class="left-of">
            <Status tone=tone icon=icon word=t.budget_left(share) />
            {line}
        </div>
    }
    .into_any()
}

/// What the line over the period says in words; nothing before there is one.
pub fn line_label(t: T, slo: &SloRow) -> Option<String> {
    let (first, last) = slo.sparkline.first().zip(slo.sparkline.last())?;
    Some(t.slo_spark(t.percent(*first, 0), t.percent(*last, 0)))
}
