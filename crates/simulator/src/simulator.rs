//! Starting and stopping.

use crate::faults::Faults;
use crate::journal::{Counts, Entry};
use crate::server::Host;
use crate::traps::Trap;
use crate::world::World;
use axum::Router;
use axum::extract::Request;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

/// A simulator that serves until it is dropped.
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    host: Arc<Host>,
    /// Where each engine answers alone.
    engines: BTreeMap<String, SocketAddr>,
    /// Aborts its tasks when dropped.
    _tasks: JoinSet<()>,
}

impl Simulator {
    /// Serves `world` on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When a port or a socket cannot be opened.
    pub async fn start(world: World) -> std::io::Result<Self> {
        Self::start_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, world).await
    }

    /// Serves `world` on `listener`; Docker Engines get listeners of their own beside it.
    ///
    /// # Errors
    /// When a port or a socket cannot be opened.
    pub async fn start_on(listener: TcpListener, world: World) -> std::io::Result<Self> {
        let addr = listener.local_addr()?;
        let host = Arc::new(Host::new(&world));
        let mut tasks = JoinSet::new();
        for cluster in host.clusters.values() {
            tasks.spawn(Arc::clone(cluster).run());
        }
        let all = router(Arc::clone(&host), String::new());
        tasks.spawn(async move { report(axum::serve(listener, all).await) });
        let mut engines = BTreeMap::new();
        for (name, engine) in &host.engines {
            tasks.spawn(Arc::clone(engine).run());
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, engine.world.port.unwrap_or(0))).await?;
            engines.insert(name.clone(), listener.local_addr()?);
            let own = router(Arc::clone(&host), engine.prefix.clone());
            tasks.spawn(async move { report(axum::serve(listener, own).await) });
            if let Some(socket) = &engine.world.socket {
                // A socket file of an earlier run would be in the way.
                let _ = std::fs::remove_file(socket);
                let listener = UnixListener::bind(socket)?;
                let own = router(Arc::clone(&host), engine.prefix.clone());
                tasks.spawn(async move { report(axum::serve(listener, own).await) });
            }
        }
        Ok(Self { addr, host, engines, _tasks: tasks })
    }

    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT`, where `/_sim/...` is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Base URL of a cluster's API server.
    #[must_use]
    pub fn kubernetes_url(&self, cluster: &str) -> String {
        format!("{}/k8s/{cluster}", self.url())
    }

    /// `tcp://127.0.0.1:PORT` of an engine; empty when the world has no such engine. Docker clients know no path prefix,
    /// so each engine has a port of its own.
    #[must_use]
    pub fn docker_url(&self, engine: &str) -> String {
        self.engines.get(engine).map(|addr| format!("tcp://{addr}")).unwrap_or_default()
    }

    /// Base URL of the Cloud Run Admin API, before `/v2`.
    #[must_use]
    pub fn cloud_run_url(&self) -> String {
        self.url()
    }

    /// Base URL of Cloud Storage's JSON API and of the S3 protocol.
    #[must_use]
    pub fn storage_url(&self) -> String {
        self.url()
    }

    /// Base URL of GitHub's REST API, and of GitLab before `/api/v4`.
    #[must_use]
    pub fn pipelines_url(&self) -> String {
        self.url()
    }

    /// A kubeconfig with this cluster as the current context.
    #[must_use]
    pub fn kubeconfig(&self, cluster: &str) -> String {
        let token = self.host.clusters.get(cluster).and_then(|found| found.world.token.clone());
        let token = token.unwrap_or_else(|| "simulated".into());
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {cluster}\nclusters:\n- name: {cluster}\n  cluster: {{server: '{}'}}\nusers:\n- name: {cluster}\n  user: {{token: '{token}'}}\ncontexts:\n- name: {cluster}\n  context: {{cluster: {cluster}, user: {cluster}}}\n",
            self.kubernetes_url(cluster)
        )
    }

    /// The same as `POST /_sim/faults`.
    pub fn set_faults(&self, faults: Faults) {
        self.host.faults.set(faults);
    }

    pub fn clear_faults(&self) {
        self.host.faults.clear();
    }

    /// Sets a trap, or takes it away; a write that is held goes on.
    pub fn set_trap(&self, trap: Option<Trap>) {
        self.host.traps.set(trap);
    }

    /// Waits until a write is held by the trap.
    pub async fn caught(&self) {
        self.host.traps.caught().await;
    }

    /// Ends all open watches and event streams.
    pub fn cut_streams(&self) {
        self.host.faults.cut_streams();
    }

    /// All calls, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Entry> {
        self.host.journal.entries()
    }

    /// Accepted writes and effects by object.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.host.journal.counts()
    }

    /// How often what `object` is to run was changed, for example `("/k8s/gke", "deployments.apps/shop/web")`.
    #[must_use]
    pub fn effects(&self, prefix: &str, object: &str) -> u64 {
        self.counts().effects.get(&format!("{prefix} {object}")).copied().unwrap_or(0)
    }
}

/// Serves `world` until the future is dropped.
///
/// # Errors
/// When a port or a socket cannot be opened.
pub async fn serve(listener: TcpListener, world: World) -> std::io::Result<()> {
    let simulator = Simulator::start_on(listener, world).await?;
    tracing::info!(addr = %simulator.addr, "simulator");
    std::future::pending().await
}

/// Everything goes to the host; `prefix` stands before the paths of an engine's own listener.
fn router(host: Arc<Host>, prefix: String) -> Router {
    Router::new().fallback(move |request: Request| {
        let (host, prefix) = (Arc::clone(&host), prefix.clone());
        async move {
            let path = format!("{prefix}{}", request.uri().path());
            host.answer(request, &path).await
        }
    })
}

fn report(result: std::io::Result<()>) {
    if let Err(error) = result {
        tracing::error!(%error, "the simulator stopped serving");
    }
}
