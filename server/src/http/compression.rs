//! Answers that are made on the way are compressed on the way, quickly rather than tightly. Files of the site come compressed by the
//! build, which took its time; they pass here untouched, as does everything that already has an encoding.
//!
//! Only what a client asks for with `Accept-Encoding`. Two kinds of answers stay as they are: short ones, which fit into a packet
//! anyway, and event streams, whose events must not wait in a compressor's buffer.

use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, NotForContentType, Predicate, SizeAbove};

/// Bytes; shorter answers are not worth the work.
const WORTH_IT: u16 = 1024;

/// Which answers are compressed.
type Rule = And<And<SizeAbove, NotForContentType>, NotForContentType>;

pub(super) fn layer() -> CompressionLayer<Rule> {
    let rule = SizeAbove::new(WORTH_IT).and(NotForContentType::SSE).and(NotForContentType::IMAGES);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(rule)
}

#[cfg(test)]
mod tests {
    use super::{WORTH_IT, layer};
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
    use axum::http::{HeaderName, Request, Response};
    use axum::routing::get;
    use std::io::Read as _;
    use tower::ServiceExt;

    const TEXT: &str = "{\"name\":\"a name that is repeated\"},";

    async fn ask(path: &str, accept: Option<&str>) -> Response<Body> {
        let long = || TEXT.repeat(100);
        let typed = move |name: HeaderName, value: &'static str| move || async move { ([(name, value)], long()) };
        let app = Router::new()
            .route("/long", get(typed(CONTENT_TYPE, "application/json")))
            .route("/short", get(|| async { "x".repeat(usize::from(WORTH_IT) - 1) }))
            .route("/events", get(typed(CONTENT_TYPE, "text/event-stream")))
            .route("/image", get(typed(CONTENT_TYPE, "image/png")))
            .route("/ready", get(typed(CONTENT_ENCODING, "br")))
            .layer(layer());
        let mut request = Request::get(path);
        if let Some(accept) = accept {
            request = request.header(ACCEPT_ENCODING, accept);
        }
        app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn encoding(response: &Response<Body>) -> Option<&str> {
        response.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn a_long_answer_is_compressed_for_those_who_take_it_and_reads_the_same() {
        let plain = ask("/long", None).await;
        assert_eq!(encoding(&plain), None);
        let plain = to_bytes(plain.into_body(), usize::MAX).await.unwrap();
        let gzip = ask("/long", Some("gzip")).await;
        assert_eq!(encoding(&gzip), Some("gzip"));
        assert!(gzip.headers().get_all(VARY).iter().any(|value| value == "accept-encoding"));
        let gzip = to_bytes(gzip.into_body(), usize::MAX).await.unwrap();
        assert!(gzip.len() < plain.len() / 4, "{} of {}", gzip.len(), plain.len());
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut read).unwrap();
        assert_eq!(read, plain);
        // What browsers send.
        assert_eq!(encoding(&ask("/long", Some("gzip, deflate, br, zstd")).await), Some("br"));
        assert_eq!(encoding(&ask("/long", Some("identity")).await), None);
    }

    #[tokio::test]
    async fn short_answers_events_images_and_what_is_encoded_already_pass_untouched() {
        for path in ["/short", "/events", "/image"] {
            assert_eq!(encoding(&ask(path, Some("gzip, br")).await), None, "{path}");
        }
        let ready = ask("/ready", Some("gzip, br")).await;
        assert_eq!(encoding(&ready), Some("br"));
        assert_eq!(to_bytes(ready.into_body(), usize::MAX).await.unwrap(), TEXT.repeat(100).as_bytes());
    }
}
