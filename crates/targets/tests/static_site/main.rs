//! Static sites: the contract suite and what only they have, by both protocols, on the simulator and on real stores.
//!
//! `PASSERELLE_TEST_GCS` is the base URL of a Cloud Storage API that takes any token; `PASSERELLE_TEST_S3` that of an S3 store that knows
//! the key pair of Amazon's documentation (or the one in `PASSERELLE_TEST_S3_KEY` as `id:secret`).

#![expect(clippy::unwrap_used, reason = "tests")]

mod bucket;
mod cases;
#[path = "../contract/mod.rs"]
mod contract;

use bucket::Bucket;

async fn all(bucket: Option<Bucket>) {
    let Some(bucket) = bucket else { return };
    contract::run(&bucket).await;
    cases::run(&bucket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_on_the_simulator() {
    all(Some(Bucket::simulated("google").await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_on_the_simulator() {
    all(Some(Bucket::simulated("s3").await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google() {
    all(Bucket::from_env("google", "PASSERELLE_TEST_GCS").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3() {
    all(Bucket::from_env("s3", "PASSERELLE_TEST_S3").await).await;
}
