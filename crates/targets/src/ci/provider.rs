//! What a provider of pipelines can do for a binding. Two implement it: GitHub and GitLab.

use super::config::BindingConfig;
use super::model::{Attempt, Job, Ledger, Mark, Run};
use crate::TargetError;
use async_trait::async_trait;
use passerelle_contract::deployments::Finding;
use passerelle_contract::text;

/// A request to deploy.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub mark: Mark,
    pub image: String,
}

#[async_trait]
pub(super) trait Provider: Send + Sync {
    /// Says what answered.
    async fn check(&self) -> Result<String, TargetError>;

    /// The newest attempts, back to the last good one at least where that is among those looked at. The current one has its jobs.
    async fn ledger(&self, binding: &BindingConfig) -> Result<Ledger, TargetError>;

    /// Orders a run and gives its page when it is seen at once. With `claim`, an attempt whose order may have been lost is ordered again.
    ///
    /// # Errors
    /// [`TargetError::Fenced`] when a newer writer came between; nothing of ours goes on then.
    async fn order(
        &self,
        binding: &BindingConfig,
        order: &Order,
        claim: Option<&Attempt>,
    ) -> Result<Option<String>, TargetError>;

    /// Writes a later epoch beside an attempt.
    async fn raise(&self, binding: &BindingConfig, attempt: &Attempt, epoch: i64) -> Result<(), TargetError>;

    /// Asks a run to end. One that is over is left alone.
    async fn cancel(&self, binding: &BindingConfig, run: &Run) -> Result<(), TargetError>;

    /// Starts a manual job, where there is such a thing.
    async fn play(&self, _: &BindingConfig, _: &Job) -> Result<(), TargetError> {
        Err(TargetError::Refused(text!("there are no manual jobs here")))
    }

    /// The whole log of a job.
    async fn log(&self, binding: &BindingConfig, job: &Job) -> Result<String, TargetError>;

    /// What would go wrong.
    async fn findings(&self, binding: &BindingConfig) -> Result<Vec<Finding>, TargetError>;

    /// Writes beside the commit or the deployment how an attempt stands, when that is not written yet; says whether it wrote.
    async fn tell(&self, binding: &BindingConfig, attempt: &Attempt) -> Result<bool, TargetError>;
}
