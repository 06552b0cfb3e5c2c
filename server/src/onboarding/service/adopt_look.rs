//! Looking at the repository of a service that may be adopted.

use super::super::adoption::found::Candidates;
use super::super::adoption::{Seen, worth_reading};
use super::OnboardingService;
use super::adopt_running::SeenRunning;
use super::updates::{away, below, existing};
use crate::kernel::{AppError, Ctx, Result};
use passerelle_contract::adoption::RepositoryIn;
use passerelle_forges::{Forge, Ground, Present, Repository};
use passerelle_templates::{RenderedFile, Template};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// By which GitHub's repositories are named in the catalog.
const SLUG: &str = "github.com/project-slug";

/// A repository at one commit; nothing where none was named.
#[derive(Debug, Default)]
pub struct Looked {
    pub seen: Seen,
    place: Option<(Box<dyn Forge>, Repository, Ground)>,
}

impl Looked {
    pub fn ground(&self) -> Option<&Ground> {
        self.place.as_ref().map(|(_, _, ground)| ground)
    }

    /// That was looked at.
    pub fn commit(&self) -> Option<String> {
        self.ground().and_then(|ground| ground.base.clone())
    }

    /// What the repository has in the places of files.
    pub async fn in_places_of(&self, files: &[RenderedFile]) -> Result<BTreeMap<String, String>> {
        let Some((forge, repository, _)) = &self.place else { return Ok(BTreeMap::new()) };
        let (mut there, mut unread) = (BTreeMap::new(), Vec::new());
        for file in files.iter().filter(|file| self.seen.paths.contains(&file.path)) {
            match self.seen.texts.get(&file.path) {
                Some(text) => drop(there.insert(file.path.clone(), text.clone())),
                None => unread.push(file.path.clone()),
            }
        }
        if !unread.is_empty() {
            let commit = self.commit().unwrap_or_default();
            let read = forge.files(repository, &commit, &unread).await.map_err(|error| away("/from", error))?;
            there.extend(texts(read));
        }
        Ok(there)
    }
}

fn texts(files: BTreeMap<String, Present>) -> impl Iterator<Item = (String, String)> {
    files.into_iter().map(|(path, file)| (path, file.content))
}

impl OnboardingService {
    pub(super) async fn look(&self, from: Option<&RepositoryIn>) -> Result<Looked> {
        let Some(from) = from else { return Ok(Looked::default()) };
        let (forge, repository) = self.open_place(&existing(from)).await.map_err(|error| below("/from", error))?;
        let ground = forge.head(&repository, from.base.as_deref()).await.map_err(|error| away("/from", error))?;
        let commit = ground.base.clone().unwrap_or_default();
        let paths = forge.paths(&repository, &commit).await.map_err(|error| away("/from", error))?;
        let read = forge.files(&repository, &commit, &worth_reading(&paths)).await;
        let read = read.map_err(|error| away("/from", error))?;
        let seen = Seen { paths, texts: texts(read).collect() };
        Ok(Looked { seen, place: Some((forge, repository, ground)) })
    }

    /// What the catalog knows of the repository, and what the repository tells.
    pub(super) async fn candidates(
        &self,
        ctx: &Ctx,
        from: Option<&RepositoryIn>,
        looked: &Looked,
        runs: Option<&SeenRunning>,
    ) -> Result<Candidates> {
        let mut candidates = Candidates::default();
        if let Some(key) = runs.and_then(SeenRunning::service) {
            self.known(ctx, key, &mut candidates);
        }
        if let Some(from) = from {
            let known = self.catalog.services_annotated(SLUG, &from.repository).await?;
            // Of several services in one repository none is meant more than another.
            if let [(key, _)] = known.as_slice() {
                self.known(ctx, key, &mut candidates);
            }
        }
        // What runs was found right; a file may be of another day.
        if let Some(runs) = runs {
            runs.tell(&mut candidates);
        }
        if let Some(from) = from {
            candidates.read(&from.repository, &looked.seen);
        }
        Ok(candidates)
    }

    /// What the catalog has of a service, as far as the caller may read it.
    fn known(&self, ctx: &Ctx, key: &str, candidates: &mut Candidates) {
        let Ok(service) = self.catalog.service_for(ctx, key) else { return };
        let told_by = format!("service:{key}");
        candidates.offer("name", key.rsplit('/').next().unwrap_or_default(), &told_by);
        candidates.offer("owner", service.scope.team.map(|team| format!("group:{team}")), &told_by);
        candidates.offer("system", service.scope.system, &told_by);
    }
}

/// The files of a golden path as far as the answers go, its examples standing for the others: to tell which practices it has before all is answered.
pub async fn sample(template: &Arc<Template>, answers: &Map<String, Value>) -> Result<Vec<RenderedFile>> {
    let template = Arc::clone(template);
    let mut all = template.example();
    all.extend(
        answers
            .iter()
            .filter(|(name, value)| template.accepts(name, value))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let rendered = tokio::task::spawn_blocking(move || {
        let checked = template.answers(&all).or_else(|_| template.answers(&template.example())).ok()?;
        template.render(&checked).ok()
    });
    Ok(rendered.await.map_err(AppError::internal)?.unwrap_or_default())
}
