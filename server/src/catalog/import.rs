//! An upload as entities, portal documents, and errors by place. Reads only; [`super::store`] writes.

use super::entity::{self, ParsedEntity};
use super::portal::{self, PortalDocuments};
use super::upload::{self, SourceFile, Upload};
use super::yaml::{self, Document, Limits};
use super::{cycles, relations::RelationKind};
use passerelle_contract::catalog::ImportError;
use passerelle_contract::{Text, text};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The most documents in one import.
pub const MAX_DOCUMENTS: usize = 200_000;
/// Errors beyond these are counted, not listed.
pub const MAX_ERRORS: usize = 500;

/// Where an entity's document stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// From 1, in its file.
    pub number: u32,
    pub line: u32,
}

impl Place {
    /// For example `catalog-info.yaml#3`.
    #[must_use]
    pub fn document(&self) -> String {
        format!("{}#{}", self.file, self.number)
    }

    fn error(&self, line: u32, pointer: &str, message: Text) -> ImportError {
        ImportError { document: self.document(), line, pointer: pointer.to_owned(), message }
    }
}

/// A checked entity with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub place: Place,
    pub entity: ParsedEntity,
}

/// What an upload holds.
#[derive(Debug, Default, PartialEq)]
pub struct Parsed {
    pub entities: Vec<Placed>,
    pub portal: PortalDocuments,
    /// The first [`MAX_ERRORS`] of them.
    pub errors: Vec<ImportError>,
    pub errors_total: u32,
    /// Noteworthy, but nothing was refused for it.
    pub warnings: Vec<ImportError>,
}

impl Parsed {
    /// Both ends of every relation of a hierarchy that the entities state.
    pub fn hierarchy_ends(&self) -> impl Iterator<Item = &str> {
        let relations = self.entities.iter().flat_map(|placed| &placed.entity.relations);
        let hierarchy = relations.filter(|relation| relation.kind.is_hierarchy());
        hierarchy.flat_map(|relation| [relation.source.as_str(), relation.target.as_str()])
    }

    fn refuse(&mut self, error: ImportError) {
        self.errors_total += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    fn warn(&mut self, warning: ImportError) {
        if self.warnings.len() < MAX_ERRORS {
            self.warnings.push(warning);
        }
    }
}

/// Reads every document; a broken one is an error and the others go in.
#[must_use]
pub fn parse(upload: &Upload) -> Parsed {
    let mut parsed = Parsed::default();
    let mut seen = Seen::new();
    let mut documents = 0;
    for file in upload.files() {
        for (index, chunk) in upload::split(&file.text).into_iter().enumerate() {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let place = Place { file: file.path.clone(), number, line: chunk.line };
            documents += 1;
            if documents > MAX_DOCUMENTS {
                parsed.refuse(place.error(
                    chunk.line,
                    "",
                    text!("an import holds at most {max} documents", max = MAX_DOCUMENTS),
                ));
                return parsed;
            }
            match yaml::parse(chunk.text, chunk.line, &Limits::default()) {
                Ok(Some(document)) => take(&mut parsed, &mut seen, place, &document, upload, file),
                Ok(None) => {}
                Err(error) => parsed.refuse(place.error(error.line, &error.pointer, error.message)),
            }
        }
    }
    refuse_repeated(&mut parsed, &seen);
    for error in parsed.portal.take_repeated() {
        parsed.refuse(error);
    }
    parsed
}

/// By folded reference: the documents that claim it, as index in [`Parsed::entities`] and line of the name.
type Seen = HashMap<String, Vec<(usize, u32)>>;

fn take(
    parsed: &mut Parsed,
    seen: &mut Seen,
    mut place: Place,
    document: &Document,
    upload: &Upload,
    file: &SourceFile,
) {
    place.line = document.line_of("");
    let value = &document.value;
    if value.is_null() {
        return;
    }
    if !value.is_object() {
        parsed.refuse(place.error(
            place.line,
            "",
            text!("a document must be a mapping with apiVersion, kind and metadata"),
        ));
        return;
    }
    if value.get("apiVersion").and_then(Value::as_str) == Some(portal::API_VERSION) {
        if let Err((pointer, message)) = parsed.portal.add(&place.document(), place.line, value) {
            parsed.refuse(place.error(document.line_of(&pointer), &pointer, message));
        }
        return;
    }
    if is_something_else(value, upload) {
        parsed.warn(place.error(
            place.line,
            "",
            text!("has neither apiVersion, kind nor metadata: not a catalog document, left out"),
        ));
        return;
    }
    match entity::parse(value) {
        Ok(entity) => {
            if entity.reference.kind == "location" {
                note_targets(parsed, &place, document, upload, file);
            }
            add(parsed, seen, Placed { place, entity }, document);
        }
        Err(faults) => {
            for (pointer, message) in faults {
                parsed.refuse(place.error(document.line_of(&pointer), &pointer, message));
            }
        }
    }
}

/// A folder holds other YAML too (pipelines, objectives, compose files); a single stream was meant for us.
fn is_something_else(value: &Value, upload: &Upload) -> bool {
    let ours = ["apiVersion", "kind", "metadata"].iter().any(|field| value.get(field).is_some());
    !ours && (upload.files().len() > 1 || value.get("service_level_objectives").is_some_and(Value::is_array))
}

fn add(parsed: &mut Parsed, seen: &mut Seen, placed: Placed, document: &Document) {
    let line = document.line_of("/metadata/name");
    seen.entry(placed.entity.reference.folded()).or_default().push((parsed.entities.len(), line));
    parsed.entities.push(placed);
}

/// Which of several documents of one name is meant cannot be known, so none of them goes in.
fn refuse_repeated(parsed: &mut Parsed, seen: &Seen) {
    let mut lines: HashMap<usize, u32> = HashMap::new();
    for claims in seen.values().filter(|claims| claims.len() > 1) {
        lines.extend(claims.iter().copied());
    }
    if lines.is_empty() {
        return;
    }
    let mut places: HashMap<String, Vec<Text>> = HashMap::new();
    for index in lines.keys() {
        let Some(placed) = parsed.entities.get(*index) else { continue };
        let place = text!("{document} line {line}", document = placed.place.document(), line = placed.place.line);
        places.entry(placed.entity.reference.folded()).or_default().push(place);
    }
    places.values_mut().for_each(|places| places.sort_by_cached_key(Text::to_string));
    for (index, placed) in std::mem::take(&mut parsed.entities).into_iter().enumerate() {
        let Some(line) = lines.get(&index) else {
            parsed.entities.push(placed);
            continue;
        };
        let all = places.get(&placed.entity.reference.folded()).cloned().unwrap_or_default();
        let reference = &placed.entity.reference;
        let message = text!(
            "{reference} is in this import more than once ({all}), so none of them goes in",
            reference = reference.to_string(),
            all
        );
        parsed.refuse(placed.place.error(*line, "/metadata/name", message));
    }
}

/// A Location's targets come in with the upload; those outside of it are not fetched, and said so.
fn note_targets(parsed: &mut Parsed, place: &Place, document: &Document, upload: &Upload, file: &SourceFile) {
    let spec = document.value.get("spec").unwrap_or(&Value::Null);
    let one = spec.get("target").map(|target| ("/spec/target".to_owned(), target));
    let many = spec.get("targets").and_then(Value::as_array).into_iter().flatten().enumerate();
    for (pointer, target) in one.into_iter().chain(many.map(|(i, target)| (format!("/spec/targets/{i}"), target))) {
        let line = document.line_of(&pointer);
        match target.as_str() {
            None => parsed.warn(place.error(line, &pointer, text!("is not text, so it leads nowhere"))),
            Some(target) if !is_part(upload, file, target) => {
                parsed.warn(place.error(
                    line,
                    &pointer,
                    text!("{target} is not part of this upload and was not fetched", target = format!("{target:?}")),
                ));
            }
            Some(_) => {}
        }
    }
}

fn is_part(upload: &Upload, file: &SourceFile, target: &str) -> bool {
    if target.contains("://") || target.starts_with('/') {
        return false;
    }
    let Some(path) = upload::resolve(&file.path, target) else { return false };
    match path.split_once('*') {
        Some((before, after)) => {
            let after = after.rsplit('*').next().unwrap_or_default();
            upload.files().iter().any(|file| file.path.starts_with(before) && file.path.ends_with(after))
        }
        None => upload.contains(&path),
    }
}

/// Refuses the entities that would close a cycle of parts or of children, together with what is in the catalog already.
///
/// `existing` gives, per hierarchy relation of the catalog that such a cycle could go through: the entity that states it (folded reference), kind,
/// source, target.
pub fn refuse_cycles<'a, I>(parsed: &mut Parsed, existing: I)
where
    I: Iterator<Item = (&'a str, RelationKind, &'a str, &'a str)> + Clone,
{
    // Taking out one cycle can leave another one through the same relation, so until none is found.
    loop {
        let refused = cyclic(&parsed.entities, existing.clone());
        if refused.is_empty() {
            return;
        }
        for (index, placed) in std::mem::take(&mut parsed.entities).into_iter().enumerate() {
            match refused.get(&index) {
                Some((pointer, message)) => {
                    parsed.refuse(placed.place.error(placed.place.line, pointer, message.clone()));
                }
                None => parsed.entities.push(placed),
            }
        }
    }
}

/// The entities that are part of a cycle, with the pointer and the sentence to refuse them by.
fn cyclic<'a, I>(entities: &[Placed], existing: I) -> HashMap<usize, (String, Text)>
where
    I: Iterator<Item = (&'a str, RelationKind, &'a str, &'a str)> + Clone,
{
    let replaced: HashSet<String> = entities.iter().map(|placed| placed.entity.reference.folded()).collect();
    let mut refused: HashMap<usize, (String, Text)> = HashMap::new();
    for kind in [RelationKind::PartOf, RelationKind::ChildOf] {
        let mut emitters: HashMap<(&str, &str), (usize, &str)> = HashMap::new();
        for (index, placed) in entities.iter().enumerate() {
            for relation in placed.entity.relations.iter().filter(|relation| relation.kind == kind) {
                emitters.insert((&relation.source, &relation.target), (index, &relation.pointer));
            }
        }
        let kept = existing.clone().filter(|(entity, of, ..)| *of == kind && !replaced.contains(*entity));
        let edges = emitters.keys().copied().chain(kept.map(|(_, _, source, target)| (source, target)));
        for cycle in cycles::find(edges) {
            let circle = format!("{} -> {}", cycle.join(" -> "), cycle[0]);
            for (at, source) in cycle.iter().enumerate() {
                let target = cycle[(at + 1) % cycle.len()];
                if let Some((index, pointer)) = emitters.get(&(*source, target)) {
                    let message =
                        text!("{kind} goes round in a circle: {circle}", kind = kind.as_str(), circle = &circle);
                    refused.entry(*index).or_insert_with(|| ((*pointer).to_owned(), message));
                }
            }
        }
    }
    refused
}
