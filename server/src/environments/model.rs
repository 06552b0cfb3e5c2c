//! Rows as the rest of the portal reads them, and the rules that need no database.

use crate::kernel::{AppError, EnvironmentScope, Object, Result, ServiceScope, validate};
use crate::secrets::RevealError;
use passerelle_contract::environments::{BindingOut, ConnectionOut, EnvironmentIn, EnvironmentOut, HoldOut};
use passerelle_contract::{FieldError, text};
use passerelle_targets::{AnyPlatform, TargetError, UnknownKind, platform};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) const MAX_ENVIRONMENT_NAME: usize = 40;
pub(super) const MAX_CONNECTION_NAME: usize = 63;
const ORDER: std::ops::RangeInclusive<u16> = 1..=1000;
const PROGRESS_DEADLINE_S: std::ops::RangeInclusive<u32> = 10..=3600;
pub(super) const DEFAULT_PROGRESS_DEADLINE_S: u32 = 300;

/// What saving did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Created,
    Updated,
    Unchanged,
}

/// A connection as stored: the secrets in `config` are sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionRow {
    pub id: Uuid,
    pub name: String,
    pub kind: String,
    pub config: Value,
    pub bindings: u32,
    pub updated_at: OffsetDateTime,
}

impl ConnectionRow {
    #[must_use]
    pub fn simulated(&self) -> bool {
        self.config.get("simulated") == Some(&Value::Bool(true))
    }

    pub(super) fn to_out(&self) -> ConnectionOut {
        ConnectionOut {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind.clone(),
            config: crate::secrets::mask(&self.config),
            bindings: self.bindings,
            simulated: self.simulated(),
            updated_at: self.updated_at,
        }
    }

    /// For the audit.
    pub(super) fn summary(&self) -> Value {
        json!({"kind": self.kind, "config": crate::secrets::mask(&self.config)})
    }
}

/// A binding with all that the engine needs to act on it.
#[derive(Debug, Clone, PartialEq)]
pub struct BindingRow {
    pub id: Uuid,
    pub service_id: Uuid,
    pub service_scope: ServiceScope,
    pub environment: EnvironmentOut,
    pub kind: String,
    pub connection_id: Uuid,
    /// Name of the connection.
    pub connection: String,
    pub config: Value,
    pub hold: Option<HoldOut>,
    /// The connection leads to the simulator.
    pub simulated: bool,
}

impl BindingRow {
    pub(super) fn to_out(&self) -> BindingOut {
        BindingOut {
            id: self.id,
            service: self.service_scope.key.clone(),
            environment: self.environment.name.clone(),
            kind: self.kind.clone(),
            connection: self.connection.clone(),
            config: self.config.clone(),
            hold: self.hold.clone(),
        }
    }

    /// For the audit.
    pub(super) fn summary(&self) -> Value {
        json!({"kind": self.kind, "connection": self.connection, "config": self.config})
    }

    /// What authorisation looks at.
    #[must_use]
    pub fn object(&self) -> Object {
        binding_object(&self.service_scope, &self.environment)
    }
}

pub(super) fn binding_object(service: &ServiceScope, environment: &EnvironmentOut) -> Object {
    Object::new("binding", format!("{}@{}", service.key, environment.name))
        .with_service(service.clone())
        .with_environment(environment_scope(environment))
}

pub(super) fn environment_scope(environment: &EnvironmentOut) -> EnvironmentScope {
    EnvironmentScope { name: environment.name.clone(), tier: environment.tier }
}

/// For the audit.
pub(super) fn environment_summary(environment: &EnvironmentOut) -> Value {
    json!({
        "tier": environment.tier,
        "order": environment.order,
        "auto_rollback": environment.auto_rollback,
        "progress_deadline_s": environment.progress_deadline_s,
    })
}

/// All fields that are wrong, not only the first.
pub(super) fn check_environment(environment: &EnvironmentIn) -> Result<()> {
    let mut errors = Vec::new();
    if let Err(message) = validate::slug(&environment.name, MAX_ENVIRONMENT_NAME) {
        errors.push(FieldError::new("/name", message));
    }
    if !ORDER.contains(&environment.order) {
        errors.push(FieldError::new(
            "/order",
            text!("is {count}; allowed is {min} to {max}", count = environment.order, min = 1, max = 1000),
        ));
    }
    if let Some(seconds) = environment.progress_deadline_s
        && !PROGRESS_DEADLINE_S.contains(&seconds)
    {
        errors.push(FieldError::new(
            "/progress_deadline_s",
            text!("is {count}; allowed is {min} to {max}", count = seconds, min = 10, max = 3600),
        ));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

/// # Errors
/// At `/kind`, with the kinds there are.
pub(super) fn known_platform(kind: &str) -> Result<&'static dyn AnyPlatform> {
    platform(kind).map_err(|unknown| AppError::field("/kind", unknown.text()))
}

/// A platform, a source of metrics, or a registry.
///
/// # Errors
/// At `/kind`, with the kinds there are.
pub(super) fn known_connection(kind: &str) -> Result<&'static dyn AnyPlatform> {
    match undeployable(kind) {
        Some(source) => Ok(source),
        None => platform(kind).map_err(|unknown| {
            let more = UNDEPLOYABLE.join(", ");
            AppError::field("/kind", text!("{unknown}, {kind}", unknown = unknown.text(), kind = more))
        }),
    }
}

/// Kinds of connection that nothing is deployed to.
pub(super) const UNDEPLOYABLE: [&str; 2] = [passerelle_metrics::PROMETHEUS, passerelle_targets::oci::REGISTRY];

/// A source of metrics, or a registry of images.
pub(super) fn undeployable(kind: &str) -> Option<&'static dyn AnyPlatform> {
    passerelle_metrics::connection_kind(kind).or_else(|| passerelle_targets::oci::connection_kind(kind))
}

/// What the adapter says about a configuration, as an error of its field.
pub(super) fn config_error(error: TargetError) -> AppError {
    match error {
        TargetError::Config { pointer, message } => AppError::field(pointer, message),
        other => AppError::field("/config", other.text()),
    }
}

/// An object, and nothing in it that Postgres cannot store.
pub(super) fn check_storable(config: &Value) -> Result<()> {
    if !config.is_object() {
        return Err(AppError::field("/config", text!("must be an object")));
    }
    match validate::nul_at(config, "/config") {
        Some(pointer) => Err(AppError::field(pointer, validate::nul())),
        None => Ok(()),
    }
}

/// The part of a binding's configuration that names the object: the fields that the kind requires. The others (which
/// container of it, for example) do not make it another object.
pub(super) fn locator(schema: &Value, config: &Value) -> Value {
    let required = schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    let fields: Map<String, Value> =
        names.filter_map(|name| Some((name.to_owned(), config.get(name)?.clone()))).collect();
    if fields.is_empty() { config.clone() } else { Value::Object(fields) }
}

/// Why a target could not be opened: ours or the platform's. The engine treats the two differently.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl From<RevealError> for OpenError {
    fn from(error: RevealError) -> Self {
        match error {
            RevealError::Unusable { pointer, why } => Self::Target(TargetError::Config { pointer, message: why }),
            RevealError::Away { pointer, why } => {
                Self::Target(TargetError::Unreachable(text!("{pointer} {message}", pointer, message = why)))
            }
            RevealError::App(error) => Self::App(error),
        }
    }
}

impl From<OpenError> for AppError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::App(error) => error,
            OpenError::Target(error) => Self::Target(error.text()),
        }
    }
}

impl From<UnknownKind> for OpenError {
    fn from(error: UnknownKind) -> Self {
        Self::Target(TargetError::Config { pointer: "/kind".to_owned(), message: error.text() })
    }
}

/// The version of an object, as `ETag` and `If-Match` carry it: changes with what can be edited, not with what is counted.
pub trait Etag {
    fn etag(&self) -> String;
}

impl Etag for EnvironmentOut {
    fn etag(&self) -> String {
        digest(&json!([self.id, environment_summary(self)]))
    }
}

impl Etag for ConnectionOut {
    fn etag(&self) -> String {
        // A new secret is not seen in `config`.
        digest(&json!([self.id, self.updated_at.unix_timestamp_nanos().to_string()]))
    }
}

impl Etag for BindingOut {
    fn etag(&self) -> String {
        digest(&json!([self.id, self.kind, self.connection, self.config]))
    }
}

fn digest(value: &Value) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(value.to_string().as_bytes())[..12]))
}

/// The versions that an edit may start from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    /// From the header's text; without a header any version will do.
    #[must_use]
    pub fn new(header: Option<&str>) -> Self {
        Self(header.map(str::to_owned))
    }

    /// # Errors
    /// `Conflict` when the object has changed since it was read.
    pub(crate) fn check(&self, now: &impl Etag) -> Result<()> {
        let Some(wanted) = &self.0 else { return Ok(()) };
        let etag = now.etag();
        if wanted.split(',').map(str::trim).any(|one| one == "*" || one == etag) {
            return Ok(());
        }
        Err(AppError::Conflict(text!("it was changed since you read it; read it again and repeat the edit")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::environments::Tier;

    fn environment() -> EnvironmentIn {
        EnvironmentIn {
            name: "staging".to_owned(),
            tier: Tier::Staging,
            order: 1,
            auto_rollback: None,
            progress_deadline_s: None,
        }
    }

    #[test]
    fn an_environment_names_every_wrong_field() {
        assert!(check_environment(&environment()).is_ok());
        let bad = EnvironmentIn { name: "Prod 1".to_owned(), order: 0, progress_deadline_s: Some(5), ..environment() };
        let Err(AppError::Invalid(errors)) = check_environment(&bad) else { panic!("it passed") };
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/order", "/progress_deadline_s"]);
    }

    #[test]
    fn the_required_fields_locate_the_object() {
        let schema = json!({"required": ["namespace", "deployment"], "properties": {"container": {}}});
        let a = json!({"namespace": "shop", "deployment": "web", "container": "a"});
        let b = json!({"deployment": "web", "namespace": "shop"});
        assert_eq!(locator(&schema, &a), locator(&schema, &b));
        assert_ne!(locator(&schema, &a), locator(&schema, &json!({"namespace": "shop", "deployment": "api"})));
        assert_eq!(locator(&json!({}), &a), a);
    }

    #[test]
    fn an_edit_starts_from_the_version_that_was_read() {
        let mut out = EnvironmentOut {
            id: Uuid::nil(),
            name: "staging".to_owned(),
            tier: Tier::Staging,
            order: 1,
            auto_rollback: true,
            progress_deadline_s: 300,
            bindings: 1,
        };
        let read = out.etag();
        out.bindings = 2;
        assert!(IfMatch::new(Some(&format!("\"x\", {read}"))).check(&out).is_ok());
        out.order = 2;
        assert!(IfMatch::new(Some(&read)).check(&out).is_err());
        assert!(IfMatch::new(Some("*")).check(&out).is_ok());
        assert!(IfMatch::default().check(&out).is_ok());
    }

    #[test]
    fn what_postgres_cannot_store_is_refused_by_its_place() {
        assert!(check_storable(&json!([])).is_err());
        let Err(AppError::Invalid(errors)) = check_storable(&json!({"a": ["x", {"b": "y\u{0}"}]})) else {
            panic!("it passed")
        };
        assert_eq!(errors[0].pointer, "/config/a/1/b");
    }

    #[test]
    fn an_unknown_kind_is_answered_with_the_known_ones() {
        let Err(error) = known_platform("nomad") else { panic!("nomad is not there") };
        assert!(error.to_string().contains("kubernetes") && error.to_string().contains("docker_swarm"));
    }
}
