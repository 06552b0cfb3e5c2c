//! Everything generated, judged by the real promtool.

use passerelle_slo_formats::rules::{ReadyOptions, RuledSlo, groups, proof, ready_alerts, rule_file};
use passerelle_slo_formats::{Conventions, read_documents};
use std::path::Path;
use std::process::Command;

fn promtool(arguments: &[&str], folder: &Path) -> Option<String> {
    let output = match Command::new("promtool").args(arguments).current_dir(folder).output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: promtool (Debian package prometheus) cannot be run: {error}");
            return None;
        }
    };
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}: {text}");
    Some(text)
}

fn slos(text: &str) -> Vec<RuledSlo> {
    let outcome = read_documents(text, &Conventions::usual("api-gateway"));
    assert_eq!(outcome.problems, []);
    let ruled = |definition: &passerelle_slo_formats::Definition| RuledSlo {
        definition: definition.clone(),
        service: "fil-rouge/api-gateway".to_owned(),
        tier: "production".to_owned(),
    };
    outcome.definitions().map(|(_, definition)| ruled(definition)).collect()
}

/// Availability, latency, error rate and success rate of the annex; other periods, objectives and methods.
fn many() -> Vec<RuledSlo> {
    let mut all = slos(include_str!("../../../demo/systems/fil-rouge/slo-definitions.yaml"));
    all.extend(slos(
        "service_level_objectives:
  - {name: A week, sli: availability, target: 99.95, window: 7d}
  - {name: Four weeks, sli: availability, target: 99.99, window: 28d}
  - {name: A quarter, sli: availability, target: 99.9, window: 90d}
  - {name: A day, sli: availability, target: 99, window: 1d}
  - {name: Low, sli: success_rate, target: 90, window: 30d}
  - {name: Precise, sli: availability, target: 99.9999999, window: 30d}
  - {name: Whole seconds, sli: latency_p99, target: 2000, window: 30d}
  - {name: Enough, sli: throughput, target: 1000, window: 30d}
",
    ));
    all[0].definition.min_bad_events = 10;
    all
}

#[test]
fn generated_rules_pass_promtool_and_do_what_they_say() {
    let slos = many();
    let groups = groups(&slos);
    for group in &groups {
        let rules = group["rules"].as_array().unwrap().len();
        assert!(rules <= 14, "{} has {rules} rules", group["name"]);
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yml"), rule_file(&groups)).unwrap();
    let tests = proof("rules.yml", &slos).unwrap();
    // All but the throughput, twice.
    assert_eq!(tests.matches("input_series").count(), 2 * (slos.len() - 1));
    std::fs::write(folder.path().join("rules.test.yml"), tests).unwrap();
    let Some(text) = promtool(&["check", "rules", "rules.yml"], folder.path()) else { return };
    assert!(!text.to_lowercase().contains("warn") && !text.contains("duplicate"), "{text}");
    promtool(&["test", "rules", "rules.test.yml"], folder.path());
}

#[test]
fn a_page_at_twenty_and_silence_below_one_are_in_the_proof() {
    let slos = slos("service_level_objectives: [{name: A, sli: availability, target: 99.9, window: 30d}]");
    let tests = proof("rules.yml", &slos).unwrap();
    assert_eq!(tests.matches("exp_samples: []").count(), 2);
    // A page and a ticket at 20.
    assert_eq!(tests.matches("value: 1").count(), 2);
}

const READY_TEST: &str = r#"
rule_files: [ready.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'container_cpu_usage_seconds_total{namespace="shop",pod="p",container="c"}', values: '0+54x30'}
  - {series: 'kube_pod_container_resource_limits{namespace="shop",pod="p",container="c",resource="cpu"}', values: '1x30'}
  - {series: 'container_memory_working_set_bytes{namespace="shop",pod="p",container="c"}', values: '95x30'}
  - {series: 'kube_pod_container_resource_limits{namespace="shop",pod="p",container="c",resource="memory"}', values: '100x30'}
  - {series: 'kube_pod_container_status_waiting_reason{namespace="shop",pod="p",container="c",reason="CrashLoopBackOff"}', values: '1x30'}
  - {series: 'http_request_duration_seconds_bucket{job="services",service="web",le="2"}', values: '0+10x30'}
  - {series: 'http_request_duration_seconds_bucket{job="services",service="web",le="5"}', values: '0+100x30'}
  - {series: 'http_request_duration_seconds_bucket{job="services",service="web",le="+Inf"}', values: '0+100x30'}
  - {series: 'http_requests_total{job="services",service="web",code="200"}', values: '0+90x30'}
  - {series: 'http_requests_total{job="services",service="web",code="503"}', values: '0+10x30'}
  - {series: 'up{job="services",instance="i"}', values: '0x30'}
  promql_expr_test:
  - expr: count by (alertname) (ALERTS{alertstate="firing"})
    eval_time: 20m
    exp_samples:
    - {labels: '{alertname="ContainerCpuHigh"}', value: 1}
    - {labels: '{alertname="ContainerMemoryHigh"}', value: 1}
    - {labels: '{alertname="PodCrashLooping"}', value: 1}
    - {labels: '{alertname="ResponseTimeHigh"}', value: 1}
    - {labels: '{alertname="ErrorRateHigh"}', value: 1}
    - {labels: '{alertname="ServiceDown"}', value: 1}
- interval: 1m
  input_series:
  - {series: 'container_cpu_usage_seconds_total{namespace="shop",pod="p",container="c"}', values: '0+42x30'}
  - {series: 'kube_pod_container_resource_limits{namespace="shop",pod="p",container="c",resource="cpu"}', values: '1x30'}
  - {series: 'container_memory_working_set_bytes{namespace="shop",pod="p",container="c"}', values: '85x30'}
  - {series: 'kube_pod_container_resource_limits{namespace="shop",pod="p",container="c",resource="memory"}', values: '100x30'}
  - {series: 'http_request_duration_seconds_bucket{job="services",service="web",le="2"}', values: '0+99x30'}
  - {series: 'http_request_duration_seconds_bucket{job="services",service="web",le="+Inf"}', values: '0+100x30'}
  - {series: 'http_requests_total{job="services",service="web",code="200"}', values: '0+96x30'}
  - {series: 'http_requests_total{job="services",service="web",code="503"}', values: '0+4x30'}
  - {series: 'up{job="services",instance="i"}', values: '1x30'}
  promql_expr_test:
  - {expr: 'count(ALERTS)', eval_time: 20m, exp_samples: []}
"#;

#[test]
fn the_six_ready_alerts_fire_when_they_should_and_not_before() {
    let options = ReadyOptions {
        namespace: "shop".to_owned(),
        job: "services".to_owned(),
        conventions: Conventions::usual("web"),
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ready.yml"), rule_file(&[ready_alerts(&options)])).unwrap();
    std::fs::write(folder.path().join("ready.test.yml"), READY_TEST).unwrap();
    if promtool(&["check", "rules", "ready.yml"], folder.path()).is_some() {
        promtool(&["test", "rules", "ready.test.yml"], folder.path());
    }
}
