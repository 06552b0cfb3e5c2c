//! Files as people write them.

use passerelle_slo_formats::reading::{Language, sentence};
use passerelle_slo_formats::{Conventions, Format, ReadOutcome, openslo, read_documents};

const ANNEX_C: &str = include_str!("../../../demo/systems/fil-rouge/slo-definitions.yaml");

fn read(text: &str) -> ReadOutcome {
    read_documents(text, &Conventions::usual("api-gateway"))
}

fn five(sli: &str, target: &str, window: &str) -> ReadOutcome {
    read(&format!(
        "service_level_objectives:\n  - name: A\n    sli: {sli}\n    target: {target}\n    window: {window}\n"
    ))
}

fn told(outcome: &ReadOutcome, language: Language) -> Vec<String> {
    outcome.definitions().map(|(_, definition)| sentence(definition, language)).collect()
}

#[test]
fn the_annex_is_read_as_it_stands() {
    let outcome = read(ANNEX_C);
    assert_eq!((outcome.problems.clone(), outcome.warnings.clone()), (vec![], vec![]));
    assert!(outcome.definitions().all(|(format, _)| format == Format::FiveLine));
    assert_eq!(
        told(&outcome, Language::English),
        [
            "99.9 % of requests succeed over 30 days",
            "95 % of requests under 500 ms over 7 days",
            "99.9 % of requests succeed over 30 days",
            "99.5 % of requests succeed over 30 days",
        ]
    );
    assert_eq!(told(&outcome, Language::French)[1], "95 % des requêtes en moins de 500 ms sur 7 jours");
    assert_eq!(told(&outcome, Language::French)[3], "99,5 % des requêtes réussies sur 30 jours");
    let names: Vec<_> = outcome.definitions().map(|(_, definition)| definition.name.as_str()).collect();
    assert_eq!(names[0], "api-gateway-availability");
    assert_eq!(names[2], "order-service-error-rate");
}

#[test]
fn an_error_rate_of_99_9_is_refused_with_the_reason() {
    let outcome = five("error_rate", "99.9", "30d");
    assert_eq!(outcome.problems.len(), 1);
    let problem = &outcome.problems[0];
    assert_eq!((problem.line, problem.pointer.as_str()), (4, "/service_level_objectives/0/target"));
    assert!(problem.message.to_string().contains("only 0.1 % would have to succeed"), "{}", problem.message);
}

#[test]
fn five_lines_that_cannot_be_meant_are_refused() {
    for (sli, target, window, pointer) in [
        ("availability", "100", "30d", "target"),
        ("availability", "'99.9'", "30d", "target"),
        ("latency_p95", "0", "7d", "target"),
        ("latency_p100", "500", "7d", "sli"),
        ("latency_px", "500", "7d", "sli"),
        ("speed", "1", "7d", "sli"),
        ("throughput", "-1", "7d", "target"),
        ("availability", "99.9", "1m", "window"),
        ("availability", "99.9", "30 days", "window"),
    ] {
        let outcome = five(sli, target, window);
        let pointers: Vec<_> = outcome.problems.iter().map(|problem| problem.pointer.clone()).collect();
        assert_eq!(pointers, [format!("/service_level_objectives/0/{pointer}")], "{sli} {target} {window}");
    }
    let unknown =
        read("service_level_objectives:\n  - name: A\n    sli: availability\n    target: 99\n    windows: 7d\n");
    assert_eq!(unknown.problems[0].line, 5);
    assert_eq!(
        told(&five("latency_p999", "250", "7d"), Language::English),
        ["99.9 % of requests under 250 ms over 7 days"]
    );
    assert_eq!(
        told(&five("throughput", "1000", "7d"), Language::English),
        ["99 % of slices of 1 min with at least 1000 events/s over 7 days"]
    );
}

const OPENSLO: &str = r#"apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-availability
  displayName: Checkout availability
spec:
  description: Orders go through.
  service: checkout
  indicatorRef: checkout-errors
  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: { startTime: 2026-01-01 00:00:00, timeZone: Europe/Paris }
  budgetingMethod: Occurrences
  objectives:
    - op: lte
      target: 0.999
  alertPolicies:
    - alertPolicyRef: burns
---
apiVersion: openslo/v1
kind: SLI
metadata: { name: checkout-errors }
spec:
  ratioMetric:
    counter: true
    bad:
      metricSource: { metricSourceRef: prom, type: Prometheus, spec: { query: 'sum(http_requests_total{service="checkout",code=~"5.."})' } }
    total:
      metricSource: { metricSourceRef: prom, type: Prometheus, spec: { query: 'http_requests_total{service="checkout"}' } }
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: { name: fast }
spec: { severity: page, condition: { kind: burnrate, op: gt, threshold: 14, lookbackWindow: 1h, alertAfter: 5m } }
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: { name: burns }
spec: { alertWhenBreaching: true, conditions: [ { conditionRef: fast } ], notificationTargets: [] }
---
apiVersion: openslo/v1
kind: DataSource
metadata: { name: prom }
spec: { type: Prometheus, connectionDetails: { url: http://prometheus:9090 } }
---
apiVersion: openslo/v1
kind: Service
metadata: { name: checkout }
spec: { description: The till. }
"#;

#[test]
fn openslo_is_read_with_its_references() {
    let outcome = read(OPENSLO);
    assert_eq!(outcome.problems, []);
    assert_eq!(outcome.warnings.len(), 1);
    assert_eq!(outcome.warnings[0].line, 16);
    let (_, definition) = outcome.definitions().next().unwrap();
    assert_eq!(definition.data_source.as_deref(), Some("prom"));
    assert_eq!(
        sentence(definition, Language::English),
        "99.9 % of requests succeed over 1 calendar month (Europe/Paris)"
    );
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let slices = OPENSLO.replace("Occurrences", "Timeslices").replace(
        "      target: 0.999",
        "      targetPercent: 99.95\n      timeSliceTarget: 0.9\n      timeSliceWindow: 5m",
    );
    for text in
        [OPENSLO, &slices, ANNEX_C, "service_level_objectives: [{name: T, sli: throughput, target: 12.5, window: 28d}]"]
    {
        for (_, definition) in read(text).definitions() {
            let written = openslo::write(definition);
            let again = read(&written);
            assert_eq!(again.problems, [], "{written}");
            assert_eq!(again.definitions().next().unwrap().1, definition, "{written}");
        }
    }
}

#[test]
fn openslo_that_cannot_be_computed_is_refused_with_its_line() {
    for (from, to, line, part) in [
        ("duration: 1M", "duration: 1m", 11, "a month is 1M"),
        ("timeZone: Europe/Paris", "timeZone: Europe/Pari", 13, "IANA"),
        ("target: 0.999", "target: 1", 17, "no budget"),
        ("target: 0.999", "target: 99.9", 17, "no budget"),
        ("indicatorRef: checkout-errors", "indicatorRef: nothing", 9, "no SLI nothing"),
        ("budgetingMethod: Occurrences", "budgetingMethod: Sometimes", 14, "Timeslices"),
        ("  service: checkout\n", "  service: checkout\n  owner: me\n", 9, "not a field"),
        ("alertPolicyRef: burns", "alertPolicyRef: other", 19, "AlertPolicy other"),
        ("counter: true", "counter: false", 28, "counter: true"),
        ("'http_requests_total{service=\"checkout\"}'", "'rate(http_requests_total[5m])'", 30, "{{.window}}"),
        ("kind: Service", "kind: Servant", 48, "must be one of"),
        ("apiVersion: openslo/v1\nkind: SLI", "apiVersion: openslo/v2\nkind: SLI", 21, "openslo/v1"),
    ] {
        let outcome = read(&OPENSLO.replace(from, to));
        let found =
            outcome.problems.iter().any(|problem| problem.line == line && problem.message.to_string().contains(part));
        assert!(found, "{to}: {:?}", outcome.problems);
    }
}

#[test]
fn a_missing_window_is_thirty_days_with_a_warning_and_a_minute_is_refused() {
    let inline = |window: &str| {
        format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: a}}\nspec:\n  service: a\n  budgetingMethod: Occurrences\n{window}  \
             indicator: {{spec: {{ratioMetric: {{counter: true, good: {{metricSource: {{spec: {{query: g}}}}}}, total: {{metricSource: \
             {{spec: {{query: t}}}}}}}}}}}}\n  objectives: [{{target: 0.99}}]\n"
        )
    };
    let outcome = read(&inline(""));
    assert_eq!((outcome.problems.len(), outcome.warnings.len()), (0, 1));
    assert_eq!(told(&outcome, Language::English), ["99 % of events are good over 30 days"]);
    let minute = read(&inline("  timeWindow: [{duration: 1m, isRolling: true}]\n"));
    assert!(minute.problems[0].message.to_string().contains("one minute"), "{:?}", minute.problems);
    assert_eq!(read(&inline("  timeWindow: [{duration: 28d, isRolling: true}]\n")).warnings, []);
}

#[test]
fn other_texts_are_refused_and_nothing_panics() {
    for text in [
        "a: 1",
        "- 1",
        "{",
        "\u{0}",
        "---\n---\nx",
        "service_level_objectives: 7",
        "apiVersion: openslo/v1",
        "kind: [SLO]",
    ] {
        assert!(!read(text).problems.is_empty(), "{text:?}");
    }
    assert_eq!(read("# nothing\n"), ReadOutcome::default());
}
