//! The one place that builds plain HTTP clients (the Kubernetes client is kube's own).
//!
//! No redirects (a target may not send our credentials elsewhere), no proxy from the environment, time limits, and a cap on
//! every body that is read.

use crate::TargetError;
use futures::StreamExt as _;
use passerelle_contract::{Argument, Text, text};
use std::path::Path;
use std::time::Duration;

/// Time to open a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Time for one whole answer, unless it is a stream.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Largest answer that is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// A client builder with the rules of this module; TLS with the roots of the system.
pub fn client() -> reqwest::ClientBuilder {
    // reqwest is built without a provider of its own; an earlier choice of the process stays.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_LIMIT)
        .user_agent(concat!("passerelle/", env!("CARGO_PKG_VERSION")))
}

/// Trusts the authorities of a PEM file, and no others.
///
/// # Errors
/// When the file cannot be read or holds no certificate; the file is named.
pub fn trusting_only(builder: reqwest::ClientBuilder, file: &Path) -> Result<reqwest::ClientBuilder, String> {
    let wrong = |why: String| format!("{}: {why}", file.display());
    let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
    if authorities.is_empty() {
        return Err(wrong("holds no certificate".to_owned()));
    }
    Ok(builder.tls_certs_only(authorities))
}

/// Reads a body up to [`BODY_LIMIT`].
///
/// # Errors
/// When the connection breaks or the body is larger.
pub async fn read_body(response: reqwest::Response, from: impl Argument + Clone) -> Result<Vec<u8>, TargetError> {
    read_body_of(response, from, BODY_LIMIT).await
}

/// Reads a body of at most `max` bytes.
pub async fn read_body_of(
    response: reqwest::Response,
    from: impl Argument + Clone,
    max: usize,
) -> Result<Vec<u8>, TargetError> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| unreachable(from.clone(), &error))?;
        if body.len() + chunk.len() > max {
            return Err(TargetError::Unreachable(text!("{from} sent more than {max} bytes", from, max)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A failed exchange in words that name the peer, and neither the URL nor a header.
#[must_use]
pub fn unreachable(from: impl Argument, error: &reqwest::Error) -> TargetError {
    TargetError::Unreachable(text!("{from}: {what}", from, what = what_failed(error)))
}

/// How an exchange failed, without the URL, which may hold a secret.
#[must_use]
pub fn what_failed(error: &reqwest::Error) -> Text {
    if error.is_timeout() {
        text!("no answer in time")
    } else if let Some(why) = certificate(error) {
        why
    } else if error.is_connect() {
        text!("the connection failed")
    } else {
        text!("the connection broke")
    }
}

/// What is wrong with the certificate of the peer, when that is it.
fn certificate(error: &(dyn std::error::Error + 'static)) -> Option<Text> {
    if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
        return Some(refused(why));
    }
    // What an I/O error carries is not its source, and it may carry another one.
    let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    carried.and_then(|inner| certificate(inner)).or_else(|| error.source().and_then(certificate))
}

fn refused(why: &rustls::CertificateError) -> Text {
    use rustls::CertificateError as Why;
    match why {
        Why::UnknownIssuer => text!("its certificate is signed by an authority that is not known here"),
        Why::NotValidForName | Why::NotValidForNameContext { .. } => text!("its certificate is for another name"),
        Why::Expired | Why::ExpiredContext { .. } => text!("its certificate has expired"),
        _ => text!("its certificate is not accepted"),
    }
}
