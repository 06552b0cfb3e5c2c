//! A running simulator and an HTTP client for it.

use passerelle_simulator::{Simulator, World};
use reqwest::{Client, Method, Response, header};
use serde_json::Value;
use std::time::{Duration, Instant};

pub struct Sim {
    pub simulator: Simulator,
    client: Client,
}

impl Sim {
    /// Fast: one second of the platform is 10 ms.
    pub async fn start(world: &str) -> Self {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut world = World::parse(world).unwrap();
        world.speed = 100.0;
        // Tests run side by side, so none may take a fixed port.
        world.engines.values_mut().for_each(|engine| engine.port = None);
        let simulator = Simulator::start(world).await.unwrap();
        Self { simulator, client: Client::new() }
    }

    pub async fn send(&self, method: Method, path: &str, content_type: &str, body: &Value) -> Response {
        self.try_send(method, path, content_type, body).await.unwrap()
    }

    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: &Value,
    ) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.simulator.url());
        let request = self.client.request(method, url).header(header::CONTENT_TYPE, content_type);
        request.body(body.to_string()).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let response = self.send(Method::POST, path, "application/json", &body).await;
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    pub async fn patch(&self, path: &str, content_type: &str, body: Value) -> (u16, Value) {
        let response = self.send(Method::PATCH, path, content_type, &body).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> Value {
        self.stream(path).await.json().await.unwrap()
    }

    pub async fn text(&self, path: &str) -> String {
        self.stream(path).await.text().await.unwrap()
    }

    pub async fn stream(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.simulator.url())).send().await.unwrap()
    }

    /// Asks again until the answer is as wanted.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let value = self.get(path).await;
            if wanted(&value) {
                return value;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{path} stays {value:#}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
