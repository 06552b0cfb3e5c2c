//! Files as a tree of folders, each file with its content where there is one.

use crate::i18n::T;
use leptos::prelude::*;
use passerelle_contract::onboarding::FileOut;

/// The files below one folder; `depth` is how many parts of their paths it has.
fn folder(t: T, files: &[&FileOut], depth: usize) -> AnyView {
    let mut items = Vec::new();
    let mut rest = files;
    while let Some((first, _)) = rest.split_first() {
        match part(&first.path, depth) {
            (name, true) => {
                let count = rest.iter().take_while(|file| part(&file.path, depth) == (name, true)).count();
                let (inside, others) = rest.split_at(count);
                let inner = folder(t, inside, depth + 1);
                items.push(view! { <li><span class="mono">{format!("{name}/")}</span> {inner}</li> }.into_any());
                rest = others;
            }
            (name, false) => {
                items.push(view! { <li>{file(t, name, first)}</li> }.into_any());
                rest = &rest[1..];
            }
        }
    }
    view! { <ul class="tree">{items}</ul> }.into_any()
}

/// A part of a path, and whether it is a folder.
fn part(path: &str, depth: usize) -> (&str, bool) {
    let mut parts = path.split('/').skip(depth);
    (parts.next().unwrap_or_default(), parts.next().is_some())
}

fn file(t: T, name: &str, file: &FileOut) -> AnyView {
    let size = t.onboard_size(t.number(file.bytes.div_ceil(1000)));
    let executable = file.executable.then(|| view! { <span class="muted">" · " {t.onboard_executable()}</span> });
    let head = view! { <span class="mono break">{name.to_owned()}</span> <span class="muted nowrap">" · " {size}</span> {executable} };
    match &file.content {
        None => head.into_any(),
        Some(content) => {
            let label = file.path.clone();
            view! {
                <details class="disclose">
                    <summary>{head}</summary>
                    <pre class="log" tabindex="0" role="region" aria-label=label>{content.clone()}</pre>
                </details>
            }
            .into_any()
        }
    }
}

/// The whole tree. Files of one folder stand together because they come in the order of their paths.
pub fn tree(t: T, files: &[FileOut]) -> AnyView {
    let mut files: Vec<&FileOut> = files.iter().collect();
    files.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    folder(t, &files, 0)
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_path_is_taken_apart_by_its_folders() {
        assert_eq!(part("a/b/c", 0), ("a", true));
        assert_eq!(part("a/b/c", 2), ("c", false));
        assert_eq!(part("README.md", 0), ("README.md", false));
    }
}
