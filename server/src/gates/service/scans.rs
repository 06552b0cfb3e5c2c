//! Reports of scanners, for the capability that owns the releases.

use super::GateService;
use crate::gates::reports;
use crate::gates::store::{policies, scans as store};
use crate::kernel::{Result, WriteTx};
use passerelle_contract::gates::{Scan, ScanOut};
use sha2::{Digest, Sha256};
use uuid::Uuid;

impl GateService {
    /// Reads a report about the artifact of this image.
    ///
    /// # Errors
    /// `Invalid` with the place that is wrong, `TooLarge`.
    pub fn read_report(body: &[u8], image: &str) -> Result<Scan> {
        reports::read(body, image.split_once('@').map(|(_, digest)| digest))
    }

    /// Makes it the report of a release, in the caller's transaction.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn put_scan(tx: &mut WriteTx, release: Uuid, scan: &Scan, body: &[u8], by: &str) -> Result<()> {
        policies::exclude_decisions(tx.conn()).await?;
        store::put(tx.conn(), release, scan, &Sha256::digest(body).into(), by).await
    }

    /// The report of a release; the caller has checked who asks.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn scan_of(&self, release: Uuid) -> Result<Option<ScanOut>> {
        store::of_release(self.db.pool(), release).await
    }

    /// How many CRITICAL and HIGH ones the report of each release names; the caller has checked who asks.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn scan_counts(&self, releases: &[Uuid]) -> Result<Vec<(Uuid, i64, i64)>> {
        store::counts(self.db.pool(), releases).await
    }
}
