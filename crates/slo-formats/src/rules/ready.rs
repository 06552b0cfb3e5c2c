//! The six alerts that the fil-rouge document asks for, ready to use: CPU, memory, crash loops, response time, error rate, down.

use crate::five_line::Conventions;
use crate::promql::quote;
use serde_json::{Value, json};

/// Where the alerts look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyOptions {
    /// Kubernetes namespace of the containers (metrics of cAdvisor and kube-state-metrics).
    pub namespace: String,
    /// The `job` label of the scraped services.
    pub job: String,
    pub conventions: Conventions,
}

/// One group with the six alerts.
#[must_use]
pub fn ready_alerts(options: &ReadyOptions) -> Value {
    let rules = [containers(options), requests(options)].concat();
    json!({"name": format!("ready:{}", options.namespace), "interval": "30s", "rules": rules})
}

fn containers(options: &ReadyOptions) -> Vec<Value> {
    let namespace = format!("namespace={}", quote(&options.namespace));
    let of = r#"container!="",container!="POD""#;
    let cpu = format!(
        "sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total{{{namespace},{of}}}[5m])) / sum by \
         (namespace, pod, container) (kube_pod_container_resource_limits{{{namespace},resource=\"cpu\"}} > 0) > 0.8"
    );
    let memory = format!(
        "max by (namespace, pod, container) (container_memory_working_set_bytes{{{namespace},{of}}}) / max by (namespace, \
         pod, container) (kube_pod_container_resource_limits{{{namespace},resource=\"memory\"}} > 0) > 0.9"
    );
    let crash = format!(
        "max by (namespace, pod, container) (max_over_time(kube_pod_container_status_waiting_reason{{{namespace},\
         reason=\"CrashLoopBackOff\"}}[5m])) >= 1"
    );
    let who = "{{ $labels.namespace }}/{{ $labels.pod }} ({{ $labels.container }})";
    vec![
        alert("ContainerCpuHigh", &cpu, "5m", "ticket", &format!("{who} uses more than 80 % of its CPU limit")),
        alert(
            "ContainerMemoryHigh",
            &memory,
            "5m",
            "ticket",
            &format!("{who} uses more than 90 % of its memory limit"),
        ),
        alert("PodCrashLooping", &crash, "0s", "page", &format!("{who} is crash looping")),
    ]
}

fn requests(options: &ReadyOptions) -> Vec<Value> {
    let names = &options.conventions;
    let (label, job) = (&names.service_label, format!("job={}", quote(&options.job)));
    let slow =
        format!("histogram_quantile(0.95, sum by ({label}, le) (rate({}_bucket{{{job}}}[5m]))) > 2", names.durations);
    let total = format!("sum by ({label}) (rate({}{{{job}}}[5m]))", names.requests);
    let code = format!("{}=~{}", names.code_label, quote(&names.bad_codes));
    let bad = format!("sum by ({label}) (rate({}{{{job},{code}}}[5m]))", names.requests);
    let errors = format!("({bad} or 0 * {total}) / ({total} > 0) > 0.05");
    let down = format!("up{{{job}}} == 0 or absent(up{{{job}}})");
    let who = format!("{{{{ $labels.{label} }}}}");
    vec![
        alert("ResponseTimeHigh", &slow, "5m", "ticket", &format!("{who}: the 95th percentile takes longer than 2 s")),
        alert("ErrorRateHigh", &errors, "1m", "page", &format!("{who}: more than 5 % of requests fail")),
        alert("ServiceDown", &down, "1m", "page", "{{ $labels.instance }} of {{ $labels.job }} is down"),
    ]
}

fn alert(name: &str, expr: &str, held: &str, severity: &str, summary: &str) -> Value {
    json!({
        "alert": name, "expr": expr, "for": held,
        "labels": {"severity": severity}, "annotations": {"summary": summary},
    })
}
