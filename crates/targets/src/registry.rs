//! The list of platforms, with their types erased once.

use crate::burn::RollBackOnBurn;
use crate::error_ratio::ErrorRatio;
use crate::guard::Guard;
use crate::running::{Running, not_told};
use crate::target::{Connection, Platform, Target};
use crate::verification::Verification;
use crate::{
    TargetError, ci::Ci, cloud_run::CloudRun, docker_swarm::DockerSwarm, kubernetes::Kubernetes,
    static_site::StaticSite,
};
use async_trait::async_trait;
use passerelle_contract::{Text, refused_json, text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::Arc;

/// A platform without its types.
#[async_trait]
pub trait AnyPlatform: Send + Sync {
    fn kind(&self) -> &'static str;
    fn title(&self) -> &'static str;
    /// Whether what is deployed is an image of a container registry.
    fn runs_images(&self) -> bool {
        false
    }
    /// Whether a connection tells what runs there.
    fn tells_what_runs(&self) -> bool {
        false
    }
    /// JSON Schema of a connection's configuration.
    fn connection_schema(&self) -> Value;
    /// JSON Schema of a binding's configuration.
    fn binding_schema(&self) -> Value;
    /// Checks a connection's configuration without opening it.
    fn check_connection(&self, config: &Value) -> Result<(), TargetError>;
    /// Checks a binding's configuration without a connection.
    fn check_binding(&self, config: &Value) -> Result<(), TargetError>;
    async fn connect(&self, config: Value) -> Result<Arc<dyn AnyConnection>, TargetError>;
    /// The same; `guard` judges addresses that are not the connection's own.
    async fn connect_through(&self, config: Value, guard: Guard) -> Result<Arc<dyn AnyConnection>, TargetError> {
        drop(guard);
        self.connect(config).await
    }
}

/// An open connection without its types.
#[async_trait]
pub trait AnyConnection: Send + Sync {
    async fn check(&self) -> Result<String, TargetError>;
    /// As [`Connection::running`].
    async fn running(&self, _group: Option<&str>) -> Result<Vec<Running>, TargetError> {
        Err(not_told())
    }
    fn bind(&self, config: Value) -> Result<Arc<dyn Target>, TargetError>;
}

/// Every platform the portal knows. A new one is one line here.
#[must_use]
pub fn platforms() -> &'static [&'static dyn AnyPlatform] {
    &[
        &Erased::<Kubernetes>(PhantomData),
        &Erased::<DockerSwarm>(PhantomData),
        &Erased::<CloudRun>(PhantomData),
        &Erased::<StaticSite>(PhantomData),
        &Erased::<Ci>(PhantomData),
    ]
}

/// A kind that is not registered; says which are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct UnknownKind {
    pub kind: String,
    pub known: String,
}

impl UnknownKind {
    /// The same as a sentence.
    #[must_use]
    pub fn text(&self) -> Text {
        text!("unknown target kind '{kind}'; known are: {known}", kind = &self.kind, known = &self.known)
    }
}

/// # Errors
/// When no platform has this kind.
pub fn platform(kind: &str) -> Result<&'static dyn AnyPlatform, UnknownKind> {
    platforms().iter().copied().find(|platform| platform.kind() == kind).ok_or_else(|| UnknownKind {
        kind: kind.to_owned(),
        known: platforms().iter().map(|platform| platform.kind()).collect::<Vec<_>>().join(", "),
    })
}

/// What a binding may say on every platform, beside what its own has.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Every {
    /// What the portal asks itself after a rollout.
    #[serde(default)]
    pub verify: Option<Verification>,
    /// What share of the service's events may fail while a new version comes.
    #[serde(default)]
    pub error_ratio: Option<ErrorRatio>,
    /// New releases are deployed here by themselves, in the order of the environments; gates and holds are respected.
    #[serde(default)]
    pub automatic: bool,
    /// After a deployment the burn of each error budget is watched for a while; above the rate it is rolled back.
    #[serde(default)]
    pub roll_back_on_burn: Option<RollBackOnBurn>,
}

impl Every {
    /// The names of its fields.
    const NAMES: [&'static str; 4] = ["verify", "error_ratio", "automatic", "roll_back_on_burn"];

    /// Reads it from the configuration of a binding, and leaves there what is the platform's.
    ///
    /// # Errors
    /// As [`read_config`].
    pub fn taken_from(config: &mut Value) -> Result<Self, TargetError> {
        let Some(all) = config.as_object_mut() else { return Ok(Self::default()) };
        let own = Self::NAMES.into_iter().filter_map(|name| all.remove_entry(name)).collect();
        read_config(Value::Object(own))
    }

    /// The platform's schema with these fields too.
    fn added_to(mut schema: Value) -> Value {
        let mut own = schemars::schema_for!(Self).to_value();
        for part in ["properties", "$defs"] {
            let Some(Value::Object(fields)) = own.get_mut(part).map(Value::take) else { continue };
            match schema.get_mut(part).and_then(Value::as_object_mut) {
                Some(all) => all.extend(fields),
                None => schema[part] = Value::Object(fields),
            }
        }
        schema
    }
}

struct Erased<P>(PhantomData<P>);

#[async_trait]
impl<P: Platform> AnyPlatform for Erased<P> {
    fn kind(&self) -> &'static str {
        P::KIND
    }

    fn title(&self) -> &'static str {
        P::TITLE
    }

    fn runs_images(&self) -> bool {
        P::RUNS_IMAGES
    }

    fn tells_what_runs(&self) -> bool {
        P::TELLS_WHAT_RUNS
    }

    fn connection_schema(&self) -> Value {
        schemars::schema_for!(P::ConnectionConfig).to_value()
    }

    fn binding_schema(&self) -> Value {
        Every::added_to(schemars::schema_for!(P::BindingConfig).to_value())
    }

    fn check_connection(&self, config: &Value) -> Result<(), TargetError> {
        read_config::<P::ConnectionConfig>(config.clone()).map(drop)
    }

    fn check_binding(&self, config: &Value) -> Result<(), TargetError> {
        let mut config = config.clone();
        Every::taken_from(&mut config)?;
        read_config::<P::BindingConfig>(config).map(drop)
    }

    async fn connect(&self, config: Value) -> Result<Arc<dyn AnyConnection>, TargetError> {
        let connection = P::connect(read_config(config)?).await?;
        Ok(Arc::new(ErasedConnection(connection)))
    }

    async fn connect_through(&self, config: Value, guard: Guard) -> Result<Arc<dyn AnyConnection>, TargetError> {
        let connection = P::connect_through(read_config(config)?, guard).await?;
        Ok(Arc::new(ErasedConnection(connection)))
    }
}

struct ErasedConnection<C>(C);

#[async_trait]
impl<C> AnyConnection for ErasedConnection<C>
where
    C: Connection,
    C::Binding: DeserializeOwned + Send,
{
    async fn check(&self) -> Result<String, TargetError> {
        self.0.check().await
    }

    async fn running(&self, group: Option<&str>) -> Result<Vec<Running>, TargetError> {
        self.0.running(group).await
    }

    fn bind(&self, mut config: Value) -> Result<Arc<dyn Target>, TargetError> {
        Every::taken_from(&mut config)?;
        self.0.bind(read_config(config)?)
    }
}

/// A place as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.clone(),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// Reads a configuration.
///
/// # Errors
/// [`TargetError::Config`], which names the field by its JSON pointer.
pub fn read_config<T: DeserializeOwned>(config: Value) -> Result<T, TargetError> {
    serde_path_to_error::deserialize(config).map_err(|error| TargetError::Config {
        pointer: format!("/config{}", pointer(error.path())),
        message: refused_json::words(&error.into_inner().to_string()),
    })
}
