//! Our rules beside those of known generators, evaluated by the real promtool over the same series: the same ratios and the same alerts.
//! The shapes are written here from what sloth and pyrra document of theirs. Where they differ from ours by design, the test says how much.
#![expect(clippy::unwrap_used, reason = "tests")]

use passerelle_slo_formats::rules::{RuledSlo, groups, rule_file};
use passerelle_slo_formats::{Conventions, read_documents};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const FILE: &str = "service_level_objectives: [{name: Web, sli: availability, target: 99.9, window: 30d}]";
const BAD: &str = r#"http_requests_total{service="web",code=~"5.."}"#;
const ALL: &str = r#"http_requests_total{service="web"}"#;
const OURS: &str = r#"{slo="web",service="shop/web"}"#;
const SLOTH: &str = r#"{sloth_id="shop-web",sloth_service="shop",sloth_slo="web"}"#;
const PYRRA: &str = r#"{slo="web",service="pyrra"}"#;

/// False when promtool is not installed.
fn promtool(arguments: &[&str], folder: &Path) -> bool {
    match Command::new("promtool").args(arguments).current_dir(folder).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success(), "promtool {arguments:?}: {}", &text[..text.len().min(4000)]);
            true
        }
        Err(error) => {
            println!("skipped: promtool (Debian package prometheus) cannot be run: {error}");
            false
        }
    }
}

fn ours() -> Vec<Value> {
    let outcome = read_documents(FILE, &Conventions::usual("web"));
    let (_, definition) = outcome.definitions().next().unwrap();
    let slo =
        RuledSlo { definition: definition.clone(), service: "shop/web".to_owned(), tier: "production".to_owned() };
    groups(&[slo])
}

fn error_ratio(window: &str) -> String {
    format!("(sum(rate({BAD}[{window}]))) / (sum(rate({ALL}[{window}])))")
}

/// A recording rule of seven windows, the period as the mean of the five-minute ratios, and two alerts over pairs of windows.
fn sloth() -> String {
    let mut text = String::from("groups:\n- name: sloth\n  interval: 30s\n  rules:\n");
    let labels = "{sloth_id: shop-web, sloth_service: shop, sloth_slo: web";
    for window in ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] {
        let ratio = error_ratio(window);
        writeln!(text, "  - record: slo:sli_error:ratio_rate{window}\n    expr: '{ratio}'\n    labels: {labels}, sloth_window: {window}}}")
            .unwrap();
    }
    writeln!(
        text,
        "  - record: slo:sli_error:ratio_rate30d\n    expr: 'sum_over_time(slo:sli_error:ratio_rate5m{SLOTH}[30d]) / ignoring (sloth_window) \
         count_over_time(slo:sli_error:ratio_rate5m{SLOTH}[30d])'\n    labels: {labels}, sloth_window: 30d}}"
    )
    .unwrap();
    let pair = |short: &str, long: &str, factor: &str| {
        let above = |window: &str| {
            format!("max(slo:sli_error:ratio_rate{window}{SLOTH} > ({factor} * 0.001)) without (sloth_window)")
        };
        format!("({} and {})", above(short), above(long))
    };
    for (alert, one, two) in [
        ("SlothPage", pair("5m", "1h", "14.4"), pair("30m", "6h", "6")),
        ("SlothTicket", pair("2h", "1d", "3"), pair("6h", "3d", "1")),
    ] {
        writeln!(text, "  - alert: {alert}\n    expr: '{one} or {two}'").unwrap();
    }
    text
}

/// A burn rate for each window, the events of the period, and an alert for each pair of windows.
fn pyrra() -> String {
    let mut text = String::from("groups:\n- name: pyrra\n  interval: 30s\n  rules:\n");
    let labels = "{service: pyrra, slo: web}";
    for window in ["5m", "30m", "1h", "2h", "6h", "1d", "4d"] {
        let ratio = error_ratio(window).replace("(sum", "sum").replace(")))", "))");
        writeln!(text, "  - record: http_requests:burnrate{window}\n    expr: '{ratio}'\n    labels: {labels}")
            .unwrap();
    }
    for (short, long, factor, held) in
        [("5m", "1h", 14, "2m"), ("30m", "6h", 7, "15m"), ("2h", "1d", 2, "1h"), ("6h", "4d", 1, "3h")]
    {
        let above = |window: &str| format!("http_requests:burnrate{window}{PYRRA} > ({factor} * (1-0.999))");
        writeln!(
            text,
            "  - alert: PyrraBurn\n    expr: '{} and {}'\n    for: {held}\n    labels: {{factor: \"{factor}\"}}",
            above(short),
            above(long)
        )
        .unwrap();
    }
    text
}

/// Two counters by the minute: so many good and so many bad ones, for so long.
fn series(phases: &[(u64, u64, u64)]) -> String {
    let of = |pick: fn(&(u64, u64, u64)) -> u64| {
        let mut values = String::from("0");
        let mut at = 0;
        for phase in phases {
            let (minutes, step) = (phase.0, pick(phase));
            write!(values, " {}+{step}x{}", at + step, minutes - 1).unwrap();
            at += step * minutes;
        }
        values
    };
    let line = |code: &str, values: String| {
        format!("  - {{series: 'http_requests_total{{service=\"web\",code=\"{code}\"}}', values: '{values}'}}\n")
    };
    line("200", of(|phase| phase.1)) + &line("503", of(|phase| phase.2))
}

/// Every check has to give the one sample 1.
fn holds(name: &str, rules: &[(&str, String)], phases: &[(u64, u64, u64)], checks: &[(u64, String)]) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<&str> = rules.iter().map(|(file, _)| *file).collect();
    let mut text = format!(
        "rule_files: [{}]\nevaluation_interval: 5m\ntests:\n- name: {name}\n  interval: 1m\n  input_series:\n{}  promql_expr_test:\n",
        files.join(", "),
        series(phases)
    );
    for (minute, expr) in checks {
        writeln!(text, "  - {{eval_time: {minute}m, expr: '{expr}', exp_samples: [{{labels: '{{}}', value: 1}}]}}")
            .unwrap();
    }
    std::fs::write(folder.path().join("same.test.yml"), text).unwrap();
    for (file, rules) in rules {
        std::fs::write(folder.path().join(file), rules).unwrap();
        if !promtool(&["check", "rules", "--lint=none", file], folder.path()) {
            return;
        }
    }
    promtool(&["test", "rules", "same.test.yml"], folder.path());
}

/// Whether two expressions give the same number, where there is one, and both give one.
fn same(one: &str, other: &str) -> String {
    format!("abs(sum({one}) - sum({other})) < bool 1e-12")
}

fn firing(alert: &str) -> String {
    format!("(count(ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}) > bool 0 or vector(0))")
}

#[test]
fn the_same_ratios_and_the_same_alerts() {
    // A burn of a half, of twenty for an hour and a half, a half, of four for a day and a half, a half.
    let phases = [(1440, 19_990, 10), (90, 19_600, 400), (1000, 19_990, 10), (2160, 19_920, 80), (2000, 19_990, 10)];
    let end: u64 = phases.iter().map(|phase| phase.0).sum();
    let mut checks = Vec::new();
    for minute in (30..end).step_by(20) {
        for window in ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] {
            let ours = format!("slo:sli_error:ratio_rate{window}{OURS}");
            checks.push((minute, same(&ours, &format!("slo:sli_error:ratio_rate{window}{SLOTH}"))));
            if window != "3d" {
                checks.push((minute, same(&ours, &format!("http_requests:burnrate{window}{PYRRA}"))));
            }
        }
        for (ours, theirs) in [("ErrorBudgetBurnsFast", "SlothPage"), ("ErrorBudgetBurns", "SlothTicket")] {
            checks.push((minute, format!("{} == bool {}", firing(ours), firing(theirs))));
        }
    }
    // What fires, so that not all of it is silence; pyrra pages on its own factors, here at the same time.
    for (minute, page, ticket) in [(1400, 0, 0), (1525, 1, 1), (2500, 0, 0), (4600, 0, 1), (6600, 0, 0)] {
        for (alert, fires) in [("ErrorBudgetBurnsFast", page), ("ErrorBudgetBurns", ticket)] {
            checks.push((minute, format!("{} == bool {fires}", firing(alert))));
        }
        let pyrra =
            "(count(ALERTS{alertname=\"PyrraBurn\",factor=~\"14|7\",alertstate=\"firing\"}) > bool 0 or vector(0))";
        checks.push((minute, format!("{pyrra} == bool {page}")));
    }
    let rules = [("ours.yml", rule_file(&ours())), ("sloth.yml", sloth()), ("pyrra.yml", pyrra())];
    holds("same", &rules, &phases, &checks);
}

/// Day and night traffic with the incident at night: who counts events says +0.403, who averages ratios says -5.94.
#[test]
fn the_period_is_counted_and_not_averaged() {
    let mut phases = Vec::new();
    for day in 0..30 {
        if day == 9 {
            phases.extend([(300, 5, 8597), (420, 8602, 0)]);
        } else {
            phases.push((720, 8602, 0));
        }
        phases.push((720, 191_398, 0));
    }
    let end = 30 * 1440;
    // What looks at the whole period is asked once, at its end, and not recorded every five minutes.
    let mut groups = ours();
    let all = groups[0]["rules"].as_array_mut().unwrap();
    let period = all.iter().find(|rule| rule["record"] == "slo:error_budget_remaining:ratio").unwrap()["expr"].clone();
    all.retain(|rule| rule["record"].as_str().is_some_and(|name| name.starts_with("slo:events_")));
    assert_eq!(all.len(), 2);
    let sloth = sloth();
    let (head, rest) = sloth.split_once("  - record: slo:sli_error:ratio_rate30m").unwrap();
    let (_, mean) = rest.split_once("ratio_rate30d\n    expr: '").unwrap();
    let (mean, _) = mean.split_once('\'').unwrap();
    let near = |expr: String, value: &str, by: &str| format!("abs(sum({expr}) - ({value})) < bool {by}");
    // As pyrra counts: the increase of five minutes recorded, and summed over the period.
    let mut increases = String::from("groups:\n- name: pyrra\n  rules:\n");
    for (part, selector) in [("bad", BAD), ("all", ALL)] {
        let expr = format!("sum(increase({selector}[5m]))");
        writeln!(increases, "  - record: http_requests:increase5m\n    expr: '{expr}'\n    labels: {{part: {part}}}")
            .unwrap();
    }
    let events = |part: &str| format!("sum(sum_over_time(http_requests:increase5m{{part=\"{part}\"}}[30d]))");
    let checks = [
        (end, near(period.as_str().unwrap().to_owned(), "0.403", "0.005")),
        (end, near(format!("1 - {} / {} / 0.001", events("bad"), events("all")), "0.403", "0.005")),
        (end, near(format!("1 - ({mean}) / 0.001"), "-5.94", "0.05")),
    ];
    let rules = [("ours.yml", rule_file(&groups)), ("sloth.yml", head.to_owned()), ("pyrra.yml", increases)];
    holds("period", &rules, &phases, &checks);
}
