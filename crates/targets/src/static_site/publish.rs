//! Bringing a release into the bucket, and switching to it.

use super::archive::{self, Files, MOST_PACKED};
use super::entry::{self, Entry};
use super::release::{ENTRY, File, Manifest, Release, cache_of, is_hashed, type_of};
use super::store::{Content, Object, When, Written};
use super::target::Site;
use crate::{Change, Fence, TargetError, fencing};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use passerelle_contract::text;
use std::time::{SystemTime, UNIX_EPOCH};

/// Objects written at once.
const AT_ONCE: usize = 8;
/// Largest file read back, in bytes; an archive holds none larger.
const MOST_FILE: usize = 33 * 1024 * 1024;
const MOST_MANIFEST: usize = 4 * 1024 * 1024;

/// What the site is to be.
pub(super) enum Wanted {
    Release(Release, Manifest, Files),
    /// A page that was not deployed from here.
    Page(String),
}

impl Site {
    pub(super) async fn entry(&self) -> Result<Entry, TargetError> {
        Ok(Entry::of(self.store.get(None, &self.binding.at(ENTRY), entry::MOST).await?))
    }

    /// Finds what a change asks for, and brings it into the bucket beside what runs, where nobody sees it.
    ///
    /// # Errors
    /// [`TargetError::Artifact`] for an archive that is not there or not what it should be, [`TargetError::Refused`] for a change that
    /// a static site does not know.
    pub(super) async fn wanted(&self, change: &Change) -> Result<Wanted, TargetError> {
        let recorded = match change {
            Change::Image { image, .. } => return self.bring(Release::of(image)?).await,
            Change::Restore { recorded } | Change::RestoreVersion { recorded } => &recorded.0,
            Change::Restart => {
                return Err(TargetError::Refused(text!("a static site has no instances to start again")));
            }
            Change::Scale { .. } => {
                return Err(TargetError::Refused(text!("a static site has no number of instances")));
            }
        };
        match (recorded["image"].as_str(), recorded["page"].as_str()) {
            (Some(image), _) => self.bring(Release::of(image)?).await,
            (None, Some(page)) => Ok(Wanted::Page(page.to_owned())),
            (None, None) => {
                Err(TargetError::Refused(text!("there was no page before, so there is none to go back to")))
            }
        }
    }

    pub(super) async fn manifest(&self, id: &str) -> Result<Option<Manifest>, TargetError> {
        let found = self.store.get(None, &self.binding.manifest(id), MOST_MANIFEST).await?;
        Ok(found.and_then(|object| serde_json::from_slice(&object.bytes).ok()))
    }

    async fn bring(&self, release: Release) -> Result<Wanted, TargetError> {
        if let Some(manifest) = self.manifest(release.id()).await? {
            return Ok(Wanted::Release(release, manifest, Files::new()));
        }
        let archive = self.archive(&release).await?;
        if !crate::archive::is_pinned(&archive.bytes, &release.digest) {
            return Err(TargetError::Artifact(text!(
                "the archive of {image} is not the one of that digest",
                image = &release.image
            )));
        }
        let unpacked = tokio::task::spawn_blocking(move || archive::unpack(&archive.bytes)).await;
        let unpacked = unpacked.unwrap_or_else(|_| Err(text!("the archive cannot be unpacked")));
        let files =
            unpacked.map_err(|why| TargetError::Artifact(text!("{image}: {why}", image = &release.image, why)))?;
        let manifest = Manifest {
            image: release.image.clone(),
            created: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            files: files
                .iter()
                .map(|(path, bytes)| File {
                    path: path.clone(),
                    size: bytes.len(),
                    hashed: is_hashed(path, &self.binding.assets),
                })
                .collect(),
        };
        let each = manifest.files.iter().map(|file| self.put_aside(&release, file, &files[&file.path]).boxed());
        let each: Vec<BoxFuture<'_, _>> = each.collect();
        stream::iter(each).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        let bytes = serde_json::to_vec(&manifest).unwrap_or_default();
        let content = Content { bytes: &bytes, content_type: "application/json", cache: "no-cache" };
        // Another process may have been as fast with the very same.
        self.store.put(&self.binding.manifest(release.id()), content, &When::Absent).await?;
        Ok(Wanted::Release(release, manifest, files))
    }

    async fn archive(&self, release: &Release) -> Result<Object, TargetError> {
        let bucket = self.binding.archive_bucket.as_ref().map(super::Bucket::as_str);
        for name in self.binding.archive_names(&release.digest) {
            if let Some(found) = self.store.get(bucket, &name, MOST_PACKED).await? {
                return Ok(found);
            }
        }
        Err(self.no_archive(&release.image))
    }

    pub(super) fn no_archive(&self, image: &str) -> TargetError {
        TargetError::Artifact(text!(
            "there is no archive of {image}: expected {folder}DIGEST.tar.gz, .zip or .tar in the bucket",
            image,
            folder = self.binding.archives.as_str()
        ))
    }

    /// Puts one file where it changes nothing: a hashed one at its place, which no other content may ever have, others below `releases/`.
    async fn put_aside(&self, release: &Release, file: &File, bytes: &[u8]) -> Result<(), TargetError> {
        let name = if file.hashed { self.binding.at(&file.path) } else { self.binding.kept(release.id(), &file.path) };
        let content = Content { bytes, content_type: type_of(&file.path), cache: cache_of(file.hashed) };
        if self.store.put(&name, content, &When::Absent).await? == Written::Yes || !file.hashed {
            return Ok(());
        }
        let there = self.store.get(None, &name, MOST_FILE).await?;
        if there.is_some_and(|there| there.bytes == bytes) {
            return Ok(());
        }
        Err(TargetError::Artifact(text!(
            "{path} is in the bucket with other content: a name with a hash in it must change with the content",
            path = &file.path
        )))
    }

    /// Says in the bucket who is about to write. What an older writer has read before this it cannot write any more once we have written
    /// there, and what it reads after this comes with our claim.
    pub(super) async fn claim(&self, fence: Fence) -> Result<Written, TargetError> {
        let name = self.binding.claim();
        let found = self.store.get(None, &name, MOST_MANIFEST).await?;
        let claimed: Option<Fence> = found.as_ref().and_then(|found| serde_json::from_slice(&found.bytes).ok());
        fencing::check(claimed, fence)?;
        if claimed == Some(fence) {
            return Ok(Written::Yes);
        }
        let bytes = serde_json::to_vec(&fence).unwrap_or_default();
        let content = Content { bytes: &bytes, content_type: "application/json", cache: "no-cache" };
        self.store.put(&name, content, &found.map_or(When::Absent, |found| When::Is(found.version))).await
    }

    async fn still_claimed(&self, fence: Fence) -> Result<(), TargetError> {
        let found = self.store.get(None, &self.binding.claim(), MOST_MANIFEST).await?;
        let claimed: Option<Fence> = found.and_then(|found| serde_json::from_slice(&found.bytes).ok());
        fencing::check(claimed, fence)
    }

    /// Replaces the pages and files that each version has its own of, then the entry: the switch. Each write holds only while nobody else
    /// has written since the claim was looked at, and versions are read before that.
    pub(super) async fn switch(&self, wanted: &Wanted, change: &Change, fence: Fence) -> Result<Written, TargetError> {
        if self.claim(fence).await? == Written::Conflict {
            return Ok(Written::Conflict);
        }
        let (release, manifest, files) = match wanted {
            Wanted::Page(page) => {
                let seen = self.entry().await?;
                seen.turn(change, fence)?;
                self.still_claimed(fence).await?;
                return self.put_entry(&entry::marked(page.as_bytes(), None, change, fence), &seen).await;
            }
            Wanted::Release(release, manifest, files) => (release, manifest, files),
        };
        let replaced: Vec<String> = manifest.replaced().map(str::to_owned).collect();
        let each: Vec<BoxFuture<'_, _>> = replaced.into_iter().map(|path| self.condition(path).boxed()).collect();
        let versions: Vec<(String, When)> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
        let seen = self.entry().await?;
        seen.turn(change, fence)?;
        self.still_claimed(fence).await?;
        let each = versions.iter().map(|(path, when)| self.replace(release, files, path, when).boxed());
        let each: Vec<BoxFuture<'_, _>> = each.collect();
        let replaced: Vec<Written> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
        if replaced.contains(&Written::Conflict) {
            return Ok(Written::Conflict);
        }
        let page = self.file(release, files, ENTRY).await?;
        self.put_entry(&entry::marked(&page, Some(&release.image), change, fence), &seen).await
    }

    /// The condition under which a path is as it is now.
    async fn condition(&self, path: String) -> Result<(String, When), TargetError> {
        let found = self.store.version(None, &self.binding.at(&path)).await?;
        Ok((path, found.map_or(When::Absent, When::Is)))
    }

    async fn replace(&self, release: &Release, files: &Files, path: &str, when: &When) -> Result<Written, TargetError> {
        let bytes = self.file(release, files, path).await?;
        let content = Content { bytes: &bytes, content_type: type_of(path), cache: cache_of(false) };
        self.store.put(&self.binding.at(path), content, when).await
    }

    /// From memory, or from the bucket.
    async fn file(&self, release: &Release, files: &Files, path: &str) -> Result<Vec<u8>, TargetError> {
        if let Some(bytes) = files.get(path) {
            return Ok(bytes.clone());
        }
        let kept = self.store.get(None, &self.binding.kept(release.id(), path), MOST_FILE).await?;
        kept.map(|kept| kept.bytes).ok_or_else(|| {
            TargetError::Artifact(text!("{path} of release {id} is gone from the bucket", path, id = release.id()))
        })
    }

    pub(super) async fn put_entry(&self, bytes: &[u8], seen: &Entry) -> Result<Written, TargetError> {
        let content = Content { bytes, content_type: type_of(ENTRY), cache: cache_of(false) };
        self.store.put(&self.binding.at(ENTRY), content, &seen.unchanged()).await
    }
}
