//! Cleaning up: the newest versions stay, and what they use.

use super::release::{MANIFEST, Manifest, Release};
use super::target::Site;
use crate::{Fence, TargetError};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What may be deleted. Pure, so that it can be tried.
#[derive(Debug, Default, PartialEq, Eq)]
struct Doomed {
    /// Ids of releases, with everything below them.
    releases: Vec<String>,
    /// Hashed files that only those used.
    files: Vec<String>,
}

/// Keeps the `keep` newest, and those that are needed whatever their age.
fn doomed(mut all: Vec<(String, Manifest)>, needed: &[&str], keep: usize) -> Doomed {
    all.sort_by_key(|(_, manifest)| Reverse(manifest.created));
    let (mut used, mut gone): (BTreeSet<String>, Vec<(String, Manifest)>) = (BTreeSet::new(), Vec::new());
    for (index, (id, manifest)) in all.into_iter().enumerate() {
        if index < keep || needed.contains(&id.as_str()) {
            used.extend(manifest.hashed().map(str::to_owned));
        } else {
            gone.push((id, manifest));
        }
    }
    let files: BTreeSet<String> = gone.iter().flat_map(|(_, gone)| gone.hashed()).map(str::to_owned).collect();
    Doomed { releases: gone.into_iter().map(|(id, _)| id).collect(), files: files.difference(&used).cloned().collect() }
}

impl Site {
    /// Deletes what the version before had and this one has not, and the oldest versions. It only tidies: what fails here is left for the next
    /// deployment.
    pub(super) async fn tidy(&self, before: Option<&str>, now: &Release, manifest: &Manifest, fence: Fence) {
        if let Err(error) = self.try_tidy(before, now, manifest, fence).await {
            tracing::warn!(%error, "old versions of a static site were not cleaned up");
        }
    }

    async fn try_tidy(
        &self,
        before: Option<&str>,
        now: &Release,
        manifest: &Manifest,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let previous = before.and_then(|image| Release::of(image).ok());
        if let Some(previous) = &previous
            && let Some(old) = self.manifest(previous.id()).await?
            && self.is_ours(fence).await?
        {
            let new: BTreeSet<&str> = manifest.replaced().collect();
            for path in old.replaced().filter(|path| !new.contains(path)) {
                self.store.delete(&self.binding.at(path)).await?;
            }
        }
        let folder = self.binding.releases();
        let names = self.store.list(&folder).await?;
        let ids = names.iter().filter_map(|name| name.strip_prefix(&folder)?.strip_suffix(MANIFEST)?.strip_suffix('/'));
        let mut all = Vec::new();
        for id in ids {
            if let Some(manifest) = self.manifest(id).await? {
                all.push((id.to_owned(), manifest));
            }
        }
        let mut needed = vec![now.id()];
        needed.extend(previous.as_ref().map(Release::id));
        let doomed = doomed(all, &needed, self.binding.keep.0);
        // Whoever has taken over meanwhile may be using what looks unused from here.
        if doomed.releases.is_empty() || !self.is_ours(fence).await? {
            return Ok(());
        }
        for path in &doomed.files {
            self.store.delete(&self.binding.at(path)).await?;
        }
        for id in &doomed.releases {
            let (inside, manifest) = (format!("{folder}{id}/files/"), self.binding.manifest(id));
            for name in names.iter().filter(|name| name.starts_with(&inside)) {
                self.store.delete(name).await?;
            }
            // Last, so that a crash leaves it to be found again.
            self.store.delete(&manifest).await?;
        }
        Ok(())
    }

    async fn is_ours(&self, fence: Fence) -> Result<bool, TargetError> {
        Ok(self.entry().await?.fence() == Some(fence))
    }
}

#[cfg(test)]
mod tests {
    use super::super::release::File;
    use super::*;

    fn manifest(created: u64, files: &[&str]) -> Manifest {
        let file = |path: &&str| File { path: (*path).to_owned(), size: 1, hashed: path.starts_with("assets/") };
        Manifest { image: String::new(), created, files: files.iter().map(file).collect() }
    }

    #[test]
    fn what_a_kept_version_uses_stays() {
        let all = vec![
            ("a".to_owned(), manifest(1, &["index.html", "assets/a", "assets/shared"])),
            ("b".to_owned(), manifest(2, &["assets/b", "assets/only-b"])),
            ("c".to_owned(), manifest(3, &["assets/c", "assets/shared"])),
            ("d".to_owned(), manifest(4, &["assets/b"])),
        ];
        let gone = doomed(all.clone(), &["d"], 2);
        assert_eq!(gone.releases, ["b", "a"]);
        assert_eq!(gone.files, ["assets/a", "assets/only-b"]);
        assert_eq!(doomed(all.clone(), &["a"], 2).releases, ["b"], "what runs stays, however old");
        assert_eq!(doomed(all, &[], 4), Doomed::default());
    }
}
