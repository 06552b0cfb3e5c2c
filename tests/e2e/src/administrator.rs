//! The person of all walks: the first administrator.

use crate::{Portal, Tab};
use anyhow::Result;

pub const USER: &str = "ada";
pub const PASSWORD: &str = "a long walk to the harbour";

impl Tab {
    /// Makes the first administrator by the link that the server printed; signed in from then on.
    ///
    /// # Errors
    /// When the page is not there, or not in English.
    pub async fn set_up(&self, portal: &Portal) -> Result<()> {
        self.open(&portal.set_up_link).await?;
        self.fill("#f-user", USER).await?;
        self.fill("#f-display_name", "Ada").await?;
        self.fill("#f-password", PASSWORD).await?;
        self.fill("#f-password_again", PASSWORD).await?;
        self.click("main form[method=post] button[type=submit]", "Make the administrator").await?;
        self.arrived("/").await?;
        self.wait("a session", "document.querySelector('nav.side') !== null").await
    }

    /// From the page of sign-in.
    ///
    /// # Errors
    /// When there is no form with a button of these words.
    pub async fn sign_in(&self, words: &str) -> Result<()> {
        self.fill("#f-user", USER).await?;
        self.fill("#f-password", PASSWORD).await?;
        self.click("main .panel button[type=submit]", words).await
    }
}
