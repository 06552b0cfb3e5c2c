//! What runs already of a service that is adopted: found on its connection, and bound to the service.

use super::super::adoption::found::Candidates;
use super::OnboardingService;
use super::create::{done, missing, waits};
use super::updates::below;
use crate::environments::Runs;
use crate::kernel::{AppError, Ctx, Result};
use passerelle_contract::adoption::RunsIn;
use passerelle_contract::environments::BindingIn;
use passerelle_contract::onboarding::{OnboardingStep, StepOut};
use passerelle_contract::text;
use passerelle_templates::Template;

/// Something that runs, as it was asked for and found.
#[derive(Debug)]
pub struct SeenRunning {
    asked: RunsIn,
    /// Kind of the connection.
    kind: String,
    runs: Runs,
}

impl SeenRunning {
    /// The service that is bound to it.
    pub fn service(&self) -> Option<&str> {
        self.runs.service.as_deref()
    }

    pub fn tell(&self, candidates: &mut Candidates) {
        let found = &self.runs.found;
        let place = [self.asked.connection.as_str(), &found.group, &found.name];
        let told_by: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
        let told_by = told_by.join("/");
        candidates.offer("connection", self.asked.connection.clone(), &told_by);
        candidates.runs(found, &told_by);
    }

    /// # Errors
    /// `Invalid` at `/runs/name` when another service is bound to it.
    pub fn refuse_if_anothers(&self, service: &str) -> Result<()> {
        match self.service().filter(|owner| *owner != service) {
            Some(owner) => Err(AppError::field("/runs/name", text!("is bound to {owner} already", owner))),
            None => Ok(()),
        }
    }

    pub fn binding(&self, service: &str) -> BindingIn {
        BindingIn {
            service: service.to_owned(),
            environment: self.asked.environment.clone(),
            kind: self.kind.clone(),
            connection: self.asked.connection.clone(),
            config: self.runs.found.binding.clone(),
        }
    }
}

impl OnboardingService {
    /// # Errors
    /// `Invalid` at `/runs/...`, `Forbidden`, `Target` when the platform does not answer.
    pub(super) async fn look_at_running(
        &self,
        ctx: &Ctx,
        template: &Template,
        asked: Option<&RunsIn>,
    ) -> Result<Option<SeenRunning>> {
        let Some(asked) = asked else { return Ok(None) };
        let connection = match self.environments.get_connection(ctx, &asked.connection).await {
            Err(AppError::NotFound(_)) => None,
            other => Some(other?).filter(|connection| connection.kind == template.platform()),
        };
        let Some(connection) = connection else {
            let message = text!(
                "there is no connection {name} of the kind {kind}",
                name = asked.connection,
                kind = template.platform()
            );
            return Err(AppError::field("/runs/connection", message));
        };
        if self.environments.find_environment(&asked.environment).await?.is_none() {
            let message = text!("there is no environment {name}", name = asked.environment);
            return Err(AppError::field("/runs/environment", message));
        }
        let all = self.environments.running(ctx, &asked.connection, asked.group.as_deref()).await;
        let all = all.map_err(|error| below("/runs", error))?;
        let same = |runs: &Runs| {
            runs.found.name == asked.name && asked.group.as_ref().is_none_or(|group| runs.found.group == *group)
        };
        let mut named = all.into_iter().filter(same);
        match (named.next(), named.next()) {
            (Some(runs), None) => Ok(Some(SeenRunning { asked: asked.clone(), kind: connection.kind, runs })),
            (Some(_), Some(_)) => {
                Err(AppError::field("/runs/group", text!("is needed: {name} runs in several", name = asked.name)))
            }
            (None, _) => {
                Err(AppError::field("/runs/name", text!("nothing of the name {name} runs there", name = asked.name)))
            }
        }
    }

    /// Binds the service with the rights of whoever asks. One that it has in the environment stays as it is.
    pub(super) async fn bind_running(&self, ctx: &Ctx, binding: BindingIn) -> StepOut {
        let environment = binding.environment.clone();
        match self.environments.create_binding(ctx, binding).await {
            Ok(_) => done(OnboardingStep::Bindings, text!("what runs in {environment} is bound to it", environment)),
            Err(AppError::AlreadyExists(_)) => done(
                OnboardingStep::Bindings,
                text!("it has a binding in {environment}, which stays as it is", environment),
            ),
            Err(error) => waits(OnboardingStep::Bindings, missing(ctx, error)),
        }
    }
}
