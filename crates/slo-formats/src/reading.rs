//! What an SLO says, in one sentence, before it is saved.

use crate::model::{Definition, Op, Query, Sli, Window};
use passerelle_slo_math::{Method, Ratio, Unit};

/// The languages of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    French,
}

/// For example `95 % of requests under 500 ms over 7 days`.
#[must_use]
pub fn sentence(definition: &Definition, language: Language) -> String {
    let french = language == Language::French;
    let percent = decimal(&definition.objective.percent(), french);
    let over = window(&definition.window, french);
    let what = match (&definition.sli, definition.method) {
        (Sli::Threshold { value, op, threshold }, method) => {
            let minutes = u64::from(method.step_s()) / 60;
            threshold_text(value, *op, *threshold, minutes, french)
        }
        (sli, Method::Occurrences) => events(sli, french),
        (sli, Method::Timeslices(rule)) => {
            let share = decimal(&plain(rule.target.times(Ratio::whole(100))), french);
            let minutes = rule.slice_s / 60;
            let events = events(sli, french);
            if french {
                format!("des tranches de {minutes} min où au moins {share} % {events}")
            } else {
                format!("of slices of {minutes} min with at least {share} % {events}")
            }
        }
        (sli, Method::RatioTimeslices(rule)) => {
            let minutes = rule.slice_s / 60;
            let events = events(sli, french);
            if french {
                format!("{events}, chaque tranche de {minutes} min comptant autant")
            } else {
                format!("{events}, each slice of {minutes} min counting the same")
            }
        }
    };
    if french { format!("{percent} % {what} sur {over}") } else { format!("{percent} % {what} over {over}") }
}

fn events(sli: &Sli, french: bool) -> String {
    if let Sli::Good { good: Query::Counter(good), .. } = sli
        && good.metric.ends_with("_bucket")
        && let Some(limit) =
            good.matchers.iter().find(|matcher| matcher.label == "le").and_then(|le| limit_ms(&le.value))
    {
        let limit = decimal(&limit, french);
        return if french {
            format!("des requêtes en moins de {limit} ms")
        } else {
            format!("of requests under {limit} ms")
        };
    }
    let of = match sli {
        Sli::Good { total, .. } | Sli::Bad { total, .. } => total,
        Sli::Threshold { value, .. } => value,
    };
    let requests = matches!(of, Query::Counter(selector) if selector.metric.contains("request"));
    match (requests, french) {
        (true, false) => "of requests succeed".to_owned(),
        (true, true) => "des requêtes réussies".to_owned(),
        (false, false) => "of events are good".to_owned(),
        (false, true) => "des événements sont bons".to_owned(),
    }
}

/// The bound of a histogram bucket in milliseconds.
fn limit_ms(le: &str) -> Option<String> {
    let seconds: Ratio = le.trim_end_matches("([.]0)?").parse().ok()?;
    Some(plain(seconds.times(Ratio::whole(1000))))
}

fn threshold_text(value: &Query, op: Op, threshold: Ratio, minutes: u64, french: bool) -> String {
    let threshold = decimal(&plain(threshold), french);
    let symbol = op.symbol();
    let per_second = matches!(value, Query::Windowed { per_second: true, .. });
    match (per_second && op == Op::Gte, french) {
        (true, false) => format!("of slices of {minutes} min with at least {threshold} events/s"),
        (true, true) => format!("des tranches de {minutes} min avec au moins {threshold} événements/s"),
        (false, false) => format!("of slices of {minutes} min with a value {symbol} {threshold}"),
        (false, true) => format!("des tranches de {minutes} min avec une valeur {symbol} {threshold}"),
    }
}

fn plain(value: Ratio) -> String {
    let text = value.decimal(6);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn decimal(text: &str, french: bool) -> String {
    if french { text.replace('.', ",") } else { text.to_owned() }
}

fn window(window: &Window, french: bool) -> String {
    match window {
        Window::Rolling { seconds } => {
            let (count, english, in_french) = match seconds {
                s if s % 86_400 == 0 => (s / 86_400, "day", "jour"),
                s if s % 3600 == 0 => (s / 3600, "hour", "heure"),
                s => (s / 60, "minute", "minute"),
            };
            let word = if french { in_french } else { english };
            format!("{count} {word}{}", if count == 1 { "" } else { "s" })
        }
        Window::Calendar { count, unit, zone, .. } => {
            let (english, in_french) = match unit {
                Unit::Day => ("day", "jour"),
                Unit::Week => ("week", "semaine"),
                Unit::Month => ("month", "mois"),
                Unit::Quarter => ("quarter", "trimestre"),
                Unit::Year => ("year", "an"),
            };
            let plural =
                |word: &str| if *count == 1 || word.ends_with('s') { word.to_owned() } else { format!("{word}s") };
            if french {
                format!("{count} {} de calendrier ({zone})", plural(in_french))
            } else {
                format!("{count} calendar {} ({zone})", plural(english))
            }
        }
    }
}
