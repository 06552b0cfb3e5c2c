//! How a page is looked at: theme, language, width; and what axe says of it.

use crate::Tab;
use anyhow::{Context as _, Result, ensure};
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams,
};
use chromiumoxide::cdp::browser_protocol::network::SetCookieParams;
use chromiumoxide::page::ScreenshotParams;
use serde_json::Value;
use std::path::Path;

/// The accessibility checker, as its makers publish it (MPL-2.0, `vendor/axe-core/LICENSE`).
const AXE: &str = include_str!("../vendor/axe-core/axe.min.js");

/// Everything axe knows to be wrong, WCAG and good practice, as one line a finding.
const FINDINGS: &str = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(
    (rule) => rule.nodes.slice(0, 4).map((node) => `${rule.id}: ${node.target} (${node.any.concat(node.all, node.none)
        .map((check) => check.message).join('; ').slice(0, 200)})`)))";

/// One way to see a page.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub locale: &'static str,
    /// `light` or `dark`
    pub theme: &'static str,
    /// Pixels
    pub width: i64,
}

impl std::fmt::Display for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", self.locale, self.theme, self.width)
    }
}

impl Look {
    /// Language by width, with the theme that leaves no theme, language or width unseen; `all` for every combination.
    #[must_use]
    pub fn some(all: bool) -> Vec<Self> {
        let every = ["en", "fr"].into_iter().flat_map(|locale| {
            ["light", "dark"].into_iter().flat_map(move |theme| [320, 1280].map(|width| Self { locale, theme, width }))
        });
        every
            .filter(|look| {
                all || (look.locale == "en") == (look.theme == "light") && (look.width == 1280) == (look.locale == "en")
            })
            .collect()
    }
}

impl Tab {
    /// From now on pages are seen this way.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn look(&self, look: Look) -> Result<()> {
        self.page().execute(SetDeviceMetricsOverrideParams::new(look.width, 900, 1.0, false)).await?;
        let theme = MediaFeature::new("prefers-color-scheme", look.theme);
        // Still pictures: a colour on its way to another has no contrast of its own.
        let still = MediaFeature::new("prefers-reduced-motion", "reduce");
        self.page().execute(SetEmulatedMediaParams::builder().features([theme, still]).build()).await?;
        let mut language = SetCookieParams::new("psl_locale", look.locale);
        language.url = Some(self.origin().to_owned());
        self.page().execute(language).await?;
        Ok(())
    }

    /// What axe finds wrong on the page, empty when nothing.
    ///
    /// # Errors
    /// When axe does not run.
    pub async fn axe(&self) -> Result<Vec<String>> {
        if self.value("typeof axe").await? == "undefined" {
            self.value(&format!("{AXE};0")).await?;
        }
        Ok(serde_json::from_value(self.value(FINDINGS).await?)?)
    }

    /// How many pixels the page is wider than the window.
    ///
    /// # Errors
    /// When the page is just going away.
    pub async fn too_wide(&self) -> Result<i64> {
        let over = self.value("Math.max(0, document.scrollingElement.scrollWidth - innerWidth)").await?;
        over.as_i64().context("no width")
    }

    /// The status that the page was answered with.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn status(&self) -> Result<i64> {
        let status = self.value("performance.getEntriesByType('navigation')[0].responseStatus").await?;
        status.as_i64().context("no status")
    }

    /// Writes the whole page as a PNG picture.
    ///
    /// # Errors
    /// When the browser or the file system refuses.
    pub async fn picture(&self, file: &Path) -> Result<()> {
        let whole = ScreenshotParams::builder().full_page(true).build();
        self.page().save_screenshot(whole, file).await?;
        Ok(())
    }

    /// Pages that the navigation leads to.
    ///
    /// # Errors
    /// When there is no navigation.
    pub async fn navigation(&self) -> Result<Vec<String>> {
        let listed = self.value("[...document.querySelectorAll('nav.side a.item')].map((a) => a.pathname)").await?;
        let paths: Vec<String> = serde_json::from_value(listed)?;
        ensure!(paths.len() > 5, "the navigation lists {paths:?}");
        Ok(paths)
    }

    /// The first link that begins with this path.
    ///
    /// # Errors
    /// When there is none.
    pub async fn link(&self, start: &str) -> Result<String> {
        let script = format!("document.querySelector(\"main a[href^='{start}']\")?.getAttribute('href') ?? null");
        let link: Value = self.value(&script).await?;
        link.as_str().map(str::to_owned).with_context(|| format!("no link to {start}…"))
    }
}
