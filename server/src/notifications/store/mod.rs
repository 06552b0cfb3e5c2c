//! All SQL of the notifications.

pub mod channels;
pub mod deliveries;
pub mod outbox;
pub mod rules;
