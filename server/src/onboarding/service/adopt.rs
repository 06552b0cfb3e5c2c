//! A service that is there already comes under a golden path: its repository is looked at, what is found answers questions, each file of the golden path is
//! compared with what is there, and the ticked ones are delivered.

use super::super::adoption::files::{Part, compared, part_of};
use super::super::adoption::practices;
use super::super::{model, store};
use super::adopt_look::{Looked, sample};
use super::adopt_running::SeenRunning;
use super::create::{done, object, waits};
use super::updates::{below, existing};
use super::{OnboardingService, taken};
use crate::catalog::{Admission, ServiceRef};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result, ServiceScope, WriteTx};
use passerelle_contract::adoption::{AdoptedOut, AdoptionFile, AdoptionIn, AdoptionOut, FoundAnswer};
use passerelle_contract::onboarding::{Delivery, OnboardingOut, OnboardingStep, StepOut};
use passerelle_contract::{FieldError, text};
use passerelle_templates::{RenderedFile, Template};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// What is adopted.
enum Subject {
    /// The catalog learns of it now.
    New(Admission),
    Known(ServiceRef),
}

impl Subject {
    const fn scope(&self) -> &ServiceScope {
        match self {
            Self::New(admission) => admission.scope(),
            Self::Known(service) => &service.scope,
        }
    }
}

/// The golden path with all answers, against the repository.
struct Compared {
    answers: Map<String, Value>,
    rendered: Vec<RenderedFile>,
    /// What the repository has in the places of the files.
    there: BTreeMap<String, String>,
    files: Vec<AdoptionFile>,
    subject: Subject,
}

/// A look at a service that may be adopted.
struct Adopting {
    template: Arc<Template>,
    looked: Looked,
    runs: Option<SeenRunning>,
    answers: Map<String, Value>,
    found: Vec<FoundAnswer>,
}

impl OnboardingService {
    /// What adopting a service would do. Changes nothing. Answers that are missing are told in it, so that what was found is not lost.
    ///
    /// # Errors
    /// `Invalid` at `/template`, `/from/...` or `/files/N`, `Forbidden`, `Target` when the repository does not answer.
    pub async fn preview_adoption(&self, ctx: &Ctx, wanted: &AdoptionIn) -> Result<AdoptionOut> {
        let adopting = self.adopting(ctx, wanted).await?;
        let (compared, errors) = match self.compare(ctx, &adopting, wanted).await {
            Ok(compared) => (Some(compared), Vec::new()),
            Err(AppError::Invalid(errors)) if errors.iter().all(|one| one.pointer.starts_with("/answers/")) => {
                (None, errors)
            }
            Err(other) => return Err(other),
        };
        let Adopting { template, looked, answers, found, .. } = adopting;
        let rendered = match &compared {
            Some(compared) => compared.rendered.clone(),
            None => sample(&template, &answers).await?,
        };
        let mut practices = practices::judged(&looked.seen, &rendered);
        for practice in &mut practices {
            practice.message = practice.message.take().map(|message| message.into_said(ctx.locale));
        }
        let known = compared.as_ref().is_some_and(|compared| matches!(compared.subject, Subject::Known(_)));
        Ok(AdoptionOut {
            template: template.id().to_owned(),
            template_version: template.version().to_owned(),
            service: compared.as_ref().map(|compared| compared.subject.scope().key.clone()),
            known,
            base: looked.commit(),
            answers,
            found,
            errors: errors.into_iter().map(|error| error.into_said(ctx.locale)).collect(),
            practices,
            files: compared.map(|compared| compared.files).unwrap_or_default(),
        })
    }

    /// Adopts a service. The same request, sent again, answers what it made.
    ///
    /// # Errors
    /// As [`Self::preview_adoption`], and `Invalid` by answer.
    pub async fn adopt(&self, ctx: &Ctx, wanted: &AdoptionIn) -> Result<OnboardingOut> {
        let adopting = self.adopting(ctx, wanted).await?;
        if wanted.deliver && wanted.from.is_none() {
            return Err(AppError::field(
                "/from",
                text!("must be given: files are delivered to the repository that is there"),
            ));
        }
        let compared = match self.compare(ctx, &adopting, wanted).await {
            Ok(compared) => compared,
            Err(error) => return self.made_before(ctx, error).await,
        };
        let scope = compared.subject.scope().clone();
        let authorized = self.may_create(ctx, &adopting.template, &scope).await?;
        self.may_propose(ctx, &scope, wanted).await?;
        let id = Uuid::now_v7();
        let mut tx = self.db.write(ctx, authorized).await?;
        let service = match &compared.subject {
            Subject::Known(service) => Ok(service.id),
            Subject::New(admission) => self.catalog.admit_in(&mut tx, admission, &format!("onboarding:{id}")).await,
        };
        let written = match service {
            Ok(service) => write(&mut tx, ctx, (id, service), &adopting, &compared, wanted).await?,
            Err(AppError::AlreadyExists(_)) => false,
            Err(error) => return Err(error),
        };
        if !written {
            drop(tx);
            return self.made_before(ctx, taken(&adopting.template, &scope.key)).await;
        }
        let delivery = self.begin_delivery(&mut tx, ctx, id, &adopting, &compared, wanted).await?;
        tx.commit(audit_entry(&adopting, &compared, wanted, delivery)).await?;
        self.catalog.refresh().await?;
        self.wake.notify_one();
        self.finish(ctx, id).await
    }

    async fn may_propose(&self, ctx: &Ctx, scope: &ServiceScope, wanted: &AdoptionIn) -> Result<()> {
        let Some(from) = wanted.from.as_ref().filter(|_| wanted.deliver) else { return Ok(()) };
        drop(self.db.authorize(ctx, Action::OnboardingDeliver, object(scope.clone())).await?);
        self.may_reach(ctx, &scope.key, &existing(from)).await.map_err(|error| below("/from", error))
    }

    async fn adopting(&self, ctx: &Ctx, wanted: &AdoptionIn) -> Result<Adopting> {
        // Whoever may make services may see what is in a repository that the portal may propose to.
        let object = Object::new("template", wanted.template.clone());
        drop(self.db.authorize(ctx, Action::OnboardingDraft, object).await?);
        let template = self.chosen(ctx, &wanted.template)?;
        let looked = self.look(wanted.from.as_ref()).await?;
        let runs = self.look_at_running(ctx, &template, wanted.runs.as_ref()).await?;
        let candidates = self.candidates(ctx, wanted.from.as_ref(), &looked, runs.as_ref()).await?;
        let found = candidates.answers(&template, |name| wanted.answers.contains_key(name));
        let mut answers = wanted.answers.clone();
        answers.extend(found.iter().map(|one| (one.parameter.clone(), one.value.clone())));
        Ok(Adopting { template, looked, runs, answers, found })
    }

    async fn compare(&self, ctx: &Ctx, adopting: &Adopting, wanted: &AdoptionIn) -> Result<Compared> {
        let template = &adopting.template;
        let (answers, rendered) = self.drawn(template, &adopting.answers).await?;
        let ticked: Option<BTreeSet<&str>> =
            wanted.files.as_ref().map(|files| files.iter().map(String::as_str).collect());
        refuse_unknown_files(wanted.files.as_deref().unwrap_or_default(), &rendered)?;
        let described: Vec<RenderedFile> =
            rendered.iter().filter(|file| model::is_description(&file.path)).cloned().collect();
        let admission = self.catalog.read_new(model::documents(&described)?).await?;
        let subject = self.subject(ctx, template, admission).await?;
        if let Some(runs) = &adopting.runs {
            runs.refuse_if_anothers(&subject.scope().key)?;
        }
        let there = adopting.looked.in_places_of(&rendered).await?;
        let files = compared(&rendered, &there, ticked.as_ref());
        Ok(Compared { answers, rendered, there, files, subject })
    }

    async fn subject(&self, ctx: &Ctx, template: &Template, admission: Admission) -> Result<Subject> {
        let key = &admission.scope().key;
        let Some(found) = self.catalog.look_up_service(key).await? else { return Ok(Subject::New(admission)) };
        if self.catalog.service_for(ctx, key).is_err() || store::by_service(self.db.pool(), found.id).await?.is_some() {
            return Err(taken(template, key));
        }
        Ok(Subject::Known(found))
    }
}

/// Writes the tie and its files; says whether the service had none before.
async fn write(
    tx: &mut WriteTx,
    ctx: &Ctx,
    (id, service_id): (Uuid, Uuid),
    adopting: &Adopting,
    compared: &Compared,
    wanted: &AdoptionIn,
) -> Result<bool> {
    let row = store::New {
        id,
        service_id,
        service: &compared.subject.scope().key,
        template: adopting.template.id(),
        template_version: adopting.template.version(),
        answers: &compared.answers,
        delivery: Delivery::Archive,
        adopted: Some(&adopted(adopting, compared, wanted)),
        steps: &steps(adopting, compared),
        created_by: &ctx.principal().name,
        request_id: &ctx.request_id,
    };
    if !store::insert(tx.conn(), &row).await? {
        return Ok(false);
    }
    let kept = compared.rendered.iter().zip(&compared.files).map(|(file, found)| {
        let part = part_of(found);
        let instead =
            compared.there.get(&file.path).filter(|_| part == Part::Apart && model::is_objectives(&file.path));
        store::KeptFile { file, part, found: instead.map(String::as_str) }
    });
    store::insert_files(tx.conn(), id, &kept.collect::<Vec<_>>()).await?;
    Ok(true)
}

fn adopted(adopting: &Adopting, compared: &Compared, wanted: &AdoptionIn) -> AdoptedOut {
    AdoptedOut {
        from: wanted.from.clone(),
        base: adopting.looked.commit(),
        binding: adopting.runs.as_ref().map(|runs| runs.binding(&compared.subject.scope().key)),
    }
}

/// The steps before any but the first is tried.
fn steps(adopting: &Adopting, compared: &Compared) -> Vec<StepOut> {
    let kept = match compared.subject {
        Subject::New(_) => text!("the service and its files are kept"),
        Subject::Known(_) => text!("the catalog has it already; the tie to its golden path is kept"),
    };
    let mut steps = vec![done(OnboardingStep::Catalog, kept)];
    let present = |file: &AdoptionFile| file.chosen || compared.there.contains_key(&file.path);
    if compared.files.iter().any(|file| model::is_objectives(&file.path) && present(file)) {
        steps.push(waits(OnboardingStep::Objectives, text!("not tried yet")));
    }
    if adopting.runs.is_some() {
        steps.push(waits(OnboardingStep::Bindings, text!("not tried yet")));
    }
    steps
}

fn refuse_unknown_files(wanted: &[String], rendered: &[RenderedFile]) -> Result<()> {
    let unknown = |path: &String| !rendered.iter().any(|file| file.path == *path);
    let errors: Vec<FieldError> = wanted
        .iter()
        .enumerate()
        .filter(|(_, path)| unknown(path))
        .map(|(at, _)| {
            FieldError::new(format!("/files/{at}"), text!("is no file of this golden path with these answers"))
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

fn audit_entry(adopting: &Adopting, compared: &Compared, wanted: &AdoptionIn, delivery: Option<Uuid>) -> AuditEntry {
    let files: Vec<&str> = compared.files.iter().filter(|file| file.chosen).map(|file| file.path.as_str()).collect();
    AuditEntry::success().after(json!({
        "template": adopting.template.id(),
        "template_version": adopting.template.version(),
        "answers": compared.answers,
        "adopted": adopted(adopting, compared, wanted),
        "files": files,
        "delivery": delivery,
    }))
}

impl OnboardingService {
    /// Has the ticked files proposed on the commit that was looked at: what is pushed meanwhile is merged by the forge, not overwritten.
    async fn begin_delivery(
        &self,
        tx: &mut WriteTx,
        ctx: &Ctx,
        onboarding: Uuid,
        adopting: &Adopting,
        compared: &Compared,
        wanted: &AdoptionIn,
    ) -> Result<Option<Uuid>> {
        let (Some(from), Some(ground)) = (&wanted.from, adopting.looked.ground()) else { return Ok(None) };
        if !wanted.deliver || !compared.files.iter().any(|file| file.chosen) {
            return Ok(None);
        }
        self.begin_files(tx, ctx, onboarding, &adopting.template, &existing(from), ground).await.map(Some)
    }
}
