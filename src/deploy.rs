//! `passerelle deploy`: what a pipeline calls to deploy and to learn how it went.

use crate::cli::DeployArguments;
use crate::remote::Remote;
use crate::say::say;
use anyhow::{Context as _, Result, bail};
use passerelle_contract::deployments::{DeploymentIn, DeploymentOut, DeploymentState, Exemption, Verdict};
use reqwest::Method;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A server that begins again, for example with a newer version, is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Ends with 1 unless the deployment succeeded; without waiting, unless it was accepted.
///
/// # Errors
/// When the server cannot be reached or refuses the request.
pub async fn deploy(arguments: DeployArguments) -> Result<ExitCode> {
    let remote = Remote::new(&arguments.server, arguments.token.as_deref())?;
    let input = DeploymentIn {
        service: arguments.service,
        environment: arguments.environment,
        release: None,
        version: arguments.version,
        image: arguments.image,
        reason: Some(arguments.reason),
        exempt: arguments.exempt.as_deref().map(exemption).transpose()?,
    };
    let mut seen: DeploymentOut = remote.send(remote.request(Method::POST, "/deployments").json(&input)).await?;
    say(remote.page(&format!("/deployments/{}", seen.id)))?;
    print_state(&seen)?;
    let mut silent: Option<Instant> = None;
    while !arguments.no_wait && seen.ended_at.is_none() && seen.state.is_active() {
        tokio::time::sleep(LOOK_AGAIN).await;
        let Some(now) = remote.look::<DeploymentOut>(&format!("/deployments/{}", seen.id)).await? else {
            if silent.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                bail!("no answer for {} s; the deployment goes on, and its page tells how", PATIENCE.as_secs());
            }
            continue;
        };
        silent = None;
        let before = std::mem::replace(&mut seen, now);
        if seen.state != before.state {
            print_state(&seen)?;
        }
    }
    let good = seen.state == DeploymentState::Succeeded || arguments.no_wait && seen.state.is_active();
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The state and, where it is not a good one, the reason on lines of its own.
fn print_state(deployment: &DeploymentOut) -> Result<()> {
    say(deployment.state.as_str())?;
    if matches!(deployment.state, DeploymentState::Blocked | DeploymentState::AwaitingApproval) {
        for gate in deployment.gates.iter().filter(|gate| gate.verdict != Verdict::Pass) {
            eprintln!("  {}", gate.reason);
        }
    }
    if let Some(failure) = &deployment.failure {
        eprintln!("  {}", failure.message);
    }
    Ok(())
}

fn exemption(text: &str) -> Result<Exemption> {
    Exemption::parse(text).with_context(|| format!("--exempt {text}: known are security_fix and p0_fix"))
}
