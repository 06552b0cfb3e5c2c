//! Query strings of lists, and cursors.

use crate::{choice, lossy};
use axum::extract::FromRequestParts;
use futures::executor::block_on;
use http::Request;
use passerelle_contract::access::AccessFilter;
use passerelle_contract::alerts::AlertFilter;
use passerelle_contract::audit::AuditFilter;
use passerelle_contract::catalog::ServiceFilter;
use passerelle_contract::deployments::{DeploymentFilter, MatrixFilter};
use passerelle_contract::gates::{FreezeFilter, WaiverFilter};
use passerelle_contract::slo::SloFilter;
use passerelle_server::catalog::index::ServiceQuery;
use passerelle_server::kernel::web::Query;
use passerelle_server::kernel::{AppError, Cursor, Keys, ReadScope, limit_or_default};
use serde::de::DeserializeOwned;

pub fn run(bytes: &[u8]) {
    let (which, query) = choice(bytes);
    // As it comes over the wire: what cannot stand in an address is written as %XX by whoever sends it.
    let query: String = query
        .iter()
        .map(|byte| {
            if byte.is_ascii_graphic() && *byte != b'#' {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    match which % 9 {
        0 => services(&query),
        1 => taken::<AuditFilter>(&query),
        2 => taken::<DeploymentFilter>(&query),
        3 => taken::<MatrixFilter>(&query),
        4 => taken::<AlertFilter>(&query),
        5 => taken::<FreezeFilter>(&query),
        6 => taken::<WaiverFilter>(&query),
        7 => taken::<SloFilter>(&query),
        _ => taken::<AccessFilter>(&query),
    }
}

pub fn cursors(bytes: &[u8]) {
    let keys = Keys::from_bytes([7; 32]);
    let text = lossy(bytes);
    assert!(Cursor::decode::<(String, i64)>(&keys, "services", &text).is_err(), "a cursor that nobody signed");
    // What an older version of the portal may have signed.
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let Ok(signed) = Cursor::encode(&keys, "services", &value) else { return };
    drop(Cursor::decode::<(String, i64)>(&keys, "services", &signed));
    drop(Cursor::decode::<(i128, String)>(&keys, "services", &signed));
    assert!(Cursor::decode::<serde_json::Value>(&keys, "others", &signed).is_err(), "a cursor of another list");
}

fn services(query: &str) {
    let Some(filter) = read::<ServiceFilter>(query) else { return };
    drop(limit_or_default(filter.limit));
    drop(ServiceQuery::new(&filter, &ReadScope::All));
}

fn taken<T: DeserializeOwned>(query: &str) {
    drop(read::<T>(query));
}

/// As a route reads it; a refusal names a field.
fn read<T: DeserializeOwned>(query: &str) -> Option<T> {
    let (mut parts, ()) = Request::builder().uri(format!("/x?{query}")).body(()).ok()?.into_parts();
    match block_on(<Query<T> as FromRequestParts<()>>::from_request_parts(&mut parts, &())) {
        Ok(Query(filter)) => Some(filter),
        Err(AppError::Invalid(fields)) => {
            assert!(!fields.is_empty(), "a refusal without a field: {query}");
            None
        }
        Err(other) => panic!("not a refusal by field: {other:?}"),
    }
}
