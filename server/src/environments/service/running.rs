//! What runs on a connection, bound or not.

use super::super::model::{BindingRow, OpenError, known_platform, locator};
use super::EnvironmentService;
use super::targets::answered;
use crate::kernel::{Action, AppError, Ctx, Object, Result};
use passerelle_contract::environments::RunningOut;
use passerelle_contract::text;
use passerelle_targets::{AnyPlatform, Running, TargetError, masking};

/// Something that runs, and whose it is.
#[derive(Debug, Clone)]
pub struct Runs {
    pub found: Running,
    /// Key of the service that is bound to it.
    pub service: Option<String>,
}

impl EnvironmentService {
    /// Whether connections of a kind tell what runs there.
    #[must_use]
    pub fn tells_what_runs(&self, kind: &str) -> bool {
        known_platform(kind).is_ok_and(AnyPlatform::tells_what_runs)
    }

    /// What runs on a connection, in a namespace or stack when one is named. Whoever may bind services may look at what could be bound.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Invalid` at `/group` or `/connection`, `Target` when the platform does not answer.
    pub async fn running(&self, ctx: &Ctx, connection: &str, group: Option<&str>) -> Result<Vec<Runs>> {
        let row = self.readable_connection(ctx, connection).await?;
        ctx.permit(Action::BindingEdit, &Object::new("connection", connection))?;
        let platform = known_platform(&row.kind).ok().filter(|platform| platform.tells_what_runs());
        let Some(platform) = platform else {
            return Err(AppError::field(
                "/connection",
                text!("a connection of this kind does not tell what runs there"),
            ));
        };
        let open = self.open(&row).await?;
        let all = match answered(open.running(group)).await {
            Ok(all) => all,
            Err(TargetError::Config { pointer, message }) if pointer == "/group" => {
                return Err(AppError::field(pointer, message));
            }
            Err(TargetError::Refused(message)) => return Err(AppError::field("/group", message)),
            Err(error) => return Err(OpenError::from(error).into()),
        };
        let bound = self.bindings_through(row.id).await?;
        let schema = platform.binding_schema();
        let owner = |found: &Running| {
            let place = locator(&schema, &found.binding);
            let same = |binding: &&BindingRow| locator(&schema, &binding.config) == place;
            bound.iter().find(same).map(|binding| binding.service_scope.key.clone())
        };
        Ok(all.into_iter().map(|found| Runs { service: owner(&found), found }).collect())
    }

    /// The same as the API tells it.
    ///
    /// # Errors
    /// As [`Self::running`].
    pub async fn list_running(&self, ctx: &Ctx, connection: &str, group: Option<&str>) -> Result<Vec<RunningOut>> {
        let all = self.running(ctx, connection, group).await?;
        Ok(all.into_iter().map(out).collect())
    }
}

fn out(runs: Runs) -> RunningOut {
    let Runs { found, service } = runs;
    RunningOut {
        group: masking::shown(&found.group),
        name: masking::shown(&found.name),
        image: found.image.map(|image| masking::shown(&image)),
        replicas: found.replicas,
        config: found.binding,
        service,
    }
}
