//! The S3 protocol, signed with Signature Version 4, objects addressed by path. Versions are ETags.
//!
//! Conditional writes (`If-None-Match`, `If-Match`) came to Amazon S3 in 2024; stores that ignore them cannot fence.

use super::address::{encoded, query};
use super::config::ConnectionConfig;
use super::store::{Content, MOST_LISTED, Object, Store, Version, When, Written, refusal};
use crate::aws::{self, Keys};
use crate::outbound::{self, ANSWER_LIMIT, read_body, read_body_of, unreachable};
use crate::{Secret, TargetError};
use async_trait::async_trait;
use passerelle_contract::text;
use reqwest::{Method, Response};
use std::time::Duration;

const WHO: &str = "the S3 store";
const TRANSFER_LIMIT: Duration = Duration::from_secs(120);
const WEBSITE: &str = "<WebsiteConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IndexDocument><Suffix>index.html</Suffix></IndexDocument><ErrorDocument><Key>index.html</Key></ErrorDocument></WebsiteConfiguration>";

pub(super) struct S3 {
    http: reqwest::Client,
    origin: String,
    region: String,
    bucket: String,
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
}

/// One call below the origin.
#[derive(Default)]
struct Ask<'a> {
    path: String,
    query: Vec<(&'a str, &'a str)>,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl S3 {
    pub fn new(config: ConnectionConfig) -> Result<Self, TargetError> {
        let wrong = |pointer: &str, message| TargetError::Config { pointer: pointer.to_owned(), message };
        if config.token.is_some() || config.credentials.is_some() {
            return Err(wrong("/config/token", text!("belongs to a store of kind {kind}", kind = "google")));
        }
        let needed = || text!("an S3 store needs an access key and its secret");
        let access_key_id =
            config.access_key_id.filter(|id| is_key_id(id)).ok_or_else(|| wrong("/config/access_key_id", needed()))?;
        let secret_access_key = config.secret_access_key.ok_or_else(|| wrong("/config/secret_access_key", needed()))?;
        let region = config.region.map_or_else(|| "us-east-1".to_owned(), |region| region.as_str().to_owned());
        let origin = config
            .endpoint
            .map_or_else(|| format!("https://s3.{region}.amazonaws.com"), |origin| origin.as_str().to_owned());
        let http = outbound::client().build().map_err(|_| wrong("/config", text!("no HTTP client can be built")))?;
        let bucket = config.bucket.as_str().to_owned();
        Ok(Self { http, origin, region, bucket, access_key_id, secret_access_key, session_token: config.session_token })
    }

    fn object_path(&self, bucket: Option<&str>, name: &str) -> String {
        encoded(&format!("/{}/{name}", bucket.unwrap_or(&self.bucket)), true)
    }

    async fn send(&self, method: Method, ask: Ask<'_>, limit: Duration) -> Result<Response, TargetError> {
        let reveal = |secret: &Secret, pointer: &str| {
            secret.reveal().map_err(|error| TargetError::Config { pointer: pointer.to_owned(), message: error.text() })
        };
        let secret = reveal(&self.secret_access_key, "/config/secret_access_key")?;
        let session = match &self.session_token {
            Some(token) => Some(reveal(token, "/config/session_token")?),
            None => None,
        };
        let keys = Keys {
            id: self.access_key_id.clone(),
            secret: secret.trim().to_owned(),
            session: session.map(|token| token.trim().to_owned()),
        };
        let mark = if ask.query.is_empty() { "" } else { "?" };
        let mut request = http::Request::builder().method(method).uri(format!(
            "{}{}{mark}{}",
            self.origin,
            ask.path,
            query(&ask.query)
        ));
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let no_request = || TargetError::Refused(text!("the request to AWS cannot be signed"));
        let request = request.body(ask.body).map_err(|_| no_request())?;
        let request = aws::headers(request, &keys, &self.region, "s3")?;
        let mut request = reqwest::Request::try_from(request).map_err(|_| no_request())?;
        *request.timeout_mut() = Some(limit);
        self.http.execute(request).await.map_err(|error| unreachable(WHO, &error))
    }

    /// The body of a success; nothing for what is not there.
    async fn text(&self, response: Response) -> Result<Option<String>, TargetError> {
        let status = response.status().as_u16();
        let body = String::from_utf8_lossy(&read_body(response, WHO).await?).into_owned();
        match status {
            200..300 => Ok(Some(body)),
            404 => Ok(None),
            _ => Err(refusal(WHO, status, tag(&body, "Message").unwrap_or_default(), text!("the object"))),
        }
    }

    fn no_bucket(&self) -> TargetError {
        TargetError::Missing(text!("bucket {name}", name = &self.bucket))
    }

    async fn page(&self, prefix: &str, after: &str, most: &str) -> Result<String, TargetError> {
        let mut query = vec![("list-type", "2"), ("encoding-type", "url"), ("max-keys", most), ("prefix", prefix)];
        query.extend((!after.is_empty()).then_some(("continuation-token", after)));
        let ask = Ask { path: format!("/{}", self.bucket), query, ..Ask::default() };
        let response = self.send(Method::GET, ask, ANSWER_LIMIT).await?;
        self.text(response).await?.ok_or_else(|| self.no_bucket())
    }
}

fn is_key_id(text: &str) -> bool {
    (3..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn etag(response: &Response) -> Option<Version> {
    Some(Version(response.headers().get("etag")?.to_str().ok()?.to_owned()))
}

/// The text of the first element of a name; the answers we read have no attributes there.
fn tag<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// Names in a listing, which come percent-encoded, so no XML escapes are in them.
fn names(xml: &str) -> Vec<String> {
    let keys = xml.split("<Contents>").skip(1).filter_map(|part| tag(part, "Key"));
    // `+` stands for a space in what comes back, as in a form.
    keys.map(|key| {
        url::form_urlencoded::parse(key.replace('&', "%26").replace('=', "%3D").as_bytes())
            .map(|(name, _)| name.into_owned())
            .collect()
    })
    .collect()
}

#[async_trait]
impl Store for S3 {
    async fn check(&self) -> Result<String, TargetError> {
        self.page("", "", "1").await?;
        Ok(format!("S3, bucket {}, region {}", self.bucket, self.region))
    }

    async fn get(&self, bucket: Option<&str>, name: &str, max: usize) -> Result<Option<Object>, TargetError> {
        let ask = Ask { path: self.object_path(bucket, name), ..Ask::default() };
        let response = self.send(Method::GET, ask, TRANSFER_LIMIT).await?;
        if !response.status().is_success() {
            return self.text(response).await.map(|_| None);
        }
        let version = etag(&response);
        let bytes = read_body_of(response, WHO, max).await?;
        let version = version.ok_or_else(|| {
            TargetError::Unreachable(text!("{name} gave {what}", name = WHO, what = text!("no ETag")))
        })?;
        Ok(Some(Object { bytes, version }))
    }

    async fn version(&self, bucket: Option<&str>, name: &str) -> Result<Option<Version>, TargetError> {
        let ask = Ask { path: self.object_path(bucket, name), ..Ask::default() };
        let response = self.send(Method::HEAD, ask, ANSWER_LIMIT).await?;
        if response.status().is_success() {
            return Ok(etag(&response));
        }
        self.text(response).await.map(|_| None)
    }

    async fn put(&self, name: &str, content: Content<'_>, when: &When) -> Result<Written, TargetError> {
        let condition = match when {
            When::Absent => ("if-none-match", "*".to_owned()),
            When::Is(version) => ("if-match", version.0.clone()),
        };
        let about = [("content-type", content.content_type), ("cache-control", content.cache)];
        let headers = about.into_iter().map(|(name, value)| (name, value.to_owned())).chain([condition]).collect();
        let ask = Ask { path: self.object_path(None, name), headers, body: content.bytes.to_vec(), ..Ask::default() };
        let response = self.send(Method::PUT, ask, TRANSFER_LIMIT).await?;
        // 409: another conditional write was at work; 404: what should be replaced is gone.
        match response.status().as_u16() {
            409 | 412 => Ok(Written::Conflict),
            404 if matches!(when, When::Is(_)) => Ok(Written::Conflict),
            _ => self.text(response).await?.ok_or_else(|| self.no_bucket()).map(|_| Written::Yes),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, TargetError> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.page(prefix, &after, "1000").await?;
            all.extend(names(&page));
            match tag(&page, "NextContinuationToken") {
                Some(next) if all.len() < MOST_LISTED => next.replace("&amp;", "&").clone_into(&mut after),
                _ => return Ok(all),
            }
        }
    }

    async fn delete(&self, name: &str) -> Result<(), TargetError> {
        let ask = Ask { path: self.object_path(None, name), ..Ask::default() };
        let response = self.send(Method::DELETE, ask, ANSWER_LIMIT).await?;
        self.text(response).await.map(drop)
    }

    async fn falls_back(&self) -> Result<bool, TargetError> {
        let ask = Ask { path: format!("/{}", self.bucket), query: vec![("website", "")], ..Ask::default() };
        let response = self.send(Method::GET, ask, ANSWER_LIMIT).await?;
        let told = self.text(response).await?;
        Ok(told.is_some_and(|xml| tag(&xml, "ErrorDocument").and_then(|page| tag(page, "Key")) == Some("index.html")))
    }

    async fn fall_back(&self) -> Result<(), TargetError> {
        let ask = Ask {
            path: format!("/{}", self.bucket),
            query: vec![("website", "")],
            headers: vec![("content-type", "application/xml".to_owned())],
            body: WEBSITE.as_bytes().to_vec(),
        };
        let response = self.send(Method::PUT, ask, ANSWER_LIMIT).await?;
        self.text(response).await?.ok_or_else(|| self.no_bucket()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_gives_names() {
        let xml = "<ListBucketResult><Prefix>a/</Prefix><Contents><Key>a/b%26+c%2Bd.js</Key><Size>3</Size></Contents>\
            <Contents><Key>a/x%3D1</Key></Contents><NextContinuationToken>t&amp;1</NextContinuationToken></ListBucketResult>";
        assert_eq!(names(xml), ["a/b& c+d.js", "a/x=1"]);
        assert_eq!(tag(xml, "NextContinuationToken"), Some("t&amp;1"));
        assert_eq!(names("<html>"), Vec::<String>::new());
    }
}
