//! How fast a budget was spent, hour by hour, beside the alerts that this sets off.

use super::down_chart::{Step, lines, times};
use crate::i18n::T;
use crate::ui::{Chart, Columns, Level, Plot, Status, Table, Tone};
use leptos::prelude::*;
use passerelle_contract::slo::{AlertPairOut, SloHistoryPoint, SloOut};
use time::OffsetDateTime;

/// The scale reaches at least to here, so that the thresholds can be seen.
const LEAST_TOP: f64 = 20.0;

pub fn view(t: T, slo: &SloOut, points: &[SloHistoryPoint], now: OffsetDateTime) -> AnyView {
    let highest = points.iter().filter(|point| point.known > 0).map(|point| point.burn).fold(0.0, f64::max);
    let top = highest.max(LEAST_TOP);
    // Burns go from far below 1 to 1,000: equal steps are equal factors, with 0 at the bottom.
    let y = |burn: f64| 1.0 - burn.max(0.0).ln_1p() / top.ln_1p();
    let to = slo.period_to.min(now);
    let threshold = |factor: f64| Level { y: y(factor), text: t.times(factor), threshold: true };
    let mut factors: Vec<f64> = slo.alerts.iter().map(|pair| pair.factor).collect();
    factors.sort_by(|a, b| b.total_cmp(a));
    factors.dedup();
    let mut levels = vec![Level { y: 1.0, text: t.times(0.0), threshold: false }];
    levels.extend(factors.into_iter().map(threshold));
    if top > LEAST_TOP * 2.0 {
        levels.push(Level { y: 0.0, text: t.times(top), threshold: false });
    }
    let step = |point: &SloHistoryPoint| Step { at: point.at, value: point.burn, known: point.known > 0 };
    let steps: Vec<Step> = points.iter().map(step).collect();
    let plot = Plot {
        lines: lines(&steps, slo.period_from, to, y),
        levels,
        times: times(t, slo.period_from, to),
        ..Plot::default()
    };
    if plot.lines.is_empty() {
        return view! { <p class="muted">{t.slo_no_history()}</p> }.into_any();
    }
    view! {
        <Chart name="burn" title=t.slo_rate() desc=t.slo_rate_desc(t.times(highest)) plot=plot>
            <p class="legend">
                <span>{format!("- - {}", t.slo_legend_threshold())}</span>
            </p>
        </Chart>
    }
    .into_any()
}

/// The alert windows with their burns now.
pub fn alerts(t: T, alerts: &[AlertPairOut]) -> impl IntoView + use<> {
    let rows = alerts
        .iter()
        .map(|pair| {
            let severity = if pair.severity == "page" { t.slo_alert_page() } else { t.slo_alert_ticket() };
            let state = match (pair.firing, pair.unreachable) {
                (true, _) => view! { <Status tone=Tone::Bad word=t.slo_alert_firing() /> }.into_any(),
                (false, true) => view! {
                    <Status tone=Tone::Warn word=t.slo_alert_never() />
                    <div class="under">{t.slo_alert_never_why()}</div>
                }
                .into_any(),
                (false, false) => view! { <Status tone=Tone::Off word=t.slo_alert_quiet() /> }.into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{severity}</th>
                    <td class="nowrap">{format!("{} / {}", pair.long, pair.short)}</td>
                    <td class="num">{t.times(pair.factor)}</td>
                    <td class="num">{t.times(pair.burn_long)}</td>
                    <td class="num">{t.times(pair.burn_short)}</td>
                    <td>{state}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let columns = Columns::of([t.slo_alert_severity(), t.slo_alert_windows()])
        .numbers([t.slo_alert_factor(), t.slo_alert_long(), t.slo_alert_short()])
        .and([t.slo_alert_state()]);
    view! { <Table label=t.slo_alerts() columns=columns>{rows}</Table> }
}
