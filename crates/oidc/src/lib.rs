//! Sign-in with OpenID Connect: authorization code with PKCE (S256), state and nonce. And with GitHub, which speaks OAuth 2 only (`github.rs`).
//!
//! This crate knows what is asked of a provider and what of its answers is believed. It opens no connection: whoever uses it hands
//! in a [`Fetch`], which decides where bytes may go. Codes, tokens and signatures are the crate `openidconnect`'s; what that crate
//! leaves open (`azp`, `iat`, `nbf`, leeway, RFC 9207, the provider's own sizes and redirects, logout tokens) is checked here.
//!
//! Invariants: a token is believed only when a key of the configured issuer signed it with an asymmetric algorithm; a person is
//! (issuer, subject) and nothing else; no text of the provider is in a [`Refused`].

mod claims;
mod discovery;
mod fetch;
mod flow;
mod github;
mod groups;
mod keys;
mod logout;
mod provider;
mod refused;
mod token;
mod userinfo;

pub use fetch::{Answer, Fetch, FetchFailed, MAX_ANSWER};
pub use flow::{Pending, Person, Returned};
pub use github::{GITHUB, Github, GithubSettings};
pub use groups::Groups;
pub use logout::LoggedOut;
pub use provider::{Provider, Settings};
pub use refused::{Kind, Refused};
