//! Catalog documents.

use passerelle_server::catalog::Upload;
use passerelle_server::catalog::import::parse;

pub fn run(bytes: &[u8]) {
    let Ok(upload) = Upload::from_stream(bytes) else { return };
    for file in upload.files() {
        let outside = file.path.starts_with('/') || file.path.split('/').any(|part| matches!(part, "" | "." | ".."));
        assert!(!outside, "{:?}", file.path);
    }
    let parsed = parse(&upload);
    assert!(parsed.errors_total as usize >= parsed.errors.len());
    for placed in &parsed.entities {
        assert!(placed.place.line >= 1 && placed.place.number >= 1);
    }
}
