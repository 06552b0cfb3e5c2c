//! Static sites in a bucket: Google Cloud Storage, or anything that speaks the S3 protocol.
//!
//! A release is an archive, named like an image by its digest (`team/frontend:1.2.0@sha256:...`) and found in the bucket under that
//! digest. Invariants:
//! - `index.html` is the switch: the release's own page with one comment at its end, which says who deployed what. It is written last,
//!   in one conditional write; who wrote it, what runs and the fence are one object.
//! - Files whose names carry a hash are made once and never written over, so pages of two versions find theirs side by side.
//! - Everything else is kept below `releases/ID/` as well, so going back needs no archive.
//!
//! Why so, and what is not atomic: `docs/adr/0011-static-sites.md`.

pub(crate) mod address;
mod archive;
mod binding;
mod config;
mod entry;
mod gcs;
mod keep;
mod publish;
mod release;
mod s3;
mod store;
mod target;

pub use binding::BindingConfig;
pub use config::{Bucket, ConnectionConfig, Kind};

use crate::{Connection, Platform, Target, TargetError};
use async_trait::async_trait;
use std::sync::Arc;
use store::Store;
use target::Site;

/// The platform.
#[derive(Debug)]
pub struct StaticSite;

/// One bucket.
pub struct SiteConnection {
    store: Arc<dyn Store>,
}

impl std::fmt::Debug for SiteConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SiteConnection")
    }
}

#[async_trait]
impl Platform for StaticSite {
    const KIND: &'static str = "static_site";
    const RUNS_IMAGES: bool = false;
    const TITLE: &'static str = "Static site";
    type ConnectionConfig = ConnectionConfig;
    type BindingConfig = BindingConfig;
    type Connection = SiteConnection;

    async fn connect(config: ConnectionConfig) -> Result<SiteConnection, TargetError> {
        let store: Arc<dyn Store> = match config.store {
            Kind::Google => Arc::new(gcs::Gcs::new(config)?),
            Kind::S3 => Arc::new(s3::S3::new(config)?),
        };
        Ok(SiteConnection { store })
    }
}

#[async_trait]
impl Connection for SiteConnection {
    type Binding = BindingConfig;

    async fn check(&self) -> Result<String, TargetError> {
        self.store.check().await
    }

    fn bind(&self, binding: BindingConfig) -> Result<Arc<dyn Target>, TargetError> {
        if binding.single_page && !binding.prefix.as_str().is_empty() {
            return Err(TargetError::Config {
                pointer: "/config/prefix".to_owned(),
                message: passerelle_contract::text!(
                    "must be empty with single_page: the page for what is not found is set for the whole bucket"
                ),
            });
        }
        Ok(Arc::new(Site { store: Arc::clone(&self.store), binding: Arc::new(binding) }))
    }
}
