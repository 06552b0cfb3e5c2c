//! Watches: the history of changes as a stream of JSON lines, with bookmarks.

use super::cluster::Cluster;
use super::kinds::Kind;
use super::read::View;
use super::refusal::Refusal;
use super::selector::Selector;
use super::state::State;
use super::store::Change;
use crate::call::{self, Call};
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

/// As often as the real API server sends them.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// When the client names no limit.
const LONGEST: u64 = 1_800;

struct Watch {
    kind: &'static Kind,
    namespace: String,
    selector: Selector,
    view: View,
    bookmarks: bool,
}

pub(crate) fn open(
    cluster: &Arc<Cluster>,
    kind: &'static Kind,
    namespace: &str,
    call: &Call,
) -> Result<Response, Refusal> {
    let watch = Watch {
        kind,
        namespace: namespace.to_owned(),
        selector: Selector::parse(call.parameter("labelSelector"), call.parameter("fieldSelector"))?,
        view: View::of(call),
        bookmarks: call.is_set("allowWatchBookmarks"),
    };
    let limit = call.parameter("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).unwrap_or(LONGEST);
    let (first, from) = beginning(&cluster.state.lock(), &watch, call)?;
    let (send, receive) = mpsc::channel::<Result<Bytes, Infallible>>(64);
    let cluster = Arc::clone(cluster);
    tokio::spawn(async move {
        let faults = Arc::clone(&cluster.faults);
        // Whatever ends first: the client, the limit, the cut asked for by a test.
        tokio::select! {
            () = follow(&cluster, &watch, &send, first, from) => {}
            () = send.closed() => {}
            () = tokio::time::sleep(Duration::from_secs(limit)) => {}
            () = faults.cut_asked() => {}
        }
    });
    Ok(call::with_type(StatusCode::OK, "application/json", Body::from_stream(ReceiverStream::new(receive))))
}

/// The lines to send at once, and the version after which changes follow.
fn beginning(state: &State, watch: &Watch, call: &Call) -> Result<(Vec<Value>, u64), Refusal> {
    let asked = call.parameter("resourceVersion").unwrap_or_default();
    let initial = call.is_set("sendInitialEvents");
    if !initial && !matches!(asked, "" | "0") {
        let version =
            asked.parse().map_err(|_| Refusal::bad_request(format!("invalid resource version: {asked:?}")))?;
        return Ok((Vec::new(), version));
    }
    let objects = state.store.list(watch.kind, &watch.namespace).filter(|object| watch.selector.matches(object));
    let mut lines: Vec<Value> =
        objects.map(|object| json!({"type": "ADDED", "object": watch.view.show(object)})).collect();
    if initial {
        lines.push(bookmark(watch, state.store.version(), true));
    }
    Ok((lines, state.store.version()))
}

fn bookmark(watch: &Watch, version: u64, end_of_initial: bool) -> Value {
    let mut metadata = json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
    if end_of_initial {
        metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    let (kind, api_version) = match watch.view {
        View::Whole => (watch.kind.kind.to_owned(), watch.kind.api_version()),
        View::Metadata => ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned()),
    };
    json!({"type": "BOOKMARK", "object": {"kind": kind, "apiVersion": api_version, "metadata": metadata}})
}

async fn follow(
    cluster: &Cluster,
    watch: &Watch,
    send: &mpsc::Sender<Result<Bytes, Infallible>>,
    mut lines: Vec<Value>,
    mut version: u64,
) {
    let mut changed = cluster.state.lock().store.subscribe();
    let mut next_bookmark = Instant::now() + BOOKMARKS;
    loop {
        for line in lines.drain(..) {
            cluster.faults.thawed(&cluster.prefix, false).await;
            if send.send(Ok(Bytes::from(format!("{line}\n")))).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep_until(next_bookmark), if watch.bookmarks => {
                lines.push(bookmark(watch, version, false));
                next_bookmark = Instant::now() + BOOKMARKS;
                continue;
            }
            waited = wait_for(&mut changed, version) => if waited.is_none() { return },
        }
        match news(&cluster.state.lock(), watch, version) {
            Some((found, newest)) => {
                lines = found;
                version = newest;
            }
            None => {
                let message = format!("too old resource version: {version}");
                let gone = Refusal::new(StatusCode::GONE, "Expired", message).to_value();
                let _ = send.try_send(Ok(Bytes::from(format!("{}\n", json!({"type": "ERROR", "object": gone})))));
                return;
            }
        }
    }
}

async fn wait_for(changed: &mut tokio::sync::watch::Receiver<u64>, version: u64) -> Option<()> {
    changed.wait_for(|newest| *newest > version).await.ok().map(drop)
}

fn news(state: &State, watch: &Watch, version: u64) -> Option<(Vec<Value>, u64)> {
    let lines = state.store.changes_after(version)?.filter_map(|change| line(watch, change)).collect();
    Some((lines, state.store.version()))
}

/// An object that enters the selection is added, one that leaves it is deleted, whatever happened to it.
fn line(watch: &Watch, change: &Change) -> Option<Value> {
    if change.kind != watch.kind || !(watch.namespace.is_empty() || watch.namespace == change.namespace) {
        return None;
    }
    let selected = |object: &Option<Arc<Value>>| object.as_ref().is_some_and(|object| watch.selector.matches(object));
    let kind = match (selected(&change.before), selected(&change.after)) {
        (false, true) => "ADDED",
        (true, true) => "MODIFIED",
        (true, false) => "DELETED",
        (false, false) => return None,
    };
    Some(json!({"type": kind, "object": watch.view.show(&change.reported)}))
}
