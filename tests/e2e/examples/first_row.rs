//! How long a browser with nothing in its cache takes until the first row of the list of services is painted. Used by
//! `cargo xtask bench`: `first_row ORIGIN COOKIE` prints one line, milliseconds (the median of several loads) and bytes received.

use anyhow::{Context as _, Result};
use passerelle_e2e::Chromium;

const LOADS: usize = 9;
/// Between two loads: what the tab before still had to do is done.
const REST: std::time::Duration = std::time::Duration::from_secs(1);
/// The frame after the row came into the document, as the page's own clock says it, which begins with the navigation.
const WATCH: &str = "new MutationObserver((_, observer) => {
    if (!document.querySelector('main tbody tr')) return;
    observer.disconnect();
    requestAnimationFrame(() => { window.firstRow = performance.now(); });
}).observe(document, { childList: true, subtree: true });";

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let origin = arguments.next().context("the first argument is the portal's address")?;
    let cookie = arguments.next().context("the second argument is a session, name=value")?;
    let chromium = Chromium::launch().await?;
    let (mut times, mut bytes) = (Vec::new(), 0.0);
    // The first load is the browser's own start and is not counted.
    for load in 0..=LOADS {
        // A profile of its own each time: nothing is in its cache.
        let tab = chromium.tab(&origin).await?;
        tab.cookie(&cookie).await?;
        tab.before_each_page(WATCH).await?;
        tab.open("/services").await?;
        tab.wait("the first row", "window.firstRow > 0").await?;
        let painted = "Math.max(window.firstRow, ...performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime))";
        let time = tab.value(painted).await?.as_f64().context("no time")?;
        if load > 0 {
            times.push(time);
        }
        bytes = tab.received();
        tab.close().await?;
        tokio::time::sleep(REST).await;
    }
    chromium.close().await?;
    times.sort_by(f64::total_cmp);
    println!("{:.0} {bytes:.0}", times[LOADS / 2]);
    Ok(())
}
