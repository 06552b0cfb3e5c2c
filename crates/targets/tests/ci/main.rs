//! Pipelines of GitHub and GitLab: the contract suite, crashes between a claim and its order, manual jobs, cancelling and what is written
//! back, on the simulator; and every request to GitHub against a server that checks it by GitHub's own OpenAPI description.
//!
//! That server is tried when `PASSERELLE_TEST_GITHUB` is its base URL. It keeps nothing, so it shows that the requests are as described,
//! not what becomes of them. For GitLab there is no such server: its answers are played as its documentation shows them.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../contract/mod.rs"]
mod contract;
mod described;
mod forge;
mod github;
mod gitlab;

use forge::Forge;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_suite_on_github() {
    contract::run(&Forge::github().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_suite_on_gitlab() {
    contract::run(&Forge::gitlab().await).await;
}
