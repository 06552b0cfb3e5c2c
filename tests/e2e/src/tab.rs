//! A page and what a person does with it: look, click, type, press keys. It notes what the browser complains about.

use crate::{LIMIT, TICK};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::SetScriptExecutionDisabledParams;
use chromiumoxide::cdp::browser_protocol::input::InsertTextParams;
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntryLevel};
use chromiumoxide::cdp::browser_protocol::network::{
    EventLoadingFinished, EventRequestWillBeSent, SetCacheDisabledParams, SetCookieParams,
};
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
};
use futures::StreamExt as _;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a click on a link may stay without effect before it is tried again: a live page may replace what was under it.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct Notes {
    complaints: Vec<String>,
    requests: Vec<String>,
    /// Bytes on the wire.
    received: f64,
}

#[derive(Debug)]
pub struct Tab {
    page: Page,
    origin: String,
    notes: Arc<Mutex<Notes>>,
}

macro_rules! note {
    ($page:expr, $notes:expr, $event:ty, $take:expr) => {{
        let mut events = $page.event_listener::<$event>().await?;
        let notes = Arc::clone($notes);
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let take: fn(&$event, &mut Notes) = $take;
                take(&event, &mut notes.lock().unwrap_or_else(PoisonError::into_inner));
            }
        });
    }};
}

impl Tab {
    pub(crate) async fn new(page: Page, origin: &str) -> Result<Self> {
        let notes = Arc::new(Mutex::new(Notes::default()));
        page.enable_log().await?;
        note!(page, &notes, EventEntryAdded, |event, notes| {
            if event.entry.level == LogEntryLevel::Error {
                notes.complaints.push(format!(
                    "{} ({})",
                    event.entry.text,
                    event.entry.url.clone().unwrap_or_default()
                ));
            }
        });
        note!(page, &notes, EventConsoleApiCalled, |event, notes| {
            if event.r#type == ConsoleApiCalledType::Error {
                notes.complaints.push(format!("console: {:?}", event.args));
            }
        });
        note!(page, &notes, EventExceptionThrown, |event, notes| {
            notes.complaints.push(format!("exception: {:?}", event.exception_details));
        });
        note!(page, &notes, EventRequestWillBeSent, |event, notes| notes.requests.push(event.request.url.clone()));
        note!(page, &notes, EventLoadingFinished, |event, notes| notes.received += event.encoded_data_length);
        Ok(Self { page, origin: origin.to_owned(), notes })
    }

    /// # Errors
    /// When the browser does not answer.
    pub async fn without_scripts(&self) -> Result<()> {
        self.page.execute(SetScriptExecutionDisabledParams::new(true)).await?;
        Ok(())
    }

    /// # Errors
    /// When the browser does not answer.
    pub async fn without_cache(&self) -> Result<()> {
        self.page.execute(SetCacheDisabledParams::new(true)).await?;
        Ok(())
    }

    pub(crate) const fn page(&self) -> &Page {
        &self.page
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Carries a session in, as `name=value`, so that nothing has to be signed in first.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn cookie(&self, cookie: &str) -> Result<()> {
        let (name, value) = cookie.split_once('=').context("a cookie is name=value")?;
        let cookie = SetCookieParams::builder().name(name).value(value).url(&self.origin).build();
        self.page.execute(cookie.map_err(|error| anyhow!(error))?).await?;
        Ok(())
    }

    /// Runs a script in every page before the page's own.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn before_each_page(&self, script: &str) -> Result<()> {
        self.page.evaluate_on_new_document(script).await?;
        Ok(())
    }

    /// Loads a page of the portal.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn open(&self, path: &str) -> Result<()> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.origin) };
        tokio::time::timeout(LIMIT, self.page.goto(url)).await.with_context(|| format!("{path} did not load"))??;
        self.wait(&format!("{path} to load"), "document.readyState === 'complete'").await
    }

    /// The value of an expression in the page.
    ///
    /// # Errors
    /// When it throws, or the page is just going away.
    pub async fn value(&self, script: &str) -> Result<Value> {
        let parameters = EvaluateParams::builder().expression(script).return_by_value(true).await_promise(true).build();
        let answer = self.page.execute(parameters.map_err(|error| anyhow!(error))?).await?;
        if let Some(thrown) = &answer.result.exception_details {
            bail!("{script}: {:?}", thrown.exception);
        }
        Ok(answer.result.result.value.clone().unwrap_or_default())
    }

    /// Looks until the expression is true.
    ///
    /// # Errors
    /// After [`LIMIT`], with what the page shows.
    pub async fn wait(&self, what: &str, script: &str) -> Result<()> {
        if self.holds(script, LIMIT).await {
            return Ok(());
        }
        let shown = self.value("location.href + '\\n' + document.body.innerText.slice(0, 3000)").await?;
        bail!("waited for {what}; the page is {}", shown.as_str().unwrap_or_default());
    }

    async fn holds(&self, script: &str, limit: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < limit {
            // An error is a page that is just going away.
            if matches!(self.value(script).await, Ok(Value::Bool(true))) {
                return true;
            }
            tokio::time::sleep(TICK).await;
        }
        false
    }

    /// Waits until the page with this path has loaded.
    ///
    /// # Errors
    /// As [`Tab::wait`].
    pub async fn arrived(&self, path: &str) -> Result<()> {
        self.wait(path, &at(path)).await
    }

    /// Waits for words on the page.
    ///
    /// # Errors
    /// As [`Tab::wait`].
    pub async fn shows(&self, words: &str) -> Result<()> {
        self.wait(&format!("{words:?}"), &format!("document.body.innerText.includes({})", json!(words))).await
    }

    /// Clicks the first visible element with this selector and these words. By the document, not by the mouse: Chromium drops
    /// mouse events before a page's first paint.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn click(&self, selector: &str, words: &str) -> Result<()> {
        let click = format!(
            "(([selector, words]) => {{
                if (document.readyState !== 'complete') return false;
                const named = (e) => [e.getAttribute('aria-label'), e.innerText].some((text) => (text ?? '').includes(words));
                const e = [...document.querySelectorAll(selector)].find((e) => e.getClientRects().length && !e.disabled && named(e));
                e?.click();
                return Boolean(e);
            }})({})",
            json!([selector, words])
        );
        self.wait(&format!("{selector} {words:?}"), &click).await
    }

    /// Clicks a link until its page is there.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn follow(&self, selector: &str, words: &str, path: &str) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            self.click(selector, words).await?;
            if self.holds(&at(path), PATIENCE).await {
                return Ok(());
            }
        }
        self.arrived(path).await
    }

    /// Replaces what a field holds.
    ///
    /// # Errors
    /// When there is no such field in time.
    pub async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let focus = format!(
            "((e) => {{ if (!e || document.readyState !== 'complete') return false; e.focus(); e.select?.();
                return document.activeElement === e; }})(document.querySelector({}))",
            json!(selector)
        );
        self.wait(selector, &focus).await?;
        self.type_text(text).await
    }

    /// Types into what has the focus.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        self.page.execute(InsertTextParams::new(text)).await?;
        Ok(())
    }

    /// # Errors
    /// When there is no such key.
    pub async fn press(&self, key: &str) -> Result<()> {
        // The key goes to what has the focus, not to this element.
        self.page.find_element("html").await?.press_key(key).await?;
        Ok(())
    }

    /// Presses a key until the element with the focus fits.
    ///
    /// # Errors
    /// When it does not after many presses.
    pub async fn press_until(&self, key: &str, fits: &str) -> Result<()> {
        self.wait("the page", "document.readyState === 'complete'").await?;
        for _ in 0..250 {
            if self.value(&format!("Boolean(((e) => {{ {fits} }})(document.activeElement))")).await?
                == Value::Bool(true)
            {
                return Ok(());
            }
            self.press(key).await?;
        }
        bail!("{key} does not lead to {fits}")
    }

    /// What the console said since the last call.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner).complaints)
    }

    /// Ends the page, and with it what it still does.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn close(self) -> Result<()> {
        Ok(self.page.close().await?)
    }

    /// How many bytes came over the wire since the last call.
    #[must_use]
    pub fn received(&self) -> f64 {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner).received)
    }

    /// Nothing in the console, nothing from elsewhere.
    ///
    /// # Errors
    /// When there was.
    pub fn is_clean(&self) -> Result<()> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(notes.complaints.is_empty(), "the console says: {:#?}", notes.complaints);
        ensure!(!notes.requests.is_empty(), "no request was seen");
        let own =
            |url: &&String| url.starts_with(&self.origin) || ["data:", "blob:"].iter().any(|s| url.starts_with(s));
        let foreign = notes.requests.iter().filter(|url| !own(url)).collect::<Vec<_>>();
        ensure!(foreign.is_empty(), "requests to other hosts: {foreign:?}");
        Ok(())
    }
}

fn at(path: &str) -> String {
    format!("document.readyState === 'complete' && location.pathname.startsWith({})", json!(path))
}
