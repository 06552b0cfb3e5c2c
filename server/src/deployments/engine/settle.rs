//! After the new version is healthy: what only the version before needed goes.

use super::run::Run;
use crate::kernel::Result;
use passerelle_contract::text;
use passerelle_targets::Target;

impl Run<'_> {
    /// Before the end is written, so that who takes over does it too. What stays is no failure: the next deployment finds it again.
    pub(super) async fn settle(&self, target: &dyn Target) -> Result<()> {
        if !target.settles() {
            return Ok(());
        }
        self.intent("settle").await?;
        match self.patiently(|| target.settle(self.claim.fence())).await? {
            Ok(Some(said)) => self.note(&said).await,
            Ok(None) => Ok(()),
            Err(error) => {
                let why = error.text();
                self.note(&text!("What the version before has left stays for now: {why}", why)).await
            }
        }
    }
}
