//! Where files may be delivered to, and the forge that is there.

use super::OnboardingService;
use crate::kernel::{Action, AppError, Ctx, Object, Result};
use passerelle_contract::delivery::{DeliveryInto, DeliveryPlace, FileDeliveryIn};
use passerelle_contract::{FieldError, Text, text};
use passerelle_forges::{ConnectionConfig, Forge, GitFolder, Reference, Repository, TargetError, open};
use passerelle_targets::read_config;

/// The kind of connection that leads to GitHub and GitLab.
const KIND: &str = "ci";

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
