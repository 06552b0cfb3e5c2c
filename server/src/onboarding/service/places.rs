//! Where files may be delivered to, and the forge that is there.

use super::OnboardingService;
use super::create::object;
use crate::catalog::LaidService;
use crate::kernel::{Action, AppError, Ctx, Object, Result};
use passerelle_contract::delivery::{DeliveryInto, DeliveryPlace, FileDeliveryIn};
use passerelle_contract::{FieldError, Text, text};
use passerelle_forges::{ConnectionConfig, Forge, GitFolder, Reference, Repository, TargetError, open};
use passerelle_targets::read_config;

/// The kind of connection that leads to GitHub and GitLab.
const KIND: &str = "ci";
/// By which the catalog lays services to repositories, as Backstage has it.
const GITHUB: &str = "github.com/project-slug";
const GITLAB: &str = "gitlab.com/project-slug";

impl OnboardingService {
    /// Where the caller may deliver files to; nothing for whoever may not read connections.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn places(&self, ctx: &Ctx) -> Result<Vec<DeliveryPlace>> {
        if ctx.permit(Action::ConnectionRead, &Object::new("connection", "*")).is_err() {
            return Ok(Vec::new());
        }
        let all = self.environments.list_connections(ctx).await?;
        let named = |place: &serde_json::Value| place.as_str().map(str::to_owned);
        let mut places: Vec<DeliveryPlace> = all
            .into_iter()
            .filter(|connection| connection.kind == KIND)
            .map(|connection| {
                let listed = connection.config["deliver_to"].as_array().into_iter().flatten();
                let deliver_to = listed.filter_map(named).collect();
                DeliveryPlace { connection: Some(connection.name), deliver_to }
            })
            .filter(|place| !place.deliver_to.is_empty())
            .collect();
        if self.repositories().is_some() {
            places.push(DeliveryPlace { connection: None, deliver_to: Vec::new() });
        }
        Ok(places)
    }

    /// The forge and the repository of a destination, as the connection is now.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub(in crate::onboarding) async fn open_place(&self, to: &FileDeliveryIn) -> Result<(Box<dyn Forge>, Repository)> {
        let mut errors = Vec::new();
        let repository = Repository::try_from(to.repository.clone());
        if let Err(why) = &repository {
            errors.push(FieldError::new("/repository", why.clone()));
        }
        if let Some(base) = &to.base {
            match Reference::try_from(base.clone()) {
                Err(why) => errors.push(FieldError::new("/base", why)),
                Ok(_) if to.into == DeliveryInto::New => {
                    errors.push(FieldError::new("/base", text!("is for an existing repository only")));
                }
                Ok(_) => {}
            }
        }
        if to.private.is_some() && to.into == DeliveryInto::Existing {
            errors.push(FieldError::new("/private", text!("is for a new repository only")));
        }
        let Ok(repository) = repository else { return Err(AppError::Invalid(errors)) };
        let forge = match &to.connection {
            Some(name) => self.remote(name, &repository).await,
            None => self.folder(),
        };
        match forge {
            Ok(forge) if errors.is_empty() && forge.takes(&repository) => Ok((forge, repository)),
            Ok(forge) => {
                if !forge.takes(&repository) {
                    errors.push(FieldError::new("/repository", text!("must be owner/name on GitHub")));
                }
                Err(AppError::Invalid(errors))
            }
            Err(AppError::Invalid(more)) => {
                errors.extend(more);
                Err(AppError::Invalid(errors))
            }
            Err(other) => Err(other),
        }
    }

    /// What one may deliver for `service` goes into no repository of another team: one that the catalog lays to other services wants the same
    /// right on these. A service that an import lays there is at home. What a service says of itself only by the answers that it was made
    /// with is what its maker typed: it asks for whoever was there before.
    ///
    /// # Errors
    /// `Invalid` at `/repository`, the same for services that the caller may not see; the attempt is in the audit.
    pub(super) async fn may_reach(&self, ctx: &Ctx, service: &str, to: &FileDeliveryIn) -> Result<()> {
        let laid = self.laid_to(to).await?;
        let own = laid.iter().find(|one| one.scope.key.eq_ignore_ascii_case(service));
        if own.is_some_and(|own| !own.answered) {
            return Ok(());
        }
        let before: Vec<&LaidService> = laid.iter().filter(|one| own.is_none_or(|own| one.id < own.id)).collect();
        for other in before {
            match self.db.authorize(ctx, Action::OnboardingDeliver, object(other.scope.clone())).await {
                Ok(_) => {}
                Err(AppError::Forbidden(_) | AppError::NotFound(_)) => {
                    let message = text!("belongs to a service that your roles do not let you deliver");
                    return Err(AppError::field("/repository", message));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The services that come out of a repository, as the catalog says. A folder of repositories has no annotation of its own, so either counts
    /// there.
    async fn laid_to(&self, to: &FileDeliveryIn) -> Result<Vec<LaidService>> {
        let annotations: &[&str] = match &to.connection {
            None => &[GITHUB, GITLAB],
            Some(name) => {
                let row = self.environments.connection_for(name).await?;
                let gitlab = row.is_some_and(|row| row.config["provider"] == "gitlab");
                if gitlab { &[GITLAB] } else { &[GITHUB] }
            }
        };
        let named = to.repository.to_lowercase();
        let name = named.strip_suffix(".git").unwrap_or(&named);
        self.catalog.services_laid_to(annotations, &[name.to_owned(), format!("{name}.git")]).await
    }

    async fn remote(&self, name: &str, repository: &Repository) -> Result<Box<dyn Forge>> {
        let wrong = |message: Text| AppError::field("/connection", message);
        let Some(row) = self.environments.connection_for(name).await?.filter(|row| row.kind == KIND) else {
            return Err(wrong(text!("there is no connection {name} of the kind {kind}", name, kind = KIND)));
        };
        let config: ConnectionConfig =
            read_config(self.environments.open_config(&row).await?).map_err(|error| wrong(error.text()))?;
        if !config.deliver_to.iter().any(|territory| territory.holds(repository)) {
            let known: Vec<Text> = config.deliver_to.iter().map(|one| Text::verbatim(one.as_str())).collect();
            let message = if known.is_empty() {
                text!("nothing is delivered by this connection: its deliver_to is empty")
            } else {
                text!("is not among what the connection delivers to: {known}", known = Text::List(known))
            };
            let pointer = if config.deliver_to.is_empty() { "/connection" } else { "/repository" };
            return Err(AppError::field(pointer, message));
        }
        open(config).map_err(|error| wrong(error.text()))
    }

    fn folder(&self) -> Result<Box<dyn Forge>> {
        match self.repositories() {
            Some(root) => Ok(Box::new(GitFolder::new(root))),
            None => Err(AppError::field(
                "/connection",
                text!("must be given: the setting {name} names no folder", name = "onboarding.repositories"),
            )),
        }
    }
}

/// What speaks against a destination, as a step tells it.
pub(in crate::onboarding) fn as_target(error: AppError) -> Result<TargetError> {
    match error {
        AppError::Invalid(errors) => {
            let all = errors
                .into_iter()
                .map(|error| text!("{message} ({pointer})", message = error.message, pointer = error.pointer));
            Ok(TargetError::Artifact(Text::List(all.collect())))
        }
        other => Err(other),
    }
}
