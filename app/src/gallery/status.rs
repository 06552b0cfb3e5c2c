//! Badges, messages, progress and pictures.

use crate::i18n::T;
use crate::ui::{
    Alert, ButtonKind, DependencyGraph, Diff, Empty, GateList, HealthBadge, InstanceDots, LinkButton, OutcomeBadge,
    Simulated, Sparkline, StateBadge, Steps, TierTag, Tone,
};
use leptos::prelude::*;
use passerelle_contract::audit::Outcome;
use passerelle_contract::catalog::{GraphEdge, GraphNode, GraphOut};
use passerelle_contract::deployments::{
    DeploymentState, DiffLine, GateOut, Health, Instance, InstanceState, StepOut, StepState, Verdict,
};
use passerelle_contract::environments::Tier;
use time::{Duration, OffsetDateTime};

pub fn badges(t: T) -> impl IntoView {
    let health = Health::ALL.map(|health| view! { <HealthBadge t=t health=health more=t.age(7_500) /> });
    let states = DeploymentState::ALL.map(|state| view! { <StateBadge t=t state=state /> });
    let outcomes = [Outcome::Intent, Outcome::Success, Outcome::Failure, Outcome::Denied]
        .map(|outcome| view! { <OutcomeBadge t=t outcome=outcome /> });
    let tiers = Tier::ALL.map(|tier| view! { <TierTag t=t tier=tier name=t.tier(tier) /> });
    view! {
        <section class="panel">
            <h2>"Status"</h2>
            <div class="show">{health.into_iter().collect::<Vec<_>>()}</div>
            <div class="show mt-3">{states.into_iter().collect::<Vec<_>>()}</div>
            <div class="show mt-3">{outcomes.into_iter().collect::<Vec<_>>()}</div>
            <div class="show mt-3">
                {tiers.into_iter().collect::<Vec<_>>()} <Simulated t=t /> <span class="tag">"python"</span>
            </div>
        </section>
    }
}

pub fn messages(t: T) -> impl IntoView {
    view! {
        <section class="stack">
            <Alert tone=Tone::Ok>{t.flash_started()}</Alert>
            <Alert tone=Tone::Warn title=t.on_hold()>
                {t.on_hold_by("ada", t.ago(2_400), "INC-204")}
            </Alert>
            <Alert tone=Tone::Bad title=t.cause_crash_loop()>
                <span class="mono">"ModuleNotFoundError: No module named 'alembic'"</span>
            </Alert>
            <Alert tone=Tone::Off>{t.deploy_no_release()}</Alert>
            <Empty icon="service" title=t.matrix_empty_title() text=t.matrix_empty_text()>
                <LinkButton href="/catalog/import" label=t.import_title() kind=ButtonKind::Primary />
            </Empty>
        </section>
    }
}

fn step(name: &str, state: StepState, now: OffsetDateTime, from_s: i64, to_s: Option<i64>) -> StepOut {
    let started = state != StepState::Pending && state != StepState::Skipped;
    StepOut {
        name: name.to_owned(),
        state,
        started_at: started.then(|| now - Duration::seconds(from_s)),
        ended_at: to_s.map(|s| now - Duration::seconds(s)),
        message: None,
    }
}

fn instance(name: &str, state: InstanceState, updated: bool, restarts: u32, message: Option<&str>) -> Instance {
    let image = "registry.example/user-service:9f31c2a".to_owned();
    Instance {
        name: name.to_owned(),
        state,
        image,
        updated,
        restarts,
        message: message.map(passerelle_contract::Text::verbatim),
    }
}

pub fn progress(t: T, now: OffsetDateTime) -> impl IntoView {
    let steps = vec![
        step("preflight", StepState::Succeeded, now, 40, Some(39)),
        step("apply", StepState::Succeeded, now, 39, Some(38)),
        step("rollout", StepState::Running, now, 38, None),
        step("verify", StepState::Pending, now, 0, None),
        step("roll_back", StepState::Skipped, now, 0, None),
    ];
    let instances = vec![
        instance("user-service-7d9f-x2kqp", InstanceState::Ready, true, 0, None),
        instance("user-service-7d9f-8mzzt", InstanceState::Starting, true, 0, None),
        instance("user-service-7d9f-pp4wd", InstanceState::Failing, true, 3, Some("CrashLoopBackOff")),
        instance("user-service-5b8c-aa1rt", InstanceState::Stopping, false, 0, None),
        instance("user-service-7d9f-q0d7s", InstanceState::Pending, true, 0, None),
    ];
    let gate = |kind: &str, verdict, reason: &str| GateOut {
        kind: kind.to_owned(),
        verdict,
        reason: reason.to_owned(),
        facts: serde_json::Value::Null,
        frees_at: None,
        help: None,
    };
    let gates = vec![
        gate("promotion_order", Verdict::Pass, "9f31c2a has been healthy in staging for 2 h."),
        gate("approval", Verdict::Wait, "One approval of two is missing."),
        gate("preflight", Verdict::Block, "The key SESSION_TTL of the secret app-config does not exist."),
    ];
    view! {
        <section class="grid gap-4 md:grid-cols-3">
            <div class="panel">
                <h2>{t.dep_steps()}</h2>
                <Steps t=t steps=steps now=now />
            </div>
            <div class="panel">
                <h2>{t.dep_instances()}</h2>
                <InstanceDots t=t instances=instances />
            </div>
            <div class="panel">
                <h2>{t.deploy_gates()}</h2>
                <GateList t=t gates=gates now=now />
            </div>
        </section>
    }
}

pub fn pictures(t: T) -> impl IntoView {
    let node = |reference: &str, depth: i32, exists: bool| GraphNode {
        reference: reference.to_owned(),
        title: reference.rsplit('/').next().unwrap_or_default().to_owned(),
        kind: reference.split(':').next().unwrap_or_default().to_owned(),
        depth,
        exists,
    };
    let edge = |from: &str, to: &str, kind: &str| GraphEdge {
        from: from.to_owned(),
        to: to.to_owned(),
        kind: kind.to_owned(),
    };
    let (service, web, db, cache) =
        ("component:demo/user-service", "component:demo/frontend", "resource:demo/postgres", "resource:demo/redis");
    let graph = GraphOut {
        nodes: vec![node(web, -1, true), node(service, 0, true), node(db, 1, true), node(cache, 1, false)],
        edges: vec![edge(web, service, "dependsOn"), edge(service, db, "dependsOn"), edge(service, cache, "dependsOn")],
        truncated: false,
    };
    let line = |field: &str, before: Option<&str>, after: Option<&str>| DiffLine {
        field: field.to_owned(),
        before: before.map(passerelle_contract::Text::verbatim),
        after: after.map(passerelle_contract::Text::verbatim),
    };
    let diff = vec![
        line("image user-service", Some("…/user-service@sha256:612ccb3…"), Some("…/user-service@sha256:9f31c2a…")),
        line("env SESSION_TTL", None, Some("3600")),
        line("replicas", Some("2"), Some("3")),
    ];
    view! {
        <section class="grid gap-4 md:grid-cols-2">
            <div class="panel">
                <h2>{t.graph_title()}</h2>
                <DependencyGraph t=t graph=graph name="user-service" />
            </div>
            <div class="panel">
                <h2>{t.deploy_changes()}</h2>
                <Diff t=t lines=diff />
                <h2 class="mt-4">"Sparkline"</h2>
                <Sparkline values=vec![100.0, 98.0, 97.0, 80.0, 79.0, 72.0] label="72 %" />
            </div>
        </section>
    }
}
