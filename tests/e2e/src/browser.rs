//! One headless Chromium, with a separate profile for each walk.

use crate::tab::Tab;
use anyhow::{Context as _, Result, anyhow};
use chromiumoxide::browser::{Browser, BrowserConfig};
use chromiumoxide::cdp::browser_protocol::target::{CreateBrowserContextParams, CreateTargetParams};
use futures::StreamExt as _;
use std::path::PathBuf;

#[derive(Debug)]
pub struct Chromium {
    browser: Browser,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// # Errors
    /// When there is no browser; says how to get one.
    pub async fn launch() -> Result<Self> {
        let program = std::env::var("PASSERELLE_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let profile = tempfile::tempdir()?;
        let config = BrowserConfig::builder()
            .chrome_executable(whole_path(&program))
            // The pages are our own, and in containers one is root and has no sandbox.
            .no_sandbox()
            .launch_timeout(crate::LIMIT)
            .request_timeout(crate::LIMIT)
            .window_size(1280, 900)
            .viewport(None)
            .user_data_dir(profile.path())
            .build()
            .map_err(|error| anyhow!(error))?;
        let (browser, mut handler) = Browser::launch(config).await.with_context(|| {
            format!(
                "cannot start {program:?}: `apt-get install chromium`, or set PASSERELLE_CHROMIUM to a browser's path"
            )
        })?;
        // Has to be read for the browser to go on, errors included.
        tokio::spawn(async move { while handler.next().await.is_some() {} });
        Ok(Self { browser, _profile: profile })
    }

    /// A page that shares no cookie and no cache with the others.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn tab(&self, origin: &str) -> Result<Tab> {
        let context = self.browser.create_browser_context(CreateBrowserContextParams::default()).await?;
        let target = CreateTargetParams::builder().url("about:blank").browser_context_id(context).build();
        let page = self.browser.new_page(target.map_err(|error| anyhow!(error))?).await?;
        Tab::new(page, origin).await
    }

    /// # Errors
    /// When the browser does not answer.
    pub async fn close(mut self) -> Result<()> {
        self.browser.close().await?;
        self.browser.wait().await?;
        Ok(())
    }
}

/// A program's name as the path where it is, which the launcher asks for; what is not found stays as it is.
fn whole_path(program: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .unwrap_or(program.into())
}
