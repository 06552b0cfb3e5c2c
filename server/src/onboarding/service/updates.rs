//! A later version of a service's golden path: what it would change in the repository, and proposing that.

use super::super::{model, parcel, store};
use super::OnboardingService;
use super::create::object;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Result};
use passerelle_contract::adoption::RepositoryIn;
use passerelle_contract::delivery::{
    DeliveryInto, DeliveryPurpose, FileDeliveryIn, FileDeliveryOut, UpdateChange, UpdateIn, UpdateOut, UpdateOutcome,
};
use passerelle_contract::{FieldError, text};
use passerelle_forges::{Entry, Ground, TargetError};
use passerelle_templates::{Change, Ours, Outcome, RenderedFile, Template, touched, update};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use store::deliveries::{self, Kept, New};
use uuid::Uuid;

/// Everything that an update amounts to.
struct Proposal {
    row: store::Row,
    template: Arc<Template>,
    answers: Map<String, Value>,
    rendered: Vec<RenderedFile>,
    to: FileDeliveryIn,
    ground: Ground,
    changes: Vec<Change>,
}

impl OnboardingService {
    /// The later version of a golden path by its id, for those whose loaded version is later than the one given.
    pub(in crate::onboarding) fn versions(&self, ctx: &Ctx) -> Result<HashMap<String, String>> {
        let all = self.templates(ctx)?;
        Ok(all.iter().map(|template| (template.id().to_owned(), template.version().to_owned())).collect())
    }

    /// What the loaded version of the golden path would change in the repository as it is now. Changes nothing.
    ///
    /// # Errors
    /// `Invalid` at `/answers/NAME` or `/to/...`, `Forbidden`, `Conflict` when there is no later version, `Target` when the repository does not
    /// answer.
    pub async fn preview_update(&self, ctx: &Ctx, id: Uuid, wanted: &UpdateIn) -> Result<UpdateOut> {
        let row = self.readable(ctx, id).await?;
        let service = self.catalog.service_for(ctx, &row.service)?;
        self.db.authorize(ctx, Action::OnboardingDeliver, object(service.scope)).await?;
        let proposal = self.propose(ctx, row, wanted).await?;
        Ok(UpdateOut {
            onboarding: id,
            template: proposal.template.id().to_owned(),
            template_version: proposal.row.template_version().to_owned(),
            available: proposal.template.version().to_owned(),
            answers: proposal.answers,
            to: proposal.to,
            base: proposal.ground.base.unwrap_or_default(),
            changes: proposal.changes.iter().map(told).collect(),
        })
    }

    /// Proposes the update by the steps of a delivery. Once its people have taken it in, the service is of the later version.
    ///
    /// # Errors
    /// As [`Self::preview_update`], and `Conflict` while a delivery of the service is under way.
    pub async fn create_update(&self, ctx: &Ctx, id: Uuid, wanted: &UpdateIn) -> Result<FileDeliveryOut> {
        let row = self.readable(ctx, id).await?;
        let authorized = self.may_deliver(ctx, &row).await?;
        let made = match self.propose(ctx, row, wanted).await {
            Ok(made) => made,
            Err(error @ AppError::Conflict(_)) => return self.asked_before(ctx, id).await.map_err(|_| error),
            Err(error) => return Err(error),
        };
        self.may_reach(ctx, &made.row.service, &made.to).await.map_err(|error| below("/to", error))?;
        let delivery = Uuid::now_v7();
        let writes = made.changes.iter().any(Change::writes);
        // With nothing to write the later version is what is there already.
        let steps = if writes { parcel::steps(DeliveryPurpose::Update, &made.to) } else { Vec::new() };
        let new = New {
            id: delivery,
            onboarding_id: id,
            purpose: DeliveryPurpose::Update,
            template_version: made.template.version(),
            destination: &made.to,
            steps: &steps,
            created_by: &ctx.principal().name,
            request_id: &ctx.request_id,
        };
        let mut tx = self.db.write(ctx, authorized).await?;
        if !deliveries::insert(tx.conn(), &new).await? {
            drop(tx);
            return self.asked_before(ctx, id).await;
        }
        deliveries::set_answers(tx.conn(), delivery, &made.answers).await?;
        let (changed, left): (Vec<&Change>, Vec<&Change>) = made.changes.iter().partition(|change| change.writes());
        deliveries::keep(tx.conn(), delivery, Kept::Change, changed.into_iter().map(entry).collect()).await?;
        deliveries::keep(tx.conn(), delivery, Kept::Left, left.into_iter().map(entry).collect()).await?;
        let rendered = made.rendered.iter().map(|file| Entry {
            path: file.path.clone(),
            content: Some(file.content.clone()),
            executable: file.executable,
        });
        deliveries::keep(tx.conn(), delivery, Kept::Rendered, rendered.collect()).await?;
        if writes {
            // What was compared with is what is built on: somebody's commit of a moment later is merged by the forge, not overwritten by us.
            deliveries::begin_on(tx.conn(), delivery, &made.to, &made.ground).await?;
        }
        let told = json!({ "delivery": delivery, "update": made.template.version(), "destination": made.to });
        tx.commit(AuditEntry::success().before(json!({ "template_version": made.row.template_version() })).after(told))
            .await?;
        self.wake.notify_one();
        self.delivery(ctx, id, delivery).await
    }

    async fn propose(&self, ctx: &Ctx, row: store::Row, wanted: &UpdateIn) -> Result<Proposal> {
        let template = self.template(ctx, row.template()).map_err(|error| match error {
            AppError::NotFound(_) => {
                AppError::Conflict(text!("the golden path {template} is loaded no more", template = row.template()))
            }
            other => other,
        })?;
        if !model::is_later(template.version(), row.template_version()) {
            return Err(AppError::Conflict(text!(
                "there is no later version than {version}",
                version = row.template_version()
            )));
        }
        let (answers, rendered) = render(&template, &row, &wanted.answers).await?;
        let to = self.update_place(&row, wanted).await?;
        let (forge, repository) = self.open_place(&to).await.map_err(|error| below("/to", error))?;
        let ground = forge.head(&repository, to.base.as_deref()).await.map_err(|error| away("/to", error))?;
        let base = store::files(self.db.pool(), row.id, store::Which::Followed).await?;
        let apart = store::apart(self.db.pool(), row.id).await?;
        let theirs: Vec<RenderedFile> = rendered.iter().filter(|file| !apart.contains(&file.path)).cloned().collect();
        let commit = ground.base.clone().unwrap_or_default();
        let there =
            forge.files(&repository, &commit, &touched(&base, &theirs)).await.map_err(|error| away("/to", error))?;
        let ours: BTreeMap<String, Ours> = there
            .into_iter()
            .map(|(path, file)| (path, Ours { content: file.content, executable: file.executable }))
            .collect();
        // A fault of the merge ends its own thread, and nothing else.
        let merging = tokio::task::spawn_blocking(move || update(&base, &theirs, &ours)).await;
        let changes = merging.map_err(AppError::internal)?;
        Ok(Proposal { row, template, answers, rendered, to, ground, changes })
    }

    /// Where to: as asked for, or where the files went last.
    async fn update_place(&self, row: &store::Row, wanted: &UpdateIn) -> Result<FileDeliveryIn> {
        if let Some(to) = &wanted.to {
            if to.into == DeliveryInto::New {
                return Err(AppError::field(
                    "/to/into",
                    text!("must be existing: an update changes a repository that is there"),
                ));
            }
            return Ok(to.clone());
        }
        match self.last_place(row).await? {
            Some(to) => Ok(to),
            None => Err(AppError::field("/to", text!("must be given: the files were not delivered from here"))),
        }
    }

    /// Where the files of a service are, for a form that asks.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn place_of(&self, ctx: &Ctx, id: Uuid) -> Result<Option<FileDeliveryIn>> {
        let row = self.readable(ctx, id).await?;
        self.last_place(&row).await
    }

    /// By the last delivery that was not taken back; else where the service was adopted from.
    async fn last_place(&self, row: &store::Row) -> Result<Option<FileDeliveryIn>> {
        let rows = deliveries::of_onboarding(self.db.pool(), row.id).await?;
        let done = rows.into_iter().find(|row| !row.goes_back() && row.facts().committed.is_some());
        let delivered = done.map(|done| {
            let last = done.destination();
            let base = done.facts().ground.as_ref().map(|ground| ground.branch.clone());
            FileDeliveryIn { into: DeliveryInto::Existing, base, private: None, ..last.clone() }
        });
        let adopted = || row.adopted().and_then(|adopted| adopted.from.as_ref()).map(existing);
        Ok(delivered.or_else(adopted))
    }
}

/// A repository that is there, as a destination.
pub(super) fn existing(from: &RepositoryIn) -> FileDeliveryIn {
    FileDeliveryIn {
        connection: from.connection.clone(),
        repository: from.repository.clone(),
        into: DeliveryInto::Existing,
        base: from.base.clone(),
        private: None,
    }
}

/// The files of the later version: with the answers that it still asks for, and those that were given now.
async fn render(
    template: &Arc<Template>,
    row: &store::Row,
    given: &Map<String, Value>,
) -> Result<(Map<String, Value>, Vec<RenderedFile>)> {
    let mut answers: Map<String, Value> = row.answers().clone();
    answers.retain(|name, _| template.parameter(name).is_some());
    answers.extend(given.clone());
    let invalid = |errors: Vec<FieldError>| AppError::Invalid(errors.into_iter().map(model::below_answers).collect());
    let checked = template.answers(&answers).map_err(invalid)?;
    let (rendering, kept) = (Arc::clone(template), checked.given.clone());
    let rendered = tokio::task::spawn_blocking(move || rendering.render(&checked)).await;
    Ok((kept, rendered.map_err(AppError::internal)?.map_err(model::refused)?))
}

/// What is wrong with a place, told where the place was given.
pub(super) fn below(pointer: &str, error: AppError) -> AppError {
    match error {
        AppError::Invalid(errors) => AppError::Invalid(
            errors.into_iter().map(|one| FieldError::new(format!("{pointer}{}", one.pointer), one.message)).collect(),
        ),
        other => other,
    }
}

/// A repository that does not answer, or is not as it should be.
pub(super) fn away(pointer: &str, error: TargetError) -> AppError {
    match &error {
        TargetError::Unreachable(_) => AppError::Target(error.text()),
        _ => AppError::field(format!("{pointer}/repository"), error.text()),
    }
}

fn entry(change: &Change) -> Entry {
    Entry { path: change.path.clone(), content: change.content.clone(), executable: change.executable }
}

fn told(change: &Change) -> UpdateChange {
    let outcome = match change.outcome {
        Outcome::Added => UpdateOutcome::Added,
        Outcome::Updated => UpdateOutcome::Updated,
        Outcome::Merged => UpdateOutcome::Merged,
        Outcome::Conflict => UpdateOutcome::Conflict,
        Outcome::Removed => UpdateOutcome::Removed,
        Outcome::KeptChanged => UpdateOutcome::KeptChanged,
        Outcome::KeptDeleted => UpdateOutcome::KeptDeleted,
    };
    UpdateChange {
        path: change.path.clone(),
        outcome,
        needs_a_look: change.needs_a_look(),
        difference: change.difference(),
    }
}
