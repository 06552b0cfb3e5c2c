//! Folders of templates: those that the program brings along, and those of a folder of the operator's.

use crate::manifest::Manifest;
use crate::{Template, TemplateError, path, source};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Path and text of every file of the repository's templates.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
const SHARED: &str = "_shared/";
const MAX_FILES: usize = 5_000;
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Golden paths by name, and what is wrong with those that are not among them.
#[derive(Debug, Default, Clone)]
pub struct Library {
    templates: BTreeMap<String, Arc<Template>>,
    pub faults: Vec<TemplateError>,
}

impl Library {
    /// The templates that the program brings along.
    #[must_use]
    pub fn embedded() -> Self {
        Self::read(&EMBEDDED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    /// The templates of a folder.
    ///
    /// # Errors
    /// When the folder cannot be read, or is larger than a folder of templates is.
    pub fn folder(root: &Path) -> Result<Self, TemplateError> {
        let mut files = BTreeMap::new();
        walk(root, "", &mut files)?;
        Ok(Self::read(&files))
    }

    /// Both; of two templates with one name, the other library's.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.templates.extend(other.templates);
        self.faults.extend(other.faults);
        self
    }

    /// Templates by the path and the text of their files.
    #[must_use]
    pub fn read(files: &BTreeMap<String, String>) -> Self {
        let folders = files.keys().filter_map(|path| path.split_once('/')).map(|(folder, _)| folder);
        let folders: BTreeSet<&str> = folders.filter(|folder| !folder.starts_with('_')).collect();
        let mut library = Self::default();
        for folder in folders {
            match template(folder, files) {
                Ok(template) => drop(library.templates.insert(folder.to_owned(), Arc::new(template))),
                Err(fault) => library.faults.push(fault),
            }
        }
        library
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.templates.values()
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Template>> {
        self.templates.get(id)
    }
}

fn template(folder: &str, files: &BTreeMap<String, String>) -> Result<Template, TemplateError> {
    let description = format!("{folder}/template.yaml");
    let text = files.get(&description).ok_or_else(|| TemplateError::new(&description, 1, "does not exist"))?;
    if path::check(folder).is_err() {
        return Err(TemplateError::new(&description, 1, "its folder has a name that cannot be"));
    }
    let manifest = Manifest::read(&description, folder, text)?;
    let (mut read, mut slots) = (Vec::new(), Vec::new());
    let own = format!("{folder}/files/");
    for (origin, text) in under(files, &own) {
        read.push(source::read(&manifest, origin, &origin[own.len()..], text, None, &mut slots)?);
    }
    for (index, part) in manifest.parts.iter().enumerate() {
        let root = format!("{SHARED}{}/", part.from);
        let before = read.len();
        for (origin, text) in under(files, &root) {
            read.push(source::read(&manifest, origin, &origin[root.len()..], text, Some(index), &mut slots)?);
        }
        if read.len() == before {
            return Err(TemplateError::new(&description, 1, format!("the part {} has no files in {root}", part.from)));
        }
    }
    if let Some(rule) =
        manifest.rules.iter().find(|rule| !read.iter().any(|file| path::matches(&rule.path, &file.path)))
    {
        return Err(TemplateError::new(&description, 1, format!("no file matches {}", rule.path)));
    }
    if read.is_empty() {
        return Err(TemplateError::new(&description, 1, "has no files"));
    }
    Ok(Template { manifest, files: read, slots: Arc::new(slots) })
}

fn under<'f>(files: &'f BTreeMap<String, String>, root: &'f str) -> impl Iterator<Item = (&'f String, &'f String)> {
    files.range(root.to_owned()..).take_while(move |(path, _)| path.starts_with(root))
}

/// Reads regular files; links are not followed, so that nothing outside of the folder comes in.
fn walk(folder: &Path, relative: &str, files: &mut BTreeMap<String, String>) -> Result<(), TemplateError> {
    let fault = |path: &str, message: String| TemplateError::new(path, 1, message);
    let entries = fs::read_dir(folder).map_err(|error| fault(relative, format!("cannot be read: {error}")))?;
    for entry in entries {
        let entry = entry.map_err(|error| fault(relative, error.to_string()))?;
        let kind = entry.file_type().map_err(|error| fault(relative, error.to_string()))?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| fault(relative, "holds a name that is not UTF-8".to_owned()))?;
        let path = if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") };
        // The folder of a repository holds more than templates.
        if kind.is_dir() && name != ".git" {
            walk(&entry.path(), &path, files)?;
        } else if kind.is_file() {
            let size = entry.metadata().map(|metadata| metadata.len()).unwrap_or(u64::MAX);
            if size > MAX_FILE_BYTES || files.len() >= MAX_FILES {
                return Err(fault(
                    &path,
                    format!("a folder of templates has at most {MAX_FILES} files of {MAX_FILE_BYTES} bytes"),
                ));
            }
            let text =
                fs::read_to_string(entry.path()).map_err(|error| fault(&path, format!("cannot be read: {error}")))?;
            files.insert(path, text);
        }
    }
    Ok(())
}
