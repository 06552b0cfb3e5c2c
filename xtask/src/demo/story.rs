//! What happens in a demo before anybody looks: real deployments on the simulated platforms, and what pipelines, scanners and an
//! Alertmanager say meanwhile, so that pages, history and audit have something to show.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::api::Api;
use super::{scans, warnings};

const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// For one deployment to end; the next one does not depend on it.
const PATIENCE: Duration = Duration::from_secs(180);

/// A deployment that somebody asks for.
struct Wish {
    service: &'static str,
    environment: &'static str,
    version: &'static str,
    reason: &'static str,
}

const WISHES: [Wish; 7] = [
    Wish {
        service: "fil-rouge/order-service",
        environment: "staging",
        version: "1.2.0",
        reason: "Orders keep the currency they were made in",
    },
    // Not in staging yet, so the order of promotion keeps it out.
    Wish {
        service: "fil-rouge/payment-service",
        environment: "production",
        version: "1.2.0",
        reason: "Straight to production, for the demo",
    },
    // Crashes at its start and is rolled back.
    Wish {
        service: "gke-reactivite/fastapi",
        environment: "staging",
        version: "2.0.0-crash",
        reason: "The new model loader",
    },
    // Waits for its database, migrates, rolls out, is asked whether it works.
    Wish {
        service: "exai/api-gateway",
        environment: "production",
        version: "1.2.0",
        reason: "Requests are traced from end to end",
    },
    // The key `database_url` is called `database-url` in the Secret: told before anything is changed.
    Wish {
        service: "exai/api-gateway",
        environment: "staging",
        version: "1.3.0",
        reason: "Answers are cached for a minute",
    },
    // Runs well in staging, but a vulnerability in it has a fix.
    Wish {
        service: "skillforge/project-service",
        environment: "production",
        version: "1.2.0",
        reason: "Faster start in production",
    },
    // Late, when the portal has seen by itself that staging runs it.
    Wish {
        service: "cloudtaskhub/auth",
        environment: "production",
        version: "1.6.0",
        reason: "Sessions end after an hour",
    },
];

/// What the last act asks an approval for: what the first one brought to staging.
const LAST: Wish = Wish {
    service: "fil-rouge/order-service",
    environment: "production",
    version: "1.2.0",
    reason: "Orders keep the currency they were made in",
};

type Act = (&'static str, fn(&Api) -> Result<()>);

const ACTS: [Act; 6] = [
    ("reports of a scanner", scans::send),
    ("planned freezes", warnings::plan_freezes),
    ("a release that goes to staging by itself", release),
    ("deployments", deploy),
    ("alerts", warnings::alert),
    ("a request for approval", ask_for_approval),
];

/// One act after another, beside the portal; they end with it. An act that cannot be played takes nothing from the others.
pub fn play(api: Api) {
    thread::spawn(move || {
        for (what, act) in ACTS {
            if let Err(error) = act(&api) {
                eprintln!("the demo goes on without {what}: {error:#}");
            }
        }
    });
}

/// As its pipeline would tell after a build.
fn release(api: &Api) -> Result<()> {
    let commit = "5d0f3c1b9a7e48526f1c0d9b8e7a6f5c4d3e2b1a";
    let digest = "0c1d5b6f8f6d2e3f4a5b6c7d8e9f00112233445566778899aabbccddeeff0011";
    let release = json!({
        "service": "exai/frontend", "version": "1.3.0", "commit": commit,
        "image": format!("exaiprodacr.azurecr.io/exai-frontend:{}@sha256:{digest}", &commit[..7]),
        "repository_url": "https://github.com/exai/exai-pipeline",
        "build_url": "https://github.com/exai/exai-pipeline/actions/runs/597213",
        "notes": "Explanations can be copied.",
    });
    api.make("/releases", &release).map(drop)
}

fn deploy(api: &Api) -> Result<()> {
    for wish in &WISHES {
        if let Err(error) = ask(api, wish).and_then(|started| end(api, &started)) {
            eprintln!("the demo goes on without {} in {}: {error:#}", wish.service, wish.environment);
        }
    }
    Ok(())
}

fn ask(api: &Api, wish: &Wish) -> Result<Value> {
    let wanted = json!({
        "service": wish.service, "environment": wish.environment, "version": wish.version, "reason": wish.reason,
    });
    api.post("/deployments", &wanted)
}

/// How it went is on its page.
fn end(api: &Api, started: &Value) -> Result<()> {
    let id = started["id"].as_str().context("a deployment without id")?;
    let start = Instant::now();
    while api.get(&format!("/deployments/{id}"))?["ended_at"].is_null() {
        ensure!(start.elapsed() < PATIENCE, "it has not ended after {} s", PATIENCE.as_secs());
        thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// The document of the fil rouge wants its production approved by hand. What a tier asks is asked of all five systems, and the README leads
/// newcomers, who are alone, through production: so it is asked of this one deployment, which keeps what it was asked for.
fn ask_for_approval(api: &Api) -> Result<()> {
    let before = api.get("/gates/policies/production")?["policy"].take();
    let mut policy = before.clone();
    policy["approval"]["needed"] = json!(1);
    api.put("/gates/policies/production", &policy)?;
    let asked = ask(api, &LAST);
    api.put("/gates/policies/production", &before)?;
    asked.map(drop)
}
