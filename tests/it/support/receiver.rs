//! An HTTP receiver of messages on this machine: it keeps what comes, and answers as it is told to.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// One message.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Debug, Default)]
struct Kept {
    messages: Vec<Received>,
    answers: VecDeque<(u16, String)>,
    pause: Duration,
}

#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let kept = Arc::<Mutex<Kept>>::default();
        let router = Router::new().fallback(take).with_state(kept.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, kept }
    }

    /// The next messages are answered with these, then with 200 again.
    pub fn answer(&self, answers: &[(u16, &str)]) {
        let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned()));
        self.kept.lock().unwrap().answers.extend(answers);
    }

    /// Every answer takes so long; what came is kept before.
    pub fn pause(&self, pause: Duration) {
        self.kept.lock().unwrap().pause = pause;
    }

    pub fn all(&self) -> Vec<Received> {
        self.kept.lock().unwrap().messages.clone()
    }

    /// Waits until so many have come.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let start = Instant::now();
        loop {
            let all = self.all();
            if all.len() >= count {
                return all;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "only {} of {count} came: {all:#?}", all.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn take(State(kept): State<Arc<Mutex<Kept>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let (answer, pause) = {
        let mut kept = kept.lock().unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        kept.messages.push(Received { path: uri.path().to_owned(), headers, body });
        (kept.answers.pop_front().unwrap_or((200, "ok".to_owned())), kept.pause)
    };
    tokio::time::sleep(pause).await;
    let status = StatusCode::from_u16(answer.0).unwrap();
    let elsewhere = if status.is_redirection() { "http://127.0.0.1:1/" } else { "" };
    (status, [(header::LOCATION, elsewhere)], answer.1)
}
