//! Signature Version 4, by AWS's own signer.

use super::credentials::Keys;
use crate::TargetError;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use passerelle_contract::text;
use std::time::{Duration, SystemTime};

/// What is signed: for which service, in which region, when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub region: &'a str,
    pub service: &'a str,
    pub at: SystemTime,
}

/// The request with its signature, in the form that [`reqwest`] takes.
fn signed(
    request: http::Request<Vec<u8>>,
    keys: &Keys,
    scope: Scope<'_>,
    settings: SigningSettings,
) -> Result<http::Request<Vec<u8>>, TargetError> {
    let cannot = || TargetError::Refused(text!("the request to AWS cannot be signed"));
    let identity = Credentials::new(&keys.id, &keys.secret, keys.session.clone(), None, "passerelle").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(scope.at)
        .settings(settings)
        .build()
        .map_err(|_| cannot())?
        .into();
    let mut request = request;
    let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.uri().to_string(),
        headers,
        SignableBody::Bytes(request.body()),
    )
    .map_err(|_| cannot())?;
    let (instructions, _) = sign(signable, &params).map_err(|_| cannot())?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

/// A request signed in its headers.
pub(crate) fn headers(
    request: http::Request<Vec<u8>>,
    keys: &Keys,
    region: &str,
    service: &str,
) -> Result<http::Request<Vec<u8>>, TargetError> {
    let scope = Scope { region, service, at: SystemTime::now() };
    signed(request, keys, scope, settings_of(service))
}

/// S3 signs paths as they are, and wants the hash of the body told.
fn settings_of(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

/// The address of a request that carries its signature as parameters, good for `life`.
pub(crate) fn presigned(
    request: http::Request<Vec<u8>>,
    keys: &Keys,
    scope: Scope<'_>,
    life: Duration,
) -> Result<String, TargetError> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(life);
    signed(request, keys, scope, settings).map(|request| request.uri().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn keys() -> Keys {
        Keys { id: "AKIDEXAMPLE".into(), secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(), session: None }
    }

    /// `20150830T123600Z`, the moment of AWS's test suite.
    fn at() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_440_938_160)
    }

    fn request(uri: &str) -> http::Request<Vec<u8>> {
        http::Request::builder().uri(uri).body(Vec::new()).unwrap()
    }

    /// "get-vanilla" and "get-vanilla-query-order-key-case" of the test suite that AWS publishes for Signature Version 4.
    #[test]
    fn the_published_vectors_come_out() {
        let scope = Scope { region: "us-east-1", service: "service", at: at() };
        for (uri, signature) in [
            ("https://example.amazonaws.com/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                "https://example.amazonaws.com/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            let signed = signed(request(uri), &keys(), scope, SigningSettings::default()).unwrap();
            let header = signed.headers()["authorization"].to_str().unwrap();
            assert_eq!(
                header,
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={signature}"
                )
            );
        }
    }

    /// "GET Bucket Lifecycle" and "Get Bucket (List Objects)" of the Amazon S3 API reference.
    #[test]
    fn the_examples_of_s3_come_out() {
        let keys = Keys {
            id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session: None,
        };
        // 20130524T000000Z
        let at = UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        let scope = Scope { region: "us-east-1", service: "s3", at };
        for (query, signature) in [
            ("lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ] {
            let request = request(&format!("https://examplebucket.s3.amazonaws.com/?{query}"));
            let signed = signed(request, &keys, scope, settings_of("s3")).unwrap();
            let header = signed.headers()["authorization"].to_str().unwrap();
            assert!(header.ends_with(&format!("Signature={signature}")), "{query}: {header}");
        }
    }

    #[test]
    fn a_presigned_address_carries_all_of_it() {
        let mut wanted = request("https://sts.eu-west-3.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15");
        wanted.headers_mut().insert("x-k8s-aws-id", "demo".parse().unwrap());
        let scope = Scope { region: "eu-west-3", service: "sts", at: at() };
        let keys = Keys { session: Some("t0ken/+=".into()), ..keys() };
        let address = presigned(wanted, &keys, scope, Duration::from_secs(60)).unwrap();
        for part in [
            "X-Amz-Expires=60",
            "X-Amz-Date=20150830T123600Z",
            "X-Amz-SignedHeaders=host%3Bx-k8s-aws-id",
            "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Feu-west-3%2Fsts%2Faws4_request",
            "X-Amz-Security-Token=t0ken%2F%2B%3D",
            "X-Amz-Signature=",
        ] {
            assert!(address.contains(part), "{part} is not in {address}");
        }
        assert!(!address.contains(&keys.secret));
    }
}
