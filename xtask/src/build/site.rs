//! Writes the site folder: files under names with their hash, compressed copies, and the list of addresses.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::Client;
use super::client::ClientFiles;
use crate::paths::Paths;

/// Already compressed; a second time makes them larger.
const DENSE: [&str; 5] = ["woff2", "png", "jpg", "webp", "avif"];

/// A file of the site: key in the list, file name without hash, content.
struct Entry {
    key: String,
    stem: String,
    extension: String,
    content: Vec<u8>,
}

pub fn write(paths: &Paths, site: &Path, css: &[u8], client: &ClientFiles, kind: Client) -> Result<()> {
    let mut entries = vec![
        entry("css", "passerelle", "css", css),
        entry("client_js", "client", "js", &client.js),
        entry("client_wasm", "client", "wasm", &client.wasm),
    ];
    entries.extend(public_files(&paths.root().join("public"))?);
    // Written beside and swapped, so that a running server never sees half a site.
    let fresh = site.with_extension("new");
    remove(&fresh)?;
    write_entries(&fresh, &entries, kind == Client::Small)?;
    for (name, content) in &client.snippets {
        write_file(&fresh.join("static").join(name), content, kind == Client::Small)?;
    }
    remove(site)?;
    fs::rename(&fresh, site).with_context(|| format!("cannot move the site to {}", site.display()))
}

fn entry(key: &str, stem: &str, extension: &str, content: &[u8]) -> Entry {
    Entry { key: key.to_owned(), stem: stem.to_owned(), extension: extension.to_owned(), content: content.to_vec() }
}

/// `public/favicon-production.svg` has the key `favicon_production`; `app.js` is the page's `script`.
fn public_files(folder: &Path) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = file?.path();
        let (Some(stem), Some(extension)) = (path.file_stem(), path.extension()) else { continue };
        let (stem, extension) = (stem.to_string_lossy(), extension.to_string_lossy());
        let key = if stem == "app" { "script".to_owned() } else { stem.replace('-', "_") };
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        found.push(entry(&key, &stem, &extension, &content));
    }
    Ok(found)
}

fn write_entries(site: &Path, entries: &[Entry], compress: bool) -> Result<()> {
    let folder = site.join("static");
    let mut addresses = BTreeMap::new();
    for entry in entries {
        let name = format!("{}.{}.{}", entry.stem, hash(&entry.content), entry.extension);
        let dense = DENSE.contains(&entry.extension.as_str());
        write_file(&folder.join(&name), &entry.content, compress && !dense)?;
        addresses.insert(entry.key.as_str(), format!("/static/{name}"));
    }
    fs::write(site.join("assets.json"), serde_json::to_vec_pretty(&addresses)?)?;
    Ok(())
}

fn write_file(path: &Path, content: &[u8], compress: bool) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
    if compress { write_compressed(path, content) } else { Ok(()) }
}

fn write_compressed(path: &Path, content: &[u8]) -> Result<()> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(content)?;
    let gz = gz.finish()?;
    let mut br = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &*content, &mut br, &parameters)?;
    for (suffix, compressed) in [("gz", gz), ("br", br)] {
        if compressed.len() < content.len() {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{suffix}"));
            fs::write(name, compressed)?;
        }
    }
    Ok(())
}

/// 64 bits of SHA-256: enough to tell versions of one file apart.
fn hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(site: &Path) -> BTreeMap<String, String> {
        serde_json::from_slice(&fs::read(site.join("assets.json")).unwrap()).unwrap()
    }

    #[test]
    fn a_name_changes_with_the_content_only() {
        let site = tempfile::tempdir().unwrap();
        write_entries(site.path(), &[entry("css", "passerelle", "css", b"a{}")], false).unwrap();
        let first = addresses(site.path());
        write_entries(site.path(), &[entry("css", "passerelle", "css", b"a{}")], false).unwrap();
        assert_eq!(first, addresses(site.path()));
        write_entries(site.path(), &[entry("css", "passerelle", "css", b"b{}")], false).unwrap();
        assert_ne!(first, addresses(site.path()));
    }

    #[test]
    fn compressed_copies_are_beside_and_only_when_smaller() {
        let site = tempfile::tempdir().unwrap();
        let long = "body { color: red } ".repeat(100);
        write_entries(site.path(), &[entry("css", "a", "css", long.as_bytes()), entry("x", "x", "svg", b"<")], true)
            .unwrap();
        let mut names: Vec<String> = fs::read_dir(site.path().join("static"))
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(names[1].ends_with(".css.br") && names[2].ends_with(".css.gz"), "{names:?}");
    }

    #[test]
    fn keys_of_public_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.js"), "1").unwrap();
        fs::write(folder.path().join("favicon-production.svg"), "2").unwrap();
        let mut keys: Vec<String> = public_files(folder.path()).unwrap().into_iter().map(|entry| entry.key).collect();
        keys.sort();
        assert_eq!(keys, ["favicon_production", "script"]);
    }
}
