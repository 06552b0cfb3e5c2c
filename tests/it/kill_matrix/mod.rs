//! kill -9 before and after every write on every kind of target, with two workers: nothing is lost, stuck or done twice.
//!
//! A trap in the simulator holds one write, before its effect or after it; the worker that made it is killed there; the other one takes
//! over. Each act is first done once undisturbed, to know how many effects it has. It takes minutes, so it runs with
//! `PASSERELLE_TEST_FULL=1` (`cargo xtask test --full`); the table it prints is that of `docs/reliability.md`.

mod arena;
mod places;

use arena::{Arena, Run};
use passerelle_simulator::Side;
use places::{Act, Place};
use std::fmt::Write as _;
use std::time::Duration;

/// Each point is tried so often, side by side.
const ROUNDS: usize = 3;
/// Of a killed worker's deployment by the other one.
const TAKE_OVER: Duration = Duration::from_secs(20);

/// What became of the runs of one act.
#[derive(Debug, Default)]
struct Row {
    runs: usize,
    writes: u32,
    faults: Vec<String>,
    slowest: Duration,
}

async fn matrix(place: fn() -> Place) {
    if std::env::var_os("PASSERELLE_TEST_FULL").is_none() {
        println!("left out: takes minutes; set PASSERELLE_TEST_FULL=1");
        return;
    }
    let rounds = futures::future::join_all((0..ROUNDS).map(|_| round(place()))).await;
    let mut table = String::new();
    let mut faults = Vec::new();
    for (index, act) in place().acts.iter().enumerate() {
        let rows: Vec<&Row> = rounds.iter().map(|rows| &rows[index]).collect();
        let runs: usize = rows.iter().map(|row| row.runs).sum();
        let slowest = rows.iter().map(|row| row.slowest).max().unwrap_or_default();
        let _ = writeln!(
            table,
            "| {} | {} | {} | {runs} | {} | {:.1} s |",
            place().name,
            act.name(),
            rows[0].writes,
            rows.iter().map(|row| row.faults.len()).sum::<usize>(),
            slowest.as_secs_f64()
        );
        faults.extend(rows.iter().flat_map(|row| row.faults.clone()));
    }
    println!("| target | act | writes | kills | lost, stuck or doubled | slowest take-over |\n{table}");
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Every act, killed at every write, once.
async fn round(place: Place) -> Vec<Row> {
    let mut arena = Arena::open(place).await;
    let mut rows = Vec::new();
    for act in arena.place.acts {
        let mut row = Row::default();
        let effects = arena.undisturbed(*act).await;
        'points: for nth in 1.. {
            for side in [Side::Before, Side::After] {
                match arena.killed(*act, nth, side).await {
                    Run::NoSuchWrite => break 'points,
                    Run::Over(seen) => {
                        row.runs += 1;
                        row.writes = nth;
                        row.slowest = row.slowest.max(seen.take_over);
                        let point = format!("{} {} {nth} {side:?}", arena.place.name, act.name());
                        if seen.ended != act.ends() {
                            row.faults.push(format!("{point}: ended {}", seen.ended));
                        }
                        if seen.effects != effects {
                            row.faults.push(format!("{point}: {} effects, not {effects}", seen.effects));
                        }
                        if seen.outcomes != 1 {
                            row.faults.push(format!("{point}: {} outcomes in the audit", seen.outcomes));
                        }
                        if seen.take_over > TAKE_OVER {
                            row.faults.push(format!("{point}: taken over after {:?}", seen.take_over));
                        }
                    }
                }
            }
        }
        rows.push(row);
    }
    rows
}

/// One point of the matrix that is always tried: Swarm goes back by itself while nobody drives.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_has_put_back_is_not_written_again() {
    let mut arena = Arena::open(places::docker_swarm()).await;
    let effects = arena.undisturbed(Act::Broken).await;
    let Run::Over(seen) = arena.killed(Act::Broken, 1, Side::After).await else { panic!("it writes nothing") };
    assert_eq!((seen.ended.as_str(), seen.effects, seen.outcomes), ("rolled_back", effects, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn kubernetes() {
    matrix(places::kubernetes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_swarm() {
    matrix(places::docker_swarm).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_run() {
    matrix(places::cloud_run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn static_site() {
    matrix(places::static_site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubernetes_migration() {
    matrix(places::kubernetes_migration).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ci() {
    matrix(places::ci).await;
}
