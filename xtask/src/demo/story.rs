//! What happens in a demo before anybody looks: real deployments on the simulated platforms, so that pages, history and audit have
//! something to show.

use std::process::Stdio;
use std::thread;

use super::Portal;

struct Act {
    service: &'static str,
    environment: &'static str,
    version: &'static str,
    reason: &'static str,
}

/// SkillForge is left alone: it is where newcomers are sent first.
const ACTS: [Act; 4] = [
    Act {
        service: "fil-rouge/order-service",
        environment: "staging",
        version: "1.2.0",
        reason: "Orders keep the currency they were made in",
    },
    // Not in staging yet, so the order of promotion keeps it out.
    Act {
        service: "fil-rouge/payment-service",
        environment: "production",
        version: "1.2.0",
        reason: "Straight to production, for the demo",
    },
    // Crashes at its start and is rolled back.
    Act {
        service: "gke-reactivite/fastapi",
        environment: "staging",
        version: "2.0.0-crash",
        reason: "The new model loader",
    },
    // Last, when the portal has seen by itself that staging runs it.
    Act {
        service: "cloudtaskhub/auth",
        environment: "production",
        version: "1.6.0",
        reason: "Sessions end after an hour",
    },
];

/// One after another, beside the portal; they end with it.
pub fn play(portal: &Portal, token: String) {
    let commands: Vec<_> = ACTS
        .iter()
        .map(|act| {
            let mut command = portal.command();
            command.args(["deploy", act.service, act.environment, "--version", act.version, "--reason", act.reason]);
            command.arg("--server").arg(portal.address()).env("PASSERELLE_TOKEN", &token);
            // How they went is on their pages.
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        })
        .collect();
    thread::spawn(move || {
        for mut command in commands {
            // One that fails is part of the story, and one that cannot start takes nothing from the demo.
            let _ended = command.status();
        }
    });
}
