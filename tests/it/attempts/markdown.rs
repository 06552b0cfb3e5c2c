//! Attempt 7: what comes with a release is Markdown, and whoever builds it writes what he likes. What the renderer makes of each text by itself is
//! in `server/src/kernel/markdown.rs`.

use crate::support::TestPortal;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn notes_of_a_release_are_markdown_and_no_script() {
    let test = TestPortal::with_shop().await;
    let notes = "## What is new\n\n- a **door** <script>alert(1)</script>\n- [log](https://ci.test/7), [x](javascript&colon;alert(1))\n\n\
        <svg onload=alert(2)><a href=\"javascript:alert(3)\">a</a></svg>\n\n![p](https://evil.test/p.png)\n\n";
    let notes = notes.to_owned() + &">".repeat(3000);
    let body = json!({ "service": "shop/web", "version": "9.0.0", "image": "tinyweb:v2", "notes": notes });
    let made = test.post("/releases", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let person = test.person().await;
    let page = person.get(&format!("/releases/{}", made.body["id"].as_str().unwrap())).await;
    let (_, shown) = page.html.split_once("<div class=\"prose mt-3\">").expect("no notes on the page");
    let shown = shown.split("</div>").next().unwrap();
    for part in [
        "<h3>What is new</h3>",
        "<li>a <strong>door</strong> &lt;script&gt;alert(1)&lt;/script&gt;</li>",
        "<a rel=\"nofollow noreferrer\" href=\"https://ci.test/7\">log</a>, x</li>",
        "&lt;svg onload=alert(2)&gt;",
        "href=\"https://evil.test/p.png\">p</a>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    for part in ["<script", "<svg", "<img", "href=\"javascript"] {
        assert!(!shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.matches("<blockquote>").count() <= 8, "{shown}");
}
