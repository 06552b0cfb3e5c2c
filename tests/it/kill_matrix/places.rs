//! Where is deployed to, and what is done there.

use passerelle_simulator::Simulator;
use serde_json::{Value, json};

/// What is asked of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Deploy,
    /// Of a version that fails, so that the portal goes back by itself.
    Broken,
    RollBack,
    Restart,
    Scale,
}

impl Act {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Broken => "deploy what fails",
            Self::RollBack => "roll back",
            Self::Restart => "restart",
            Self::Scale => "scale",
        }
    }

    /// The state it ends in.
    pub const fn ends(self) -> &'static str {
        match self {
            Self::Broken => "rolled_back",
            _ => "succeeded",
        }
    }
}

/// A target on the simulator, bound to `shop/api` in staging.
pub struct Place {
    /// In the table.
    pub name: &'static str,
    pub kind: &'static str,
    /// Of its calls in the simulator.
    pub prefix: &'static str,
    pub acts: &'static [Act],
    pub connection: fn(&Simulator) -> Value,
    pub binding: Value,
    /// The nth good version.
    pub image: fn(&[String], usize) -> String,
    pub broken: &'static str,
}

pub const WORLD: &str = "
seed: 1
speed: 40
clusters:
  test:
    namespaces:
      shop:
        deployments:
          web: { image: 'tinyweb:v1', replicas: 2, progress_deadline_s: 600 }
          api: { image: 'tinyweb:v1', replicas: 2, progress_deadline_s: 600 }
engines:
  test:
    services:
      api: { image: 'tinyweb:v1', replicas: 2 }
projects:
  test:
    locations:
      europe-west1:
        api: { image: 'team/api:1' }
gitlab:
  acme/shop:
    jobs: [{ name: test, stage: test }, { name: deploy-prod, stage: deploy-prod, manual: true }]
buckets:
  site:
    archives:
    - { index.html: '<p>one</p>', assets/app-1a2b3c4d.js: 'one()' }
    - { index.html: '<p>two</p>', assets/app-5e6f7a8b.js: 'two()' }
";

const ALL: &[Act] = &[Act::Deploy, Act::Broken, Act::RollBack, Act::Restart, Act::Scale];

pub fn kubernetes() -> Place {
    Place {
        name: "kubernetes",
        kind: "kubernetes",
        prefix: "/k8s/test",
        acts: ALL,
        connection: |simulator| {
            let kubeconfig = crate::support::kubeconfig(&simulator.kubernetes_url("test"), "t");
            json!({ "kubeconfig": { "value": kubeconfig }, "simulated": true })
        },
        binding: json!({ "namespace": "shop", "deployment": "api" }),
        image: |_, n| format!("tinyweb:r{n}"),
        broken: "tinyweb:crash",
    }
}

/// What is broken fails in its migration already, before anything is changed.
pub fn kubernetes_migration() -> Place {
    Place {
        name: "kubernetes, with a migration",
        acts: &[Act::Deploy],
        binding: json!({ "namespace": "shop", "deployment": "api", "migration": { "command": ["migrate"] } }),
        ..kubernetes()
    }
}

pub fn ci() -> Place {
    Place {
        name: "ci (GitLab)",
        kind: "ci",
        prefix: "/gitlab",
        acts: &[Act::Deploy, Act::Broken, Act::RollBack],
        connection: |simulator| json!({ "provider": "gitlab", "base_url": simulator.pipelines_url(), "token": { "value": "t" }, "simulated": true }),
        binding: json!({ "repository": "acme/shop", "environment": "api-staging", "manual_job": "deploy-prod" }),
        image: |_, n| format!("team/api:r{n}"),
        broken: "team/api:crash",
    }
}

pub fn docker_swarm() -> Place {
    Place {
        name: "docker_swarm",
        kind: "docker_swarm",
        prefix: "/docker/test",
        acts: ALL,
        connection: |simulator| json!({ "endpoint": simulator.docker_url("test"), "simulated": true }),
        binding: json!({ "service": "api" }),
        image: |_, n| format!("tinyweb:r{n}"),
        broken: "tinyweb:crash",
    }
}

pub fn cloud_run() -> Place {
    Place {
        name: "cloud_run",
        kind: "cloud_run",
        prefix: "/run",
        acts: &[Act::Deploy, Act::Broken, Act::RollBack],
        connection: |simulator| {
            json!({ "project": "test", "region": "europe-west1", "endpoint": simulator.cloud_run_url(),
                "token": { "value": "t" }, "simulated": true })
        },
        binding: json!({ "service": "api", "canary_steps": [50], "canary_pause_s": 5 }),
        image: |_, n| format!("team/api:r{n}"),
        broken: "team/api:crash",
    }
}

pub fn static_site() -> Place {
    Place {
        name: "static_site",
        kind: "static_site",
        prefix: "/storage",
        acts: &[Act::Deploy, Act::RollBack],
        connection: |simulator| {
            json!({ "bucket": "site", "store": "google", "endpoint": simulator.storage_url(), "token": { "value": "t" },
                "simulated": true })
        },
        binding: json!({}),
        image: |archives, n| archives[n % archives.len()].clone(),
        broken: "",
    }
}
