//! The twenty-five attempts of `docs/security.md` that take more than one capability, tried as they are meant.

mod alerts;
mod approvals;
mod audit_sql;
mod credentials;
mod cross_site;
mod doors;
mod hosts;
mod logs;
mod markdown;
mod numbers;
mod paths;
mod process;
mod raw;
mod refs;
mod routes;
mod sleeping;
mod streams;
mod tampering;
mod webhooks;
