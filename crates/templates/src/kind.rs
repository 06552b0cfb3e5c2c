//! What kind of file a path names, which decides how values stand in it.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Yaml,
    Json,
    Toml,
    /// Terraform.
    Hcl,
    Markdown,
    /// HTML, SVG, XML.
    Markup,
    /// A language whose quoted texts are written as JSON's are.
    Code,
    /// Everything else: shells, Dockerfiles, Makefiles, settings.
    Plain,
}

impl FileKind {
    /// By the end of the name.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.').map(|(_, end)| end) {
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            Some("toml") => Self::Toml,
            Some("tf" | "tfvars" | "hcl") => Self::Hcl,
            Some("md") => Self::Markdown,
            Some("html" | "htm" | "svg" | "xml") => Self::Markup,
            Some("py" | "rs" | "js" | "mjs" | "ts" | "go" | "java") => Self::Code,
            _ => Self::Plain,
        }
    }
}

/// Whether the tool that reads a file puts variables into its values: pipelines and compose files.
pub fn expands(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let yaml = FileKind::of(name) == FileKind::Yaml;
    let pipeline = path.split('/').any(|part| part == ".github" || part == ".gitlab") || name.starts_with(".gitlab-ci");
    yaml && (pipeline || name.contains("compose") || name.contains("stack"))
}
