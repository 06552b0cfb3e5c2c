//! What the buckets hold at the start: archives of sites, and sites that are being served.

use super::State;
use crate::dice::digest_of;
use crate::world::BucketWorld;
use bytes::Bytes;
use std::collections::BTreeMap;

type Files = BTreeMap<String, String>;

pub(super) fn fill(state: &mut State, buckets: &BTreeMap<String, BucketWorld>) {
    let mut sites: BTreeMap<String, &Files> = BTreeMap::new();
    for (name, bucket) in buckets {
        state.buckets.entry(name.clone()).or_default();
        for files in &bucket.archives {
            let archive = tar(files);
            let digest = digest_of(&archive);
            state.put(name, &format!("archives/{digest}.tar"), Bytes::from(archive), "application/x-tar", "");
            sites.insert(digest, files);
        }
    }
    for (name, bucket) in buckets {
        let Some(image) = &bucket.serving else { continue };
        let digest = image.rsplit(':').next().unwrap_or_default();
        let Some(files) = sites.get(digest) else {
            tracing::warn!(bucket = name, image, "no archive of the simulated world has this digest");
            continue;
        };
        for (path, content) in *files {
            // As the portal marks the page that it switches to, without a deployment of its own.
            let mark = if path == "index.html" {
                format!("\n<!-- passerelle {{\"image\":\"{image}\"}} -->\n")
            } else {
                String::new()
            };
            state.put(name, path, Bytes::from(format!("{content}{mark}")), "application/octet-stream", "no-cache");
        }
    }
}

/// A tar whose bytes depend on names and contents only, so that a description can name its digest.
fn tar(files: &Files) -> Vec<u8> {
    let mut archive = Vec::new();
    for (path, content) in files {
        let mut header = [0_u8; 512];
        let mut write = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        write(0, &path[..path.len().min(100)]);
        write(100, "0000644\0");
        write(108, "0000000\0");
        write(116, "0000000\0");
        write(124, &format!("{:011o}\0", content.len()));
        write(136, "00000000000\0");
        // The sum is taken with spaces in its place.
        write(148, "        ");
        write(156, "0");
        write(257, "ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(content.as_bytes());
        archive.resize(archive.len().div_ceil(512) * 512, 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}
