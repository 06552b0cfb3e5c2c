//! What every capability stands on: who acts ([`Ctx`]), whether it may ([`access`]), how it is written down ([`Db`],
//! [`WriteTx`]), how lists are paged and how errors are told.
//!
//! Invariant: the only way to change the database is a [`WriteTx`], which needs an [`Authorized`] to begin and an
//! [`AuditEntry`] to commit.

pub mod access;
mod action;
mod ctx;
mod db;
mod directory;
mod error;
mod keys;
mod language;
pub mod markdown;
mod paging;
pub mod validate;
pub mod web;

pub use access::{Authorized, Decision, EnvironmentScope, Object, Reach, ReadScope, ServiceScope, decide, decide_for};
pub use action::Action;
pub use ctx::{Ctx, Principal, PrincipalKind, Proof, Via};
pub use db::{AuditEntry, Db, WriteTx, leave_message};
pub use directory::Directory;
pub use error::{AppError, Result, violated};
pub use keys::{Keys, SealingKey};
pub use language::{LOCALE_COOKIE, locale_of};
pub use paging::{Cursor, limit_or_default};
