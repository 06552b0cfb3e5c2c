//! What the browser tests stand on: a real portal as a process of its own, and a real browser.
//!
//! Everything waits for what it wants to see, with a limit ([`LIMIT`]); nothing sleeps for a fixed time and hopes.

mod administrator;
mod browser;
mod looks;
mod portal;
mod tab;

pub use administrator::{PASSWORD, USER};
pub use browser::Chromium;
pub use looks::Look;
pub use portal::Portal;
pub use tab::Tab;

use std::time::Duration;

/// The longest that anything may take before a test gives up.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks.
pub const TICK: Duration = Duration::from_millis(50);
