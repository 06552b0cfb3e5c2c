//! Every lie of the table, over HTTP: nobody is signed in, nobody is made, and a row of the audit says why.

use super::liar::Lie;
use super::providers::{Browser, Providers, refusals, sessions};
use reqwest::StatusCode;
use url::Url;

/// Fewer than the failures that one address may have.
const AT_ONCE: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_signs_anybody_in() {
    assert!(Lie::ALL.len() >= 35);
    for lies in Lie::ALL.chunks(AT_ONCE) {
        let providers = Providers::start(lies.len()).await;
        let test = providers.portal().await;
        let users = test.rows().await["users"];
        for (n, (lie, cause)) in lies.iter().enumerate() {
            providers.liars[n].tell(Some(*lie));
            let mut browser = Browser::new(&test);
            let left = browser.get(&format!("/auth/p{n}/sign-in")).await;
            assert_eq!(left.status == StatusCode::SEE_OTHER, !lie.at_the_start(), "{lie:?}: {}", left.status);
            let shown = match left.status {
                StatusCode::SEE_OTHER => {
                    let back = providers.liars[n].authorize(&Url::parse(left.location()).unwrap());
                    browser.get(&format!("/auth/p{n}/callback?{back}")).await
                }
                _ => left,
            };
            let refused = [StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE];
            assert!(refused.contains(&shown.status), "{lie:?}: {}", shown.status);
            assert!(shown.html.contains("alert bad"), "{lie:?} is told: {}", shown.html);
            // In words of ours; the provider's own are nowhere.
            for foreign in ["<script>alert", "broken", "server_error", "evil.example"] {
                assert!(!shown.html.contains(foreign), "{lie:?} is echoed");
            }
            assert!(browser.me().await.is_none(), "{lie:?} signed somebody in");
            let rows = refusals(&test).await;
            let row = rows.iter().find(|reason| reason.contains(&format!("at p{n},")));
            let row = row.unwrap_or_else(|| panic!("{lie:?} left no row: {rows:?}"));
            assert!(row.starts_with(*cause), "{lie:?} was refused for another reason: {row}");
        }
        assert_eq!((sessions(&test).await, test.rows().await["users"]), (0, users));
    }
}
