//! Configurations of connections and bindings, which become parts of requests to platforms.

use passerelle_targets::platforms;
use serde_json::Value;

pub fn run(bytes: &[u8]) {
    let Ok(config) = serde_json::from_slice::<Value>(bytes) else { return };
    for platform in platforms() {
        drop(platform.check_connection(&config));
        drop(platform.check_binding(&config));
    }
}
