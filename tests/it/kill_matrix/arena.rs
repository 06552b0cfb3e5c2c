//! A portal with two workers, of which one is killed.

use super::places::{Act, Place, WORLD};
use crate::support::RunningPortal;
use passerelle_simulator::{Side, Trap};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::process::Child;
use std::time::{Duration, Instant};

pub struct Arena {
    pub place: Place,
    portal: RunningPortal,
    workers: Vec<Child>,
    /// Images that are there from the beginning, oldest first.
    archives: Vec<String>,
    /// The good versions that were deployed.
    versions: usize,
}

/// What became of an act.
pub struct Seen {
    pub ended: String,
    pub effects: u64,
    /// Rows of the audit that say how it ended.
    pub outcomes: u64,
    pub take_over: Duration,
}

pub enum Run {
    Over(Seen),
    /// It ended before it had so many writes.
    NoSuchWrite,
}

impl Arena {
    pub async fn open(place: Place) -> Self {
        let portal = RunningPortal::idle(WORLD).await;
        let connection =
            json!({ "name": "target", "kind": place.kind, "config": (place.connection)(&portal.simulator) });
        let binding = json!({ "service": "shop/api", "environment": "staging", "kind": place.kind, "connection": "target",
            "config": place.binding });
        for (path, body) in [("/connections", connection), ("/bindings", binding)] {
            let made = portal.post(path, &body).await;
            assert_eq!(made.status, StatusCode::CREATED, "{path}: {}", made.body);
        }
        let workers = vec![portal.worker(), portal.worker()];
        let archives = crate::stages::sites(&portal.simulator).await;
        let mut arena = Self { place, portal, workers, archives, versions: 0 };
        // Something of ours to go back to.
        arena.begin(Act::Deploy).await;
        arena
    }

    fn next_image(&mut self) -> String {
        self.versions += 1;
        (self.place.image)(&self.archives, self.versions)
    }

    /// Asks for an act and waits for its end.
    async fn begin(&mut self, act: Act) -> Value {
        let id = self.ask(act).await;
        let ended = self.portal.ended(&id).await;
        assert_eq!(ended["state"], act.ends(), "undisturbed: {ended}");
        ended
    }

    async fn ask(&mut self, act: Act) -> String {
        let there = "/services/shop/api/environments/staging";
        let deployment = |image: String| json!({ "service": "shop/api", "environment": "staging", "image": image, "reason": "a test" });
        let (path, body) = match act {
            Act::Deploy => ("/deployments".to_owned(), deployment(self.next_image())),
            Act::Broken => ("/deployments".to_owned(), deployment(self.place.broken.to_owned())),
            Act::RollBack => (format!("{there}/rollback"), json!({ "reason": "a test" })),
            Act::Restart => (format!("{there}/restart"), json!({})),
            Act::Scale => {
                self.versions += 1;
                (format!("{there}/scale"), json!({ "replicas": 1 + self.versions % 2 }))
            }
        };
        let asked = self.portal.post(&path, &body).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{path}: {}", asked.body);
        asked.body["id"].as_str().unwrap().to_owned()
    }

    /// What an act needs to have been done before it.
    async fn prepare(&mut self, act: Act) {
        if act == Act::RollBack {
            self.begin(Act::Deploy).await;
        }
    }

    fn effects(&self) -> u64 {
        let counts = self.portal.simulator.counts();
        counts.effects.iter().filter(|(object, _)| object.starts_with(self.place.prefix)).map(|(_, count)| count).sum()
    }

    /// How many effects an act has.
    pub async fn undisturbed(&mut self, act: Act) -> u64 {
        self.prepare(act).await;
        let before = self.effects();
        self.begin(act).await;
        self.effects() - before
    }

    /// Does an act, kills the worker at its nth write, and lets the other one go on.
    pub async fn killed(&mut self, act: Act, nth: u32, side: Side) -> Run {
        self.prepare(act).await;
        let (effects, outcomes) = (self.effects(), self.outcomes().await);
        self.portal.simulator.set_trap(Some(Trap { prefix: self.place.prefix.to_owned(), nth, side }));
        let id = self.ask(act).await;
        let caught = tokio::select! {
            () = self.portal.simulator.caught() => true,
            _ = self.portal.ended(&id) => false,
        };
        if !caught {
            self.portal.simulator.set_trap(None);
            return Run::NoSuchWrite;
        }
        let (driver, epoch) = self.lease(&id).await;
        // It has ended, and the platform is only told so.
        let Some(driver) = driver else {
            self.portal.simulator.set_trap(None);
            return Run::NoSuchWrite;
        };
        self.kill(driver);
        let killed = Instant::now();
        self.portal.simulator.set_trap(None);
        while self.lease(&id).await.1 == epoch && killed.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let take_over = killed.elapsed();
        self.workers.push(self.portal.worker());
        let ended = self.portal.ended(&id).await;
        Run::Over(Seen {
            ended: ended["state"].as_str().unwrap().to_owned(),
            effects: self.effects() - effects,
            outcomes: self.outcomes().await - outcomes,
            take_over,
        })
    }

    /// The process that drives a deployment, when one does, and its epoch.
    async fn lease(&self, id: &str) -> (Option<u32>, i64) {
        let (owner, epoch): (Option<String>, i64) =
            sqlx::query_as("SELECT lease_owner, epoch FROM deployments WHERE id = $1::uuid")
                .bind(id)
                .fetch_one(&mut self.portal.database.superuser().await)
                .await
                .unwrap();
        let process = owner.as_deref().and_then(|owner| owner.split('-').next()?.parse().ok());
        (process, epoch)
    }

    fn kill(&mut self, process: u32) {
        let at = self.workers.iter().position(|worker| worker.id() == process).expect("a worker drives it");
        let mut worker = self.workers.swap_remove(at);
        worker.kill().unwrap();
        worker.wait().unwrap();
    }

    /// Ends of deployments in the audit.
    async fn outcomes(&self) -> u64 {
        let mut all = 0;
        for outcome in ["success", "failure"] {
            let found = self.portal.get(&format!("/audit?action=deployment.run&outcome={outcome}&limit=1")).await;
            all += found.body["total"].as_u64().unwrap();
        }
        all
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}
