//! The archive of a site: what it may hold besides what every archive may.

pub(super) use crate::archive::Files;
use crate::archive::{self, Limits};
use passerelle_contract::{Text, text};

/// Largest archive that is fetched, in bytes.
pub(super) const MOST_PACKED: usize = 64 * 1024 * 1024;
const LIMITS: Limits = Limits { unpacked: 192 * 1024 * 1024, one: 32 * 1024 * 1024, files: 5_000 };
/// What a site may not bring, because it is ours in the bucket.
const OURS: &str = "releases/";

/// The files of a site.
///
/// # Errors
/// As [`archive::unpack`], and for an archive without a page or with a folder of ours.
pub(super) fn unpack(packed: &[u8]) -> Result<Files, Text> {
    let files = archive::unpack(packed, LIMITS)?;
    if let Some(path) = files.keys().find(|path| path.starts_with(OURS)) {
        return Err(text!("'{path}' is in a folder that this portal keeps for itself", path = path.as_str()));
    }
    if files.contains_key("index.html") { Ok(files) } else { Err(text!("the archive has no index.html at its top")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(paths: &[&str]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for path in paths {
            let mut header = tar::Header::new_ustar();
            header.set_size(1);
            archive.append_data(&mut header, path, &b"x"[..]).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn a_site_has_a_page_and_leaves_our_folder_alone() {
        assert_eq!(unpack(&tar(&["index.html", "a/b.js"])).unwrap().len(), 2);
        assert_eq!(unpack(&tar(&["a/index.html"])).unwrap_err(), "the archive has no index.html at its top");
        let ours = unpack(&tar(&["index.html", "releases/1/manifest.json"])).unwrap_err();
        assert!(ours.to_string().contains("keeps for itself"), "{ours}");
    }
}
