//! Looking at a service before it is made, making it, and finishing what had to wait.

use super::super::adoption::files::Part;
use super::super::{model, store};
use super::{Made, OnboardingService, taken};
use crate::catalog::{CatalogService, PortalDocuments};
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, Object, Result, ServiceScope};
use passerelle_contract::onboarding::{
    OnboardingIn, OnboardingOut, OnboardingStep, OnboardingStepState, PreviewIn, PreviewOut, StepOut,
};
use passerelle_contract::slo::SloImportOptions;
use passerelle_contract::{Text, text};
use passerelle_templates::{RenderedFile, Template};
use serde_json::{Map, Value, json};
use uuid::Uuid;

impl OnboardingService {
    /// Every file of a service as it would be made. Changes nothing.
    ///
    /// # Errors
    /// `Invalid` by answer, `Unauthenticated`.
    pub async fn preview(&self, ctx: &Ctx, wanted: &PreviewIn) -> Result<PreviewOut> {
        let made = self.make(ctx, &wanted.template, &wanted.answers).await?;
        let files: Vec<_> = made.files.iter().map(|file| model::told(file, true)).collect();
        Ok(PreviewOut {
            template: made.template.id().to_owned(),
            template_version: made.template.version().to_owned(),
            service: made.admission.scope().key.clone(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            files,
        })
    }

    /// Makes a service. The same request, sent again, answers what it made.
    ///
    /// # Errors
    /// `Invalid` by answer, `Forbidden`.
    pub async fn create(&self, ctx: &Ctx, wanted: &OnboardingIn) -> Result<OnboardingOut> {
        let made = match self.make(ctx, &wanted.template, &wanted.answers).await {
            Ok(made) => made,
            Err(error) => return self.made_before(ctx, error).await,
        };
        let authorized = self.may_create(ctx, &made.template, made.admission.scope()).await?;
        let id = Uuid::now_v7();
        let source = format!("onboarding:{id}");
        let mut tx = self.db.write(ctx, authorized).await?;
        let service = match self.catalog.admit_in(&mut tx, &made.admission, &source).await {
            Ok(service) => service,
            Err(AppError::AlreadyExists(_)) => {
                drop(tx);
                let error = taken(&made.template, &made.admission.scope().key);
                return self.made_before(ctx, error).await;
            }
            Err(error) => return Err(error),
        };
        let steps = waiting(&made);
        let row = store::New {
            id,
            service_id: service,
            service: &made.admission.scope().key,
            template: made.template.id(),
            template_version: made.template.version(),
            answers: &made.answers,
            delivery: wanted.delivery,
            adopted: None,
            steps: &steps,
            created_by: &ctx.principal().name,
            request_id: &ctx.request_id,
        };
        if !store::insert(tx.conn(), &row).await? {
            return Err(AppError::internal("a new service has a golden path already"));
        }
        let brought = |file| store::KeptFile { file, part: Part::Delivered, found: None };
        store::insert_files(tx.conn(), id, &made.files.iter().map(brought).collect::<Vec<_>>()).await?;
        store::delete_draft(tx.conn(), &ctx.principal().name, made.template.id()).await?;
        tx.commit(audit_entry(&made)).await?;
        self.catalog.refresh().await?;
        self.finish(ctx, id).await
    }

    /// Tries again what had to wait.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn retry(&self, ctx: &Ctx, id: Uuid) -> Result<OnboardingOut> {
        let made = self.get(ctx, id).await?;
        let service = self.catalog.service_for(ctx, &made.onboarding.service)?;
        self.db.authorize(ctx, Action::OnboardingCreate, object(service.scope)).await?;
        self.finish(ctx, id).await
    }

    /// Who may own a service may make it; a team or a system out of reach is told at the answer.
    pub(super) async fn may_create(&self, ctx: &Ctx, template: &Template, scope: &ServiceScope) -> Result<Authorized> {
        let answer = self.db.authorize(ctx, Action::OnboardingCreate, object(scope.clone())).await;
        answer.map_err(|error| match error {
            AppError::NotFound(_) => {
                let owner = template.parameters().iter().find(|one| one.widget == Some(super::Widget::Owner));
                let pointer = owner.map_or_else(String::new, |owner| format!("/answers/{}", owner.name));
                let team = scope.team.clone().unwrap_or_default();
                AppError::field(pointer, text!("your roles do not reach services of {team}", team))
            }
            other => other,
        })
    }

    /// What this very request made before, when it comes again; else the error.
    pub(super) async fn made_before(&self, ctx: &Ctx, error: AppError) -> Result<OnboardingOut> {
        match store::by_request(self.db.pool(), &ctx.request_id, &ctx.principal().name).await? {
            Some(id) => self.retry(ctx, id).await,
            None => Err(error),
        }
    }

    /// Does what stands beside the service itself, with the rights of whoever asks, and writes down what became of it.
    pub(super) async fn finish(&self, ctx: &Ctx, id: Uuid) -> Result<OnboardingOut> {
        let row = store::by_id(self.db.pool(), id).await?.ok_or_else(|| absent(id))?;
        let files = store::files(self.db.pool(), id, store::Which::Present).await?;
        let before = row.steps()?;
        let mut after = Vec::with_capacity(before.len());
        for step in &before {
            after.push(match (step.step, step.state) {
                (_, OnboardingStepState::Done) | (OnboardingStep::Catalog, _) => step.clone(),
                (OnboardingStep::Objectives, _) => self.objectives(ctx, &row.service, &files).await,
                (OnboardingStep::Bindings, _) => match row.adopted().and_then(|adopted| adopted.binding.clone()) {
                    Some(binding) => self.bind_running(ctx, binding).await,
                    None => self.bindings(ctx, &files).await?,
                },
            });
        }
        if after != before {
            let service = self.catalog.service_for(ctx, &row.service)?;
            let authorized = self.db.authorize(ctx, Action::OnboardingCreate, object(service.scope)).await?;
            let mut tx = self.db.write(ctx, authorized).await?;
            store::set_steps(tx.conn(), id, &after).await?;
            let told: Map<String, Value> =
                after.iter().map(|step| (step.step.as_str().to_owned(), json!(step.state))).collect();
            tx.commit(AuditEntry::success().after(json!({ "steps": told }))).await?;
        }
        self.get(ctx, id).await
    }

    async fn objectives(&self, ctx: &Ctx, service: &str, files: &[RenderedFile]) -> StepOut {
        let options = SloImportOptions { service: Some(service.to_owned()), ..SloImportOptions::default() };
        let mut count = 0;
        for file in model::objectives(files) {
            match self.slo.import_slos(ctx, &file.content, &options).await {
                Ok(report) => count += report.slos.len(),
                Err(error) => return waits(OnboardingStep::Objectives, missing(ctx, error)),
            }
        }
        done(OnboardingStep::Objectives, text!("{count} objectives are measured", count))
    }

    async fn bindings(&self, ctx: &Ctx, files: &[RenderedFile]) -> Result<StepOut> {
        let documents = CatalogService::portal_documents(&model::documents(files)?);
        let count = documents.len();
        let outcome = self.sink.apply(ctx, documents, false).await;
        Ok(if outcome.errors.is_empty() {
            done(OnboardingStep::Bindings, text!("{count} documents about where it runs were applied", count))
        } else {
            let all = outcome.errors.into_iter().map(|error| error.message);
            waits(OnboardingStep::Bindings, Text::List(distinct(all)))
        })
    }
}

pub(super) fn object(scope: ServiceScope) -> Object {
    Object::new("onboarding", scope.key.clone()).with_service(scope)
}

pub(super) fn absent(id: Uuid) -> AppError {
    AppError::not_found(format!("onboarding:{id}"))
}

/// The steps before any but the first is tried.
fn waiting(made: &Made) -> Vec<StepOut> {
    let mut steps = vec![done(OnboardingStep::Catalog, text!("the service and its files are kept"))];
    if !model::objectives(&made.files).is_empty() {
        steps.push(waits(OnboardingStep::Objectives, text!("not tried yet")));
    }
    if !PortalDocuments::is_empty(made.admission.portal()) {
        steps.push(waits(OnboardingStep::Bindings, text!("not tried yet")));
    }
    steps
}

pub(super) fn done(step: OnboardingStep, message: Text) -> StepOut {
    StepOut { step, state: OnboardingStepState::Done, message }
}

pub(super) fn waits(step: OnboardingStep, message: Text) -> StepOut {
    StepOut { step, state: OnboardingStepState::Waiting, message }
}

/// Why a step waits. What is our fault is in the log.
pub(super) fn missing(ctx: &Ctx, error: AppError) -> Text {
    match error {
        AppError::Invalid(errors) => Text::List(distinct(errors.into_iter().map(|error| error.message))),
        other => {
            if let AppError::Internal(source) | AppError::Unavailable(source) = &other {
                tracing::error!(request_id = %ctx.request_id, error = %source, "a step of an onboarding failed");
            }
            other.detail()
        }
    }
}

/// The same reason once, and not more of them than one reads.
fn distinct(all: impl Iterator<Item = Text>) -> Vec<Text> {
    let mut kept: Vec<Text> = Vec::new();
    for text in all {
        if kept.len() < 5 && !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

fn audit_entry(made: &Made) -> AuditEntry {
    let files: Vec<&str> = made.files.iter().map(|file| file.path.as_str()).collect();
    AuditEntry::success().after(json!({
        "template": made.template.id(),
        "template_version": made.template.version(),
        "answers": made.answers,
        "files": files,
    }))
}
