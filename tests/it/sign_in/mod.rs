//! Signing in at providers of OpenID Connect, over HTTP, with providers of our own that lie when they are told to.

mod arriving;
mod confirming;
mod github;
mod leaving;
#[expect(dead_code, reason = "the tests of the crate use the rest")]
#[path = "../../../crates/oidc/tests/liar/mod.rs"]
mod liar;
mod lies;
mod linking;
mod providers;
mod real;
mod roles;
mod ways_in;
