//! The use cases: looking at golden paths, making a service, reading what was made, drafts.

mod adopt;
mod adopt_look;
mod adopt_running;
mod create;
mod deliveries;
mod draft;
mod places;
mod read;
mod updates;

use crate::catalog::{Admission, CatalogService, PortalDocumentSink};
use crate::config::Config;
use crate::environments::EnvironmentService;
use crate::kernel::{Action, AppError, Ctx, Db, Keys, Object, Result};
use crate::onboarding::model;
use crate::slo::SloService;
use arc_swap::ArcSwap;
use passerelle_contract::onboarding::{TemplateDetail, TemplateOut, TemplateStep};
use passerelle_contract::{FieldError, Text, text};
use passerelle_templates::{Library, Parameter, RenderedFile, Template, Widget};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};
use tokio::sync::Notify;

pub(super) use places::as_target;

/// Read once a process: they are part of the program.
static EMBEDDED: LazyLock<Arc<Library>> = LazyLock::new(|| {
    let library = Library::embedded();
    tell(&library);
    Arc::new(library)
});

/// Golden paths and what was made by them. Cheap to clone.
#[derive(Clone)]
pub struct OnboardingService {
    pub(super) db: Db,
    pub(super) keys: Keys,
    pub(super) catalog: Arc<CatalogService>,
    pub(super) slo: SloService,
    pub(super) environments: EnvironmentService,
    /// Applies documents about the portal itself.
    sink: Arc<dyn PortalDocumentSink>,
    /// The operator's templates beside those of the program; empty until the configuration is known.
    library: Arc<ArcSwap<Option<Library>>>,
    /// The folder of Git repositories, once the configuration is known; empty where there is none.
    repositories: Arc<OnceLock<String>>,
    /// A delivery was asked for.
    pub(super) wake: Arc<Notify>,
}

impl std::fmt::Debug for OnboardingService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnboardingService").finish_non_exhaustive()
    }
}

/// A service that could be made.
pub(super) struct Made {
    pub template: Arc<Template>,
    pub answers: Map<String, Value>,
    pub files: Vec<RenderedFile>,
    pub admission: Admission,
}

impl OnboardingService {
    #[must_use]
    pub fn new(
        db: Db,
        keys: Keys,
        catalog: Arc<CatalogService>,
        slo: SloService,
        environments: EnvironmentService,
        sink: Arc<dyn PortalDocumentSink>,
    ) -> Self {
        Self {
            db,
            keys,
            catalog,
            slo,
            environments,
            sink,
            library: Arc::default(),
            repositories: Arc::default(),
            wake: Arc::default(),
        }
    }

    /// The folder of Git repositories, where the operator has named one.
    fn repositories(&self) -> Option<PathBuf> {
        self.repositories.get().filter(|folder| !folder.is_empty()).map(PathBuf::from)
    }

    /// Adds the templates of the operator's folder. What is wrong with one of them is logged, and it is left out.
    pub fn configure(&self, config: &Config) {
        drop(self.repositories.set(config.onboarding.repositories.clone()));
        if config.onboarding.templates.is_empty() {
            return;
        }
        match Library::folder(Path::new(&config.onboarding.templates)) {
            Ok(library) => {
                tell(&library);
                self.library.store(Arc::new(Some(library)));
            }
            Err(fault) => tracing::error!(%fault, "the folder of templates could not be read"),
        }
    }

    /// All golden paths, by name.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn templates(&self, ctx: &Ctx) -> Result<Vec<Arc<Template>>> {
        ctx.permit(Action::TemplateRead, &Object::new("template", "*"))?;
        let loaded = self.library.load();
        let own: Option<&Library> = (**loaded).as_ref();
        let replaced = |id: &str| own.is_some_and(|own| own.get(id).is_some());
        let mut all: Vec<Arc<Template>> = EMBEDDED.all().filter(|template| !replaced(template.id())).cloned().collect();
        all.extend(own.into_iter().flat_map(Library::all).cloned());
        all.sort_by(|a, b| a.id().cmp(b.id()));
        Ok(all)
    }

    /// One golden path.
    ///
    /// # Errors
    /// `NotFound`, `Unauthenticated`.
    pub fn template(&self, ctx: &Ctx, id: &str) -> Result<Arc<Template>> {
        let all = self.templates(ctx)?;
        all.into_iter()
            .find(|template| template.id() == id)
            .ok_or_else(|| AppError::not_found(format!("template:{id}")))
    }

    /// As the API tells them.
    ///
    /// # Errors
    /// As [`Self::templates`].
    pub fn list_templates(&self, ctx: &Ctx) -> Result<Vec<TemplateOut>> {
        Ok(self.templates(ctx)?.iter().map(|template| out(ctx, template)).collect())
    }

    /// As the API tells one.
    ///
    /// # Errors
    /// As [`Self::template`].
    pub fn get_template(&self, ctx: &Ctx, id: &str) -> Result<TemplateDetail> {
        let template = self.template(ctx, id)?;
        let step = |step: &passerelle_templates::Step| TemplateStep {
            title: step.title.said(ctx.locale).to_owned(),
            parameters: step.parameters.clone(),
        };
        Ok(TemplateDetail {
            template: out(ctx, &template),
            notes: template.notes().said(ctx.locale).to_owned(),
            steps: template.steps().iter().map(step).collect(),
            schema: template.schema().clone(),
            example: template.example(),
        })
    }

    /// Everything that can be known before anything is made.
    pub(super) async fn make(&self, ctx: &Ctx, template: &str, answers: &Map<String, Value>) -> Result<Made> {
        let template = self.chosen(ctx, template)?;
        let (answers, files) = self.drawn(&template, answers).await?;
        let admission = self.catalog.read_new(model::documents(&files)?).await?;
        let key = &admission.scope().key;
        if self.catalog.look_up_service(key).await?.is_some() {
            return Err(taken(&template, key));
        }
        Ok(Made { template, answers, files, admission })
    }

    /// The golden path that somebody asks for.
    fn chosen(&self, ctx: &Ctx, template: &str) -> Result<Arc<Template>> {
        self.template(ctx, template).map_err(|error| match error {
            AppError::NotFound(_) => {
                AppError::field("/template", text!("there is no golden path {template}", template))
            }
            other => other,
        })
    }

    /// Checks answers and renders the files; answers those with what the golden path adds to them.
    async fn drawn(
        &self,
        template: &Arc<Template>,
        answers: &Map<String, Value>,
    ) -> Result<(Map<String, Value>, Vec<RenderedFile>)> {
        let invalid =
            |errors: Vec<FieldError>| AppError::Invalid(errors.into_iter().map(model::below_answers).collect());
        let answers = template.answers(answers).map_err(invalid)?;
        self.refuse_unknown(template, &answers.given)?;
        // A hundred files are too much work for a thread that answers others.
        let (rendering, given) = (Arc::clone(template), answers.given.clone());
        let rendered = tokio::task::spawn_blocking(move || rendering.render(&answers)).await;
        Ok((given, rendered.map_err(AppError::internal)?.map_err(model::refused)?))
    }

    /// What is wrong with answers that are not all given yet, by `/answers/NAME`: for a form that is filled in page by page.
    ///
    /// # Errors
    /// `NotFound` for a golden path that does not exist, or when the database is away.
    pub async fn check(&self, ctx: &Ctx, template: &str, answers: &Map<String, Value>) -> Result<Vec<FieldError>> {
        let template = self.template(ctx, template)?;
        let mut errors: Vec<FieldError> = match template.answers(answers) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.into_iter().map(model::below_answers).collect(),
        };
        let unknown = match self.refuse_unknown(&template, answers) {
            Err(AppError::Invalid(unknown)) => unknown,
            other => other.map(|()| Vec::new())?,
        };
        let unknown = unknown.into_iter().chain(self.taken_name(&template, answers));
        let new = |one: &FieldError| !errors.iter().any(|told| told.pointer == one.pointer);
        let unknown: Vec<FieldError> = unknown.filter(new).collect();
        errors.extend(unknown);
        // Once all is good the whole service can be looked at.
        if errors.is_empty()
            && let Err(AppError::Invalid(wrong)) = self.make(ctx, template.id(), answers).await
        {
            errors = wrong;
        }
        Ok(errors)
    }

    /// A name that a service has already, told before the rest of the form is filled in: a service stands in the namespace of its system.
    fn taken_name(&self, template: &Template, answers: &Map<String, Value>) -> Option<FieldError> {
        let of = |widget: Widget| template.parameters().iter().find(|parameter| parameter.widget == Some(widget));
        let given = |parameter: &Parameter| answers.get(&parameter.name).and_then(Value::as_str);
        let named = of(Widget::ServiceName)?;
        let namespace = of(Widget::System).and_then(given).and_then(|system| system.split_once('/'));
        let key = format!("{}/{}", namespace.map_or("default", |(namespace, _)| namespace), given(named)?);
        self.catalog.find_service(&key)?;
        Some(FieldError::new(format!("/answers/{}", named.name), there_already(&key)))
    }

    /// Owners and systems are those that the catalog knows: whom would one call otherwise?
    fn refuse_unknown(&self, template: &Template, answers: &Map<String, Value>) -> Result<()> {
        let mut errors = Vec::new();
        for parameter in template.parameters() {
            let kind = match parameter.widget {
                Some(Widget::Owner) => "group",
                Some(Widget::System) => "system",
                _ => continue,
            };
            let Some(given) = answers.get(&parameter.name).and_then(Value::as_str) else { continue };
            if !self.catalog.knows(&reference(kind, given)) {
                let message = match kind {
                    "group" => text!("the catalog knows no team {given}", given),
                    _ => text!("the catalog knows no system {given}", given),
                };
                errors.push(FieldError::new(format!("/answers/{}", parameter.name), message));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
    }
}

/// `kind:namespace/name` of what somebody wrote with or without the first two.
fn reference(kind: &str, given: &str) -> String {
    let (kind, rest) = given.split_once(':').unwrap_or((kind, given));
    if rest.contains('/') { format!("{kind}:{rest}") } else { format!("{kind}:default/{rest}") }
}

/// The name of the new service is somebody's already.
pub(super) fn taken(template: &Template, key: &str) -> AppError {
    let named = template.parameters().iter().find(|parameter| parameter.widget == Some(Widget::ServiceName));
    match named {
        Some(parameter) => AppError::field(format!("/answers/{}", parameter.name), there_already(key)),
        None => AppError::AlreadyExists(Text::verbatim(format!("service:{key}"))),
    }
}

fn there_already(key: &str) -> Text {
    text!("there is a service {key} already", key)
}

fn out(ctx: &Ctx, template: &Template) -> TemplateOut {
    TemplateOut {
        id: template.id().to_owned(),
        version: template.version().to_owned(),
        title: template.title().said(ctx.locale).to_owned(),
        description: template.description().said(ctx.locale).to_owned(),
        platform: template.platform().to_owned(),
    }
}

fn tell(library: &Library) {
    for fault in &library.faults {
        tracing::error!(%fault, "a golden path is left out");
    }
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn a_team_is_found_however_it_is_written() {
        for (given, wanted) in
            [("shop/core", "group:shop/core"), ("group:shop/core", "group:shop/core"), ("core", "group:default/core")]
        {
            assert_eq!(reference("group", given), wanted);
        }
    }
}
