//! Fetching a release's bundle of manifests. What is fetched is only used when it is what the release names by its digest.

use crate::archive::{self, Files, Limits};
use crate::guard::{Guard, Refusal};
use crate::outbound::{read_body_of, unreachable};
use crate::{TargetError, masking};
use passerelle_contract::deployments::ManifestBundle;
use passerelle_contract::text;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// Largest archive that is fetched, in bytes.
const MOST_PACKED: usize = 8 * 1024 * 1024;
const LIMITS: Limits = Limits { unpacked: 32 * 1024 * 1024, one: 4 * 1024 * 1024, files: 2_000 };
/// Time for the whole exchange.
const LIMIT: Duration = Duration::from_secs(20);

/// Fetches bundles; the last one is kept, because a plan, the look before the act and the act itself ask for the same.
#[derive(Clone, Default)]
pub(crate) struct Bundles {
    guard: Guard,
    last: Arc<Mutex<Option<Kept>>>,
}

/// A bundle that was fetched, by its digest.
struct Kept {
    sha256: String,
    files: Arc<Files>,
}

impl std::fmt::Debug for Bundles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bundles")
    }
}

impl Bundles {
    pub fn new(guard: Guard) -> Self {
        Self { guard, last: Arc::default() }
    }

    /// The files of a bundle.
    ///
    /// # Errors
    /// [`TargetError::Artifact`] for an address that leads nowhere allowed, or bytes that are not the bundle; [`TargetError::Unreachable`]
    /// when another try may help.
    pub async fn get(&self, bundle: &ManifestBundle) -> Result<Arc<Files>, TargetError> {
        let mut last = self.last.lock().await;
        if let Some(kept) = &*last
            && kept.sha256 == bundle.sha256
        {
            return Ok(Arc::clone(&kept.files));
        }
        let packed = self.fetch(bundle).await?;
        if !archive::is_pinned(&packed, &bundle.sha256) {
            let message =
                text!("the manifests at their address are not the ones of the release: their SHA-256 is another");
            return Err(TargetError::Artifact(message));
        }
        let unpacked = tokio::task::spawn_blocking(move || archive::unpack(&packed, LIMITS)).await;
        let unpacked = unpacked.unwrap_or_else(|_| Err(text!("the archive cannot be unpacked")));
        let files = unpacked.map_err(|why| TargetError::Artifact(text!("the manifests of the release: {why}", why)))?;
        let files = Arc::new(files);
        *last = Some(Kept { sha256: bundle.sha256.clone(), files: Arc::clone(&files) });
        Ok(files)
    }

    async fn fetch(&self, bundle: &ManifestBundle) -> Result<Vec<u8>, TargetError> {
        let url = Url::parse(&bundle.url)
            .map_err(|_| TargetError::Artifact(text!("the address of the manifests is no address")))?;
        let host = masking::shown(url.host_str().unwrap_or_default());
        let client = self.guard.client(&url, LIMIT).await.map_err(|refusal| match refusal {
            Refusal::Unknown(why) => TargetError::Unreachable(why),
            Refusal::Forbidden(why) => TargetError::Artifact(text!("the manifests are not fetched: {why}", why)),
        })?;
        let answer = client.get(url).send().await.map_err(|error| unreachable(host.clone(), &error))?;
        let status = answer.status().as_u16();
        match status {
            200 => read_body_of(answer, host, MOST_PACKED).await,
            429 | 500.. => Err(TargetError::Unreachable(text!("{name} answered {status}", name = host, status))),
            _ => Err(TargetError::Artifact(text!(
                "the manifests of the release are not at their address: {host} answered {status}",
                host,
                status
            ))),
        }
    }
}
