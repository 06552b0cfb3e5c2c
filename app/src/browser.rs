//! The little of the browser that the islands use: fetch JSON, wait, go somewhere, the clock.

use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Loads another page.
pub fn go(href: &str) {
    if let Some(window) = web_sys::window() {
        // A refusal (a blocked navigation) leaves the page as it is.
        let _ = window.location().set_href(href);
    }
}

/// Percent-encodes a query value.
#[must_use]
pub fn encode(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// The clock, as a Unix time in milliseconds.
#[must_use]
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// Resolves after this time.
pub async fn wait_ms(ms: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
        }
    });
    let _ = JsFuture::from(promise).await;
}

/// GETs JSON from our own API; `None` when it does not answer with what was expected.
pub async fn get_json<V: DeserializeOwned>(url: &str) -> Option<V> {
    let text = get_text(url).await.ok()?;
    serde_json::from_str(&text).ok()
}

async fn get_text(url: &str) -> Result<String, JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let response: web_sys::Response = JsFuture::from(window.fetch_with_str(url)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::NULL);
    }
    JsFuture::from(response.text()?).await?.as_string().ok_or(JsValue::NULL)
}
