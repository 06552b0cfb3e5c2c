//! Manifests as they were applied, kept in the namespace: one immutable Secret a revision, so that a way back needs no bundle.
//!
//! A Secret, because manifests may hold Secrets: who may not read those may not read these either. It is read by its name only.

use super::super::error::call;
use super::super::workload::Workload;
use super::object::{MANAGED_BY, Object, label_of, short};
use crate::{TargetError, fencing};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, PostParams};
use passerelle_contract::text;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::io::{Read as _, Write as _};

const TYPE: &str = "passerelle.dev/manifests";
/// On the Secret: which workload it is of.
const LABEL: &str = "passerelle.dev/revision-of";
const KEY: &str = "manifests";
/// Largest content of a Secret is 1 MiB.
const MOST_PACKED: usize = 1_000_000;
const MOST_UNPACKED: u64 = 32 * 1024 * 1024;

/// The name of a revision: the same for the same objects.
pub(super) fn key_of(objects: &[Object]) -> String {
    let value = serde_json::to_value(objects).unwrap_or_default();
    fencing::hex(&Sha256::digest(fencing::sorted(&value).to_string())[..16])
}

fn name(workload: &Workload, key: &str) -> String {
    format!("passerelle-{}-{key}", short(&workload.name, 180))
}

fn title(workload: &Workload, key: &str) -> String {
    format!("Secret {}/{}", workload.namespace, name(workload, key))
}

/// Keeps a revision; one that is there already is the same.
///
/// # Errors
/// [`TargetError::Artifact`] when it is too large for the cluster to keep.
pub(super) async fn keep(workload: &Workload, key: &str, objects: &[Object]) -> Result<(), TargetError> {
    let packed = pack(objects)?;
    let labels = json!({ MANAGED_BY.0: MANAGED_BY.1, LABEL: label_of(&workload.name) });
    let secret = json!({
        "metadata": { "name": name(workload, key), "labels": labels },
        "type": TYPE, "immutable": true, "data": { KEY: ByteString(packed) },
    });
    let title = title(workload, key);
    let secret: Secret = serde_json::from_value(secret)
        .map_err(|_| TargetError::Refused(text!("{object} cannot be written", object = &title)))?;
    let secrets = workload.api::<Secret>();
    let request = async {
        match secrets.create(&PostParams::default(), &secret).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            Err(error) => Err(error),
        }
    };
    call(title, request).await
}

/// # Errors
/// [`TargetError::Missing`] when it is not kept any more.
pub(super) async fn load(workload: &Workload, key: &str) -> Result<Vec<Object>, TargetError> {
    let plain = !key.is_empty() && key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let gone =
        || TargetError::Missing(text!("the manifests of that version ({object})", object = title(workload, key)));
    if !plain {
        return Err(gone());
    }
    let title = title(workload, key);
    let found = call(&title, workload.api::<Secret>().get_opt(&name(workload, key))).await?.ok_or_else(gone)?;
    let packed = found.data.as_ref().and_then(|data| data.get(KEY)).map(|bytes| bytes.0.as_slice()).unwrap_or_default();
    let objects = unpack(packed).filter(|objects| key_of(objects) == key);
    objects.ok_or_else(|| {
        TargetError::Refused(text!("{object} does not hold the manifests that it is named after", object = title))
    })
}

/// Deletes revisions that are too old; what fails is left for the next time.
pub(super) async fn forget(workload: &Workload, keys: &[String]) {
    for key in keys {
        let deleted = workload.api::<Secret>();
        let request = async {
            match deleted.delete(&name(workload, key), &DeleteParams::default()).await {
                Ok(_) => Ok(()),
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                Err(error) => Err(error),
            }
        };
        if let Err(error) = call(title(workload, key), request).await {
            tracing::warn!(%error, "an old revision of manifests stays");
        }
    }
}

fn pack(objects: &[Object]) -> Result<Vec<u8>, TargetError> {
    let plain = serde_json::to_vec(objects).unwrap_or_default();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(&plain).and_then(|()| encoder.finish()).unwrap_or_default();
    if packed.is_empty() || packed.len() > MOST_PACKED {
        return Err(TargetError::Artifact(text!(
            "the manifests are too large to be kept for a way back: {size} bytes, at most {max}",
            size = packed.len(),
            max = MOST_PACKED
        )));
    }
    Ok(packed)
}

fn unpack(packed: &[u8]) -> Option<Vec<Object>> {
    let mut plain = Vec::new();
    GzDecoder::new(packed).take(MOST_UNPACKED).read_to_end(&mut plain).ok()?;
    serde_json::from_slice(&plain).ok()
}

#[cfg(test)]
mod tests {
    use super::super::object::Id;
    use super::*;

    #[test]
    fn a_revision_comes_back_as_it_was_kept() {
        let id = Id {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            plural: "configmaps".to_owned(),
            name: "web".to_owned(),
        };
        let objects = vec![Object { id, order: 20, value: json!({"b": 1, "a": {"d": [1, 2], "c": null}}) }];
        let back = unpack(&pack(&objects).unwrap()).unwrap();
        assert_eq!(back, objects);
        assert_eq!((key_of(&back), key_of(&back).len()), (key_of(&objects), 32));
        let mut other = objects.clone();
        other[0].value["b"] = json!(2);
        assert_ne!(key_of(&other), key_of(&objects));
        assert_eq!(unpack(b"nonsense"), None);
    }
}
