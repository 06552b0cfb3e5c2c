//! A later version of a golden path against what people made of the files since: three-way, file by file and line by line. Pure.
//!
//! The merge of lines is diffy's, as `git merge-file` does it: a change of one side is taken, the same change of both is taken once, and what both
//! changed differently stands between markers. Nothing that somebody wrote is dropped.

use crate::RenderedFile;
use diffy::{ConflictStyle, IncompleteHunkStyle, MergeOptions};
use std::collections::{BTreeMap, BTreeSet};

/// Lines of a repository's file that look like a conflict already would be mistaken for ours.
const MARKER: &str = "<<<<<<< ";

/// A file as the repository has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    pub content: String,
    pub executable: bool,
}

/// What becomes of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// New in the later version.
    Added,
    /// Nobody had changed it.
    Updated,
    /// Changes of both are in it.
    Merged,
    /// Both changed the same lines: they stand between markers.
    Conflict,
    /// The later version has it no more, and nobody had changed it.
    Removed,
    /// The later version has it no more, but somebody has changed it: it stays.
    KeptChanged,
    /// Somebody has deleted what the later version changes: it stays away.
    KeptDeleted,
}

/// One file of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub path: String,
    pub outcome: Outcome,
    /// As it is to be; none where it goes or stays as it is.
    pub content: Option<String>,
    pub executable: bool,
    /// What the repository has now, for showing the difference.
    pub before: Option<String>,
}

impl Change {
    /// Whether the repository gets something by it.
    #[must_use]
    pub const fn writes(&self) -> bool {
        !matches!(self.outcome, Outcome::KeptChanged | Outcome::KeptDeleted)
    }

    /// Whether somebody has to look.
    #[must_use]
    pub const fn needs_a_look(&self) -> bool {
        matches!(self.outcome, Outcome::Conflict | Outcome::KeptChanged | Outcome::KeptDeleted)
    }

    /// The difference to what the repository has, as `diff -u` tells it; empty where nothing is written.
    #[must_use]
    pub fn difference(&self) -> String {
        if !self.writes() {
            return String::new();
        }
        let (before, after) = (self.before.as_deref().unwrap_or_default(), self.content.as_deref().unwrap_or_default());
        let patch = diffy::create_patch(before, after).to_string();
        // The two lines with names say nothing here.
        patch.split_inclusive('\n').skip(2).collect()
    }
}

/// The files that the later version changes: those that have to be read from the repository.
#[must_use]
pub fn touched(base: &[RenderedFile], theirs: &[RenderedFile]) -> Vec<String> {
    let (base, theirs) = (by_path(base), by_path(theirs));
    let all: BTreeSet<&str> = base.keys().chain(theirs.keys()).copied().collect();
    let same = |path: &&str| match (base.get(path), theirs.get(path)) {
        (Some(before), Some(after)) => before.content != after.content || before.executable != after.executable,
        _ => true,
    };
    all.into_iter().filter(same).map(str::to_owned).collect()
}

/// What the later version makes of the repository's files.
#[must_use]
pub fn update(base: &[RenderedFile], theirs: &[RenderedFile], ours: &BTreeMap<String, Ours>) -> Vec<Change> {
    let paths = touched(base, theirs);
    let (base, theirs) = (by_path(base), by_path(theirs));
    paths
        .into_iter()
        .filter_map(|path| {
            let (before, after, now) = (base.get(path.as_str()), theirs.get(path.as_str()), ours.get(&path));
            one(path, before.copied(), after.copied(), now)
        })
        .collect()
}

fn by_path(files: &[RenderedFile]) -> BTreeMap<&str, &RenderedFile> {
    files.iter().map(|file| (file.path.as_str(), file)).collect()
}

fn one(
    path: String,
    base: Option<&RenderedFile>,
    theirs: Option<&RenderedFile>,
    ours: Option<&Ours>,
) -> Option<Change> {
    let change = |outcome, content: Option<String>, executable| {
        let before = ours.map(|ours| ours.content.clone());
        Some(Change { path, outcome, content, executable, before })
    };
    match (base, theirs, ours) {
        (_, None, None) => None,
        (Some(_), Some(theirs), None) => change(Outcome::KeptDeleted, None, theirs.executable),
        (None, Some(theirs), None) => change(Outcome::Added, Some(theirs.content.clone()), theirs.executable),
        (Some(base), None, Some(ours)) if base.content == ours.content => {
            change(Outcome::Removed, None, ours.executable)
        }
        (_, None, Some(ours)) => change(Outcome::KeptChanged, None, ours.executable),
        (base, Some(theirs), Some(ours)) => {
            let executable = if base.is_some_and(|base| base.executable == theirs.executable) {
                ours.executable
            } else {
                theirs.executable
            };
            if ours.content == theirs.content {
                let same = executable == ours.executable;
                return if same { None } else { change(Outcome::Updated, Some(ours.content.clone()), executable) };
            }
            let ancestor = base.map_or("", |base| base.content.as_str());
            if base.is_some_and(|base| base.content == ours.content) {
                return change(Outcome::Updated, Some(theirs.content.clone()), executable);
            }
            if base.is_some_and(|base| base.content == theirs.content) {
                return change(Outcome::Merged, Some(ours.content.clone()), executable);
            }
            match merged(ancestor, &ours.content, &theirs.content) {
                Ok(content) if content == ours.content && executable == ours.executable => None,
                Ok(content) => change(Outcome::Merged, Some(content), executable),
                Err(content) => change(Outcome::Conflict, Some(content), executable),
            }
        }
    }
}

/// One text of three, or the text with both sides between markers.
fn merged(base: &str, ours: &str, theirs: &str) -> Result<String, String> {
    let mut options = MergeOptions::new();
    options.set_conflict_style(ConflictStyle::Merge).set_incomplete_hunk_style(IncompleteHunkStyle::Git);
    if ours.lines().any(|line| line.starts_with(MARKER)) {
        // A conflict of an update before is not solved yet: longer markers tell the two apart.
        options.set_conflict_marker_length(11);
    }
    options.merge(base, ours, theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> RenderedFile {
        RenderedFile { path: path.to_owned(), content: content.to_owned(), executable: content.starts_with("#!") }
    }

    fn ours(files: &[(&str, &str)]) -> BTreeMap<String, Ours> {
        let one = |(path, content): &(&str, &str)| {
            ((*path).to_owned(), Ours { content: (*content).to_owned(), executable: content.starts_with("#!") })
        };
        files.iter().map(one).collect()
    }

    fn outcomes(
        base: &[(&str, &str)],
        theirs: &[(&str, &str)],
        now: &[(&str, &str)],
    ) -> Vec<(String, Outcome, Option<String>)> {
        let rendered = |files: &[(&str, &str)]| files.iter().map(|(path, text)| file(path, text)).collect::<Vec<_>>();
        let changes = update(&rendered(base), &rendered(theirs), &ours(now));
        changes.into_iter().map(|change| (change.path, change.outcome, change.content)).collect()
    }

    #[test]
    fn each_file_has_its_outcome() {
        let base = [
            ("a", "1\n2\n3\n"),
            ("b", "1\n"),
            ("c", "1\n2\n3\n4\n5\n"),
            ("d", "1\n"),
            ("e", "1\n"),
            ("f", "1\n"),
            ("g", "1\n"),
            ("same", "1\n"),
        ];
        let theirs = [
            ("a", "1\n2\n3\n4\n"),
            ("b", "2\n"),
            ("c", "1\n2\n3\n4\nfive\n"),
            ("d", "2\n"),
            ("g", "2\n"),
            ("new", "n\n"),
            ("here", "h\n"),
            ("same", "1\n"),
        ];
        let now = [
            ("a", "1\n2\n3\n"),
            ("b", "mine\n"),
            ("c", "one\n2\n3\n4\n5\n"),
            ("e", "1\n"),
            ("f", "mine\n"),
            ("g", "2\n"),
            ("here", "other\n"),
            ("same", "mine\n"),
        ];
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            outcomes(&base, &theirs, &now),
            [
                ("a".to_owned(), Outcome::Updated, text("1\n2\n3\n4\n")),
                ("b".to_owned(), Outcome::Conflict, text("<<<<<<< ours\nmine\n=======\n2\n>>>>>>> theirs\n")),
                ("c".to_owned(), Outcome::Merged, text("one\n2\n3\n4\nfive\n")),
                ("d".to_owned(), Outcome::KeptDeleted, None),
                ("e".to_owned(), Outcome::Removed, None),
                ("f".to_owned(), Outcome::KeptChanged, None),
                ("here".to_owned(), Outcome::Conflict, text("<<<<<<< ours\nother\n=======\nh\n>>>>>>> theirs\n")),
                ("new".to_owned(), Outcome::Added, text("n\n")),
            ]
        );
    }

    #[test]
    fn the_right_to_be_executed_follows_who_changed_it() {
        let (base, theirs) = ([file("run", "exec a\n")], [file("run", "#!/bin/sh\nexec a\n")]);
        let changed = update(&base, &theirs, &ours(&[("run", "exec a\n")]));
        assert!(changed[0].executable && changed[0].outcome == Outcome::Updated);
        let mut now = ours(&[("run", "#!/bin/sh\nexec a\n")]);
        now.get_mut("run").unwrap().executable = false;
        let changed = update(&base, &theirs, &now);
        assert!(changed.len() == 1 && changed[0].executable, "the same text, and the right that is new");
    }

    #[test]
    fn a_conflict_that_was_not_solved_is_told_from_a_new_one() {
        let conflicted = "<<<<<<< ours\nmine\n=======\n2\n>>>>>>> theirs\n";
        let again = outcomes(&[("b", "2\n")], &[("b", "3\n")], &[("b", conflicted)]);
        let (_, outcome, content) = &again[0];
        assert!(*outcome == Outcome::Conflict && content.as_ref().unwrap().contains("<<<<<<<<<<< ours"), "{content:?}");
    }

    #[test]
    fn a_difference_is_told_line_by_line() {
        let changes = update(&[file("a", "1\n2\n")], &[file("a", "1\n3\n")], &ours(&[("a", "1\n2\n")]));
        assert_eq!(changes[0].difference(), "@@ -1,2 +1,2 @@\n 1\n-2\n+3\n");
    }

    /// Small texts over few lines, many of them, against what git says of the same three.
    #[test]
    fn it_merges_as_git_does() {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (mut clean, mut conflicts) = (0, 0);
        for _ in 0..150 {
            let base: Vec<String> = (0..12).map(|line| format!("line {line}\n")).collect();
            let mut edited = || {
                let mut lines = base.clone();
                for _ in 0..=next(2) {
                    let at = usize::try_from(next(lines.len() as u64)).unwrap();
                    match next(3) {
                        0 => drop(lines.remove(at)),
                        1 => lines.insert(at, format!("new {}\n", next(3))),
                        _ => lines[at] = format!("changed {}\n", next(3)),
                    }
                }
                lines.concat()
            };
            let (base, ours, theirs) = (base.concat(), edited(), edited());
            let ours_path = write("ours", &ours);
            let (base_path, theirs_path) = (write("base", &base), write("theirs", &theirs));
            let git = std::process::Command::new("git")
                .args(["merge-file", "-p", "--quiet"])
                .args([&ours_path, &base_path, &theirs_path])
                .output()
                .unwrap();
            let said = String::from_utf8(git.stdout).unwrap();
            match merged(&base, &ours, &theirs) {
                Ok(text) => {
                    clean += 1;
                    // Where git sees a conflict of neighbours, both changes must be in ours all the same.
                    if git.status.success() {
                        assert_eq!(text, said, "base:\n{base}ours:\n{ours}theirs:\n{theirs}");
                    }
                    for line in ours.lines().chain(theirs.lines()).filter(|line| !base.contains(line)) {
                        assert!(text.contains(line), "{line} is lost of:\n{ours}and\n{theirs}in\n{text}");
                    }
                }
                Err(text) => {
                    conflicts += 1;
                    assert!(!git.status.success(), "git merges what is a conflict here:\n{text}");
                }
            }
        }
        assert!(clean > 30 && conflicts > 5, "{clean} {conflicts}");
    }
}
