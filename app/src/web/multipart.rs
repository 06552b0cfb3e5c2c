//! Forms with files, as browsers send them (`multipart/form-data`).

use super::Fields;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

/// The name under which a file that is no text stands, with its own name as the value.
#[must_use]
pub fn no_text(field: &str) -> String {
    format!("{field}:no-text")
}

/// Whether a body is such a form.
#[must_use]
pub fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("multipart/form-data")
}

/// Its fields; the text of a file is the value of its field. Nothing when it is broken off: then the token of the form is missing too.
pub async fn fields(headers: &HeaderMap, body: Bytes) -> Fields {
    let mut request = Request::new(Body::from(body));
    *request.headers_mut() = headers.clone();
    let Ok(mut parts) = Multipart::from_request(request, &()).await else { return Fields::default() };
    let mut read = Vec::new();
    while let Ok(Some(part)) = parts.next_field().await {
        let (name, file) = (part.name().unwrap_or_default().to_owned(), part.file_name().map(str::to_owned));
        let Ok(bytes) = part.bytes().await else { return Fields::default() };
        match String::from_utf8(bytes.to_vec()) {
            Ok(text) => read.push((name, text)),
            Err(_) => read.push((no_text(&name), file.unwrap_or_else(|| name.clone()))),
        }
    }
    read.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "multipart/form-data; boundary=x".parse().unwrap());
        headers
    }

    #[tokio::test]
    async fn texts_and_files_are_fields() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nt\r\n--x\r\nContent-Disposition: form-data; \
                    name=\"file\"; filename=\"slo.yaml\"\r\nContent-Type: application/yaml\r\n\r\na: é\n\r\n--x--\r\n";
        let read = fields(&headers(), Bytes::from(body)).await;
        assert_eq!((read.get("csrf"), read.raw("file")), ("t", "a: é\n"));
    }

    #[tokio::test]
    async fn what_is_no_text_is_told_and_what_is_broken_off_is_nothing() {
        let body =
            b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\r\nPK\xff\xfe\r\n--x--\r\n";
        let read = fields(&headers(), Bytes::from_static(body)).await;
        assert_eq!((read.raw("file"), read.get(&no_text("file"))), ("", "a.zip"));
        let broken = fields(&headers(), Bytes::from_static(&body[..60])).await;
        assert_eq!(broken.get("csrf"), "");
        assert!(is_multipart(&headers()) && !is_multipart(&HeaderMap::new()));
    }
}
