//! What only static sites have.

use crate::bucket::Bucket;
use crate::contract::{Image, Peer as _, new_fence, say};
use passerelle_contract::deployments::{Cause, Health};
use passerelle_targets::{Change, Fence, Rollout, TargetError, same_image};
use serde_json::json;
use std::sync::Arc;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub async fn run(bucket: &Bucket) {
    a_version_is_switched_and_back(bucket).await;
    a_page_made_by_hand_comes_back(bucket).await;
    the_first_version_needs_nothing_before(bucket).await;
    wrong_archives_change_nothing(bucket).await;
    old_versions_go_and_shared_files_stay(bucket).await;
    many_writers_end_with_the_newest(bucket).await;
    an_answer_that_is_lost_is_found(bucket).await;
    a_single_page_answers_for_what_is_not_found(bucket).await;
    say("static sites: switch, by hand, first, wrong archives, clean-up, writers, lost answer, single page ... ok");
}

fn to(image: &str) -> Change {
    Change::Image { image: image.to_owned(), manifests: None }
}

async fn a_version_is_switched_and_back(bucket: &Bucket) {
    let target = bucket.create("switch", Image::First, 1).await;
    target.apply(&to(&bucket.image(Image::First)), new_fence()).await.unwrap();
    let about = bucket.page("switch/about.html").await.unwrap();
    assert_eq!((about.content_type.as_str(), about.cache.as_str()), ("text/html; charset=utf-8", "no-cache"));
    let fence = new_fence();
    let applied = target.apply(&to(&bucket.image(Image::Second)), fence).await.unwrap();
    let index = bucket.page("switch/index.html").await.unwrap();
    assert!(index.body.starts_with("<p>two</p>\n<!-- passerelle {"), "{index:?}");
    assert!(index.body.contains(&fence.deployment.to_string()) && index.cache == "no-cache", "{index:?}");
    for (path, body) in [("app-1a2b3c4d.js", "one()"), ("app-5e6f7a8b.js", "two()")] {
        let asset = bucket.page(&format!("switch/assets/{path}")).await.unwrap();
        let expected = (body, "text/javascript; charset=utf-8", FOR_EVER);
        assert_eq!((asset.body.as_str(), asset.content_type.as_str(), asset.cache.as_str()), expected);
    }
    assert_eq!(bucket.page("switch/robots.txt").await.unwrap().body, "2");
    assert_eq!(bucket.page("switch/about.html").await, None, "a page that the new version has not");
    target.apply(&Change::RestoreVersion { recorded: applied.before }, new_fence()).await.unwrap();
    assert!(bucket.page("switch/index.html").await.unwrap().body.starts_with("<p>one</p>"));
    assert_eq!(bucket.page("switch/robots.txt").await.unwrap().body, "1");
    assert_eq!(bucket.page("switch/about.html").await, Some(about));
}

async fn a_page_made_by_hand_comes_back(bucket: &Bucket) {
    bucket.put("hand/index.html", b"<p>by hand</p>".to_vec()).await;
    let target = bucket.bind(json!({ "prefix": "hand/" })).await;
    let seen = target.observe().await.unwrap();
    assert_eq!((seen.image.as_str(), seen.fence, seen.health), ("site:unknown", None, Health::Healthy));
    let fence = new_fence();
    let applied = target.apply(&to(&bucket.image(Image::First)), fence).await.unwrap();
    target.apply(&Change::Restore { recorded: applied.before }, fence).await.unwrap();
    assert!(bucket.page("hand/index.html").await.unwrap().body.starts_with("<p>by hand</p>\n<!-- passerelle "));
    assert_eq!(target.observe().await.unwrap().fence, Some(fence));
}

async fn the_first_version_needs_nothing_before(bucket: &Bucket) {
    let target = bucket.bind(json!({ "prefix": "first" })).await;
    let seen = target.observe().await.unwrap();
    assert_eq!(
        (seen.image.as_str(), seen.rollout, seen.health),
        ("site:nothing", Rollout::Progressing, Health::Unknown)
    );
    let fence = new_fence();
    let applied = target.apply(&to(&bucket.image(Image::First)), fence).await.unwrap();
    let seen = target.observe().await.unwrap();
    assert_eq!((seen.rollout, seen.health, seen.fence), (Rollout::Complete, Health::Healthy, Some(fence)));
    let back = target.apply(&Change::Restore { recorded: applied.before }, fence).await;
    assert!(matches!(back, Err(TargetError::Refused(_))), "{back:?}");
}

async fn wrong_archives_change_nothing(bucket: &Bucket) {
    let target = bucket.create("wrong", Image::First, 1).await;
    target.apply(&to(&bucket.image(Image::First)), new_fence()).await.unwrap();
    let written = bucket.generation("wrong").await;
    let other = bucket.archive("web:3", &[("index.html", "x"), ("assets/app-1a2b3c4d.js", "other")]).await;
    let outside = bucket.archive("web:4", &[("index.html", "x"), ("releases/x", "x")]).await;
    let none = bucket.archive("web:5", &[("page.html", "x")]).await;
    let swapped = format!("example.test/team/web:6@sha256:{}", "1".repeat(64));
    bucket.put(&format!("archives/{}.tar.gz", "1".repeat(64)), b"not what it says".to_vec()).await;
    for (image, words) in [
        (&other, "assets/app-1a2b3c4d.js is in the bucket with other content"),
        (&outside, "keeps for itself"),
        (&none, "no index.html"),
        (&swapped, "not the one of that digest"),
    ] {
        let refused = target.apply(&to(image), new_fence()).await.unwrap_err();
        assert!(refused.text().to_string().contains(words), "{refused}");
        assert_eq!(refused.to_failure().cause, Cause::ImagePull);
        assert_eq!(bucket.generation("wrong").await, written);
    }
    assert_eq!(bucket.page("wrong/assets/app-1a2b3c4d.js").await.unwrap().body, "one()");
    let missing = target.plan(&to(&bucket.image(Image::Missing))).await.unwrap();
    assert!(missing.findings.iter().any(|finding| finding.code == "missing_archive"), "{:?}", missing.findings);
}

async fn old_versions_go_and_shared_files_stay(bucket: &Bucket) {
    let target = bucket.bind(json!({ "prefix": "tidy", "keep": 2 })).await;
    let mut last = String::new();
    for version in 1..=4 {
        let own = format!("assets/own-0000000{version}.js");
        let page = format!("<p>{version}</p>");
        let files = [("index.html", page.as_str()), (own.as_str(), "x"), ("assets/shared-0a1b2c3d.css", "p{}")];
        last = bucket.archive(&format!("tidy:{version}"), &files).await;
        target.apply(&to(&last), new_fence()).await.unwrap();
        // The age of versions is in seconds.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
    for (path, there) in [
        ("own-00000001.js", false),
        ("own-00000002.js", false),
        ("own-00000003.js", true),
        ("own-00000004.js", true),
        ("shared-0a1b2c3d.css", true),
    ] {
        assert_eq!(bucket.page(&format!("tidy/assets/{path}")).await.is_some(), there, "{path}");
    }
    assert!(same_image(&target.observe().await.unwrap().image, &last));
}

async fn many_writers_end_with_the_newest(bucket: &Bucket) {
    let target = bucket.create("crowd", Image::First, 1).await;
    let fences: Vec<Fence> = (0..12).map(|_| new_fence()).collect();
    let writes = fences.iter().enumerate().map(|(index, fence)| {
        let (target, fence) = (Arc::clone(&target), *fence);
        let change = to(&bucket.image(if index % 2 == 0 { Image::First } else { Image::Second }));
        tokio::spawn(async move {
            // A store that is written by others several times in a row asks to come again.
            loop {
                match target.apply(&change, fence).await {
                    Err(error) if error.is_transient() => {}
                    done => return done,
                }
            }
        })
    });
    let outcomes = futures::future::join_all(writes.collect::<Vec<_>>()).await;
    for outcome in outcomes.iter().flatten() {
        assert!(matches!(outcome, Ok(_) | Err(TargetError::Fenced(_))), "{outcome:?}");
    }
    assert!(outcomes.last().is_some_and(|last| matches!(last, Ok(Ok(_)))), "the newest writer failed");
    let seen = target.observe().await.unwrap();
    assert_eq!(seen.fence, fences.last().copied());
    assert!(same_image(&seen.image, &bucket.image(Image::Second)));
    assert_eq!(bucket.page("crowd/robots.txt").await.unwrap().body, "2");
}

async fn an_answer_that_is_lost_is_found(bucket: &Bucket) {
    let target = bucket.create("lost", Image::First, 1).await;
    let lost = [
        bucket.archive("lost:1", &[("index.html", "<p>1</p>")]).await,
        bucket.archive("lost:2", &[("index.html", "<p>2</p>")]).await,
    ];
    for image in &lost {
        target.apply(&to(image), new_fence()).await.unwrap();
    }
    // The claim, then the switch: the answer to each of the two writes is lost in turn.
    let (change, fence) = (to(&lost[0]), new_fence());
    for unchanged in [None, Some(true)] {
        if !bucket.lose_an_answer() {
            return;
        }
        let cut = target.apply(&change, fence).await;
        assert!(matches!(cut, Err(TargetError::Unreachable(_))), "{cut:?}");
        if let Some(unchanged) = unchanged {
            assert_eq!(target.apply(&change, fence).await.unwrap().unchanged, unchanged);
        }
    }
    let seen = target.observe().await.unwrap();
    assert_eq!((seen.fence, same_image(&seen.image, &lost[0])), (Some(fence), true));
}

async fn a_single_page_answers_for_what_is_not_found(bucket: &Bucket) {
    let target = bucket.bind(json!({ "single_page": true })).await;
    let change = to(&bucket.image(Image::First));
    let finding =
        |plan: &passerelle_targets::TargetPlan| plan.findings.iter().any(|finding| finding.code == "fallback");
    assert!(finding(&target.plan(&change).await.unwrap()));
    target.apply(&change, new_fence()).await.unwrap();
    assert!(!bucket.keeps_websites() || !finding(&target.plan(&change).await.unwrap()));
    assert!(bucket.page("index.html").await.unwrap().body.starts_with("<p>one</p>"));
}
