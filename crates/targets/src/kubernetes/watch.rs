//! What runs, pushed: three watches (four with a canary) feed one view, and each burst of events becomes one observation.

use super::canary::{self, Looked};
use super::diagnose::decisive;
use super::error::{from_status, translate};
use super::evidence::{self, Evidence};
use super::snapshot::Snapshot;
use super::symptom::Symptom;
use super::workload::Workload;
use crate::{Observation, TargetError};
use futures::stream::{self, BoxStream, SelectAll};
use futures::{Stream, StreamExt as _};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::api::DynamicObject;
use kube::runtime::reflector::Lookup;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Config, Event, watcher};
use passerelle_contract::{Text, text};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Events of one step of a rollout come within this time of each other.
const BURST: Duration = Duration::from_millis(60);
/// The server ends a watch after this long and the client takes it up again, so a dead connection is noticed in about that time.
const WATCH_SECONDS: u32 = 60;

pub(super) fn watch(workload: Workload) -> BoxStream<'static, Result<Observation, TargetError>> {
    stream::unfold(State::Start(Box::new(workload)), next).boxed()
}

enum State {
    Start(Box<Workload>),
    Running(Box<View>),
    Ended,
}

async fn next(state: State) -> Option<(Result<Observation, TargetError>, State)> {
    let mut view = match state {
        State::Start(workload) => match View::open(*workload).await {
            Ok(view) => Box::new(view),
            Err(error) => return Some((Err(error), State::Ended)),
        },
        State::Running(view) => view,
        State::Ended => return None,
    };
    match view.next().await {
        Ok(observation) => Some((Ok(observation), State::Running(view))),
        Err(error) => Some((Err(error), State::Ended)),
    }
}

enum Update {
    Deployment(Event<DynamicObject>),
    /// Of the Deployment beside it.
    Canary(Event<DynamicObject>),
    ReplicaSet(Event<ReplicaSet>),
    Pod(Event<Pod>),
}

type Updates = SelectAll<BoxStream<'static, Result<Update, watcher::Error>>>;

/// The objects as last seen.
struct View {
    workload: Workload,
    updates: Updates,
    deployment: Cache<DynamicObject>,
    canary: Cache<DynamicObject>,
    replica_sets: Cache<ReplicaSet>,
    pods: Cache<Pod>,
    /// Events and logs are asked for once per symptom, not at each burst.
    evidence: Option<(Symptom, Evidence)>,
    last: Option<Observation>,
}

/// A store and whether its first list is complete.
struct Cache<K: 'static + Lookup + Clone>
where
    K::DynamicType: Eq + Hash + Clone,
{
    writer: Writer<K>,
    ready: bool,
}

impl<K: 'static + Lookup + Clone> Cache<K>
where
    K::DynamicType: Eq + Hash + Clone,
{
    fn new(dynamic: K::DynamicType) -> Self {
        Self { writer: Writer::new(dynamic), ready: false }
    }

    fn apply(&mut self, event: &Event<K>) {
        self.ready |= matches!(event, Event::InitDone);
        self.writer.apply_watcher_event(event);
    }

    fn all(&self) -> Vec<Arc<K>> {
        self.writer.as_reader().state()
    }
}

impl View {
    async fn open(workload: Workload) -> Result<Self, TargetError> {
        // The selector of a Deployment cannot change, so it is read once.
        let now = workload.deployment().await?;
        let selector = Snapshot::selector(&now)?;
        let config = || Config::default().timeout(WATCH_SECONDS);
        let labelled = || config().labels(&selector);
        let named = |name: &str| watcher(workload.deployments(), config().fields(&format!("metadata.name={name}")));
        let mut updates = SelectAll::new();
        updates.push(named(&workload.name).map(|event| event.map(Update::Deployment)).boxed());
        let mut canary = Cache::new(workload.resource());
        if workload.canary.steps.is_empty() && !canary::is_marked(&now.metadata) {
            canary.ready = true;
        } else {
            let beside = named(&canary::name_of(&workload.name));
            updates.push(beside.map(|event| event.map(Update::Canary)).boxed());
        }
        updates.push(typed::<ReplicaSet>(&workload, labelled()).map(|event| event.map(Update::ReplicaSet)).boxed());
        updates.push(typed::<Pod>(&workload, labelled()).map(|event| event.map(Update::Pod)).boxed());
        let deployment = Cache::new(workload.resource());
        Ok(Self {
            workload,
            updates,
            deployment,
            canary,
            replica_sets: Cache::new(()),
            pods: Cache::new(()),
            evidence: None,
            last: None,
        })
    }

    /// The next observation that differs from the one before.
    async fn next(&mut self) -> Result<Observation, TargetError> {
        loop {
            let update = self.updates.next().await;
            self.take(update)?;
            let end = Instant::now() + BURST;
            // The clock is asked as well: a storm of events must not hold an observation back.
            while Instant::now() < end
                && let Ok(update) = timeout_at(end, self.updates.next()).await
            {
                self.take(update)?;
            }
            if let Some(observation) = self.look().await?
                && self.last.as_ref() != Some(&observation)
            {
                self.last = Some(observation.clone());
                return Ok(observation);
            }
        }
    }

    fn take(&mut self, update: Option<Result<Update, watcher::Error>>) -> Result<(), TargetError> {
        match update {
            Some(Ok(Update::Deployment(event))) => self.deployment.apply(&event),
            Some(Ok(Update::Canary(event))) => self.canary.apply(&event),
            Some(Ok(Update::ReplicaSet(event))) => self.replica_sets.apply(&event),
            Some(Ok(Update::Pod(event))) => self.pods.apply(&event),
            // Too old a version to go on from: the watcher lists again by itself.
            Some(Err(watcher::Error::WatchError(status))) if status.code == 410 => {}
            Some(Err(error)) => return Err(broken(&error)),
            None => return Err(TargetError::Unreachable(text!("the watch has ended"))),
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<Option<Observation>, TargetError> {
        if !(self.deployment.ready && self.canary.ready && self.replica_sets.ready && self.pods.ready) {
            return Ok(None);
        }
        let Some(object) = self.deployment.all().into_iter().next() else {
            return Err(TargetError::Missing(Text::verbatim(self.workload.title())));
        };
        let container = self.workload.container.as_deref();
        let main = Snapshot::new(self.workload.kind, &object, self.replica_sets.all(), self.pods.all(), container)?;
        let beside = self.canary.all().into_iter().next();
        let beside = beside.map(|object| {
            Snapshot::new(self.workload.kind, &object, self.replica_sets.all(), self.pods.all(), Some(&main.container))
        });
        let looked = Looked::new(main, beside.transpose()?);
        let evidence = self.evidence(looked.deciding()).await;
        Ok(Some(canary::observation(&looked, &evidence)))
    }

    async fn evidence(&mut self, snapshot: &Snapshot) -> Evidence {
        let Some(symptom) = decisive(snapshot) else {
            self.evidence = None;
            return Evidence::default();
        };
        if let Some((known, evidence)) = &self.evidence
            && *known == symptom
        {
            return evidence.clone();
        }
        let evidence = evidence::about(&self.workload, &symptom).await;
        self.evidence = Some((symptom, evidence.clone()));
        evidence
    }
}

fn typed<K>(workload: &Workload, config: Config) -> impl Stream<Item = watcher::Result<Event<K>>> + Send + use<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    // The record of who set which field is half of each object and nothing here reads it.
    watcher(workload.api::<K>(), config)
        .map(|event| event.map(|event| event.modify(|object| object.meta_mut().managed_fields = None)))
}

fn broken(error: &watcher::Error) -> TargetError {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => translate(text!("the watch"), error),
        watcher::Error::WatchError(status) => from_status(text!("the watch"), status),
        watcher::Error::NoResourceVersion => TargetError::Unreachable(text!("the watch has no version to go on from")),
    }
}
