//! Taking a migration from its start to the revision that it is for. Each step begins with a look at the service, so any process may take it.

use super::api::Written;
use super::change;
use super::migration::{self, Migration, Standing};
use super::target::RunService;
use crate::{Fence, TargetError};
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};
use serde_json::Value;

impl RunService {
    /// The job, and how far the migration is.
    pub(super) async fn migration(&self, migration: &Migration) -> Result<(Value, Standing), TargetError> {
        let job = self.api.job(&migration.job).await?;
        let execution = self.api.execution(&migration.job, &migration.execution()).await?;
        let standing = migration::standing(migration, &job, execution.as_ref());
        Ok((job, standing))
    }

    /// The next step of a migration, if one is due; nothing when another writer was faster, who is seen with the next look.
    pub(super) async fn migrate(
        &self,
        service: &Value,
        revisions: &[Value],
        migration: &Migration,
        fence: Fence,
    ) -> Result<Option<Text>, TargetError> {
        if !migration::is_ours(service, fence)? {
            return Ok(None);
        }
        let (job, standing) = self.migration(migration).await?;
        let (written, said) = match standing {
            Standing::Running | Standing::Failed(_) => return Ok(None),
            Standing::Due => {
                let body = migration::start(&job, migration, &self.binding)?;
                let said =
                    text!("migration job {job} runs with {image}", job = &migration.job, image = &migration.image);
                (self.api.patch_job(&migration.job, &body).await?, said)
            }
            Standing::Succeeded => {
                let body = change::body(service, revisions, &self.binding, &migration.change(), fence)?;
                let name = self.binding.service.as_str();
                let said = text!("migration job {job} succeeded; a new revision follows", job = &migration.job);
                (self.api.patch(name, &body, change::FIELDS).await?, said)
            }
        };
        Ok((written == Written::Yes).then_some(said))
    }

    /// Tells before the act that a job runs, or that it could not.
    pub(super) async fn migration_finding(&self) -> Result<Option<Finding>, TargetError> {
        let Some(job) = self.binding.migration_job.as_ref().map(super::Name::as_str) else { return Ok(None) };
        let finding = |severity, code: &str, message| Finding { severity, code: code.to_owned(), message };
        match self.api.job(job).await {
            Ok(_) => {
                let message = text!("migration job {job} runs first, with the release's image", job);
                Ok(Some(finding(Severity::Info, "migration", message)))
            }
            Err(TargetError::Missing(_)) => {
                let message = text!("migration job {job} does not exist", job);
                Ok(Some(finding(Severity::Error, "missing_job", message)))
            }
            Err(error) => Err(error),
        }
    }
}
