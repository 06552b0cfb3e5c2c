//! Unpacks an archive within limits. What an archive says of paths, sizes and kinds is not believed.

use passerelle_contract::{Text, text};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

const LONGEST_PATH: usize = 400;

/// Files by path; paths stay below where they are put.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What may come out of an archive.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// All files together, in bytes.
    pub unpacked: u64,
    /// One file, in bytes.
    pub one: u64,
    pub files: usize,
}

/// Whether the bytes are those that a SHA-256 in hexadecimal digits names.
#[must_use]
pub fn is_pinned(bytes: &[u8], sha256: &str) -> bool {
    crate::fencing::hex(&Sha256::digest(bytes)) == sha256
}

/// Unpacks `.tar.gz`, `.tar` and `.zip`, told apart by their first bytes.
///
/// # Errors
/// The reason in words, for an archive that is none, is too large, or holds more than files.
pub fn unpack(archive: &[u8], limits: Limits) -> Result<Files, Text> {
    let mut files = Gathered { all: Files::new(), size: 0, limits };
    match archive {
        [0x1f, 0x8b, ..] => untar(flate2::read::GzDecoder::new(archive), &mut files)?,
        [b'P', b'K', ..] => unzip(archive, &mut files)?,
        _ => untar(archive, &mut files)?,
    }
    if files.all.is_empty() { Err(text!("the archive holds no file")) } else { Ok(files.all) }
}

struct Gathered {
    all: Files,
    size: u64,
    limits: Limits,
}

impl Gathered {
    fn add(&mut self, path: &str, reader: &mut dyn Read) -> Result<(), Text> {
        let limits = self.limits;
        if self.all.len() >= limits.files {
            return Err(text!("the archive holds more than {max} files", max = limits.files));
        }
        let left = limits.unpacked.saturating_sub(self.size);
        let most = left.min(limits.one);
        let mut bytes = Vec::new();
        // One more than allowed, so that too much is seen and no more is read, whatever the header says.
        reader.take(most + 1).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
        let size = bytes.len() as u64;
        if size > most {
            return Err(if left < limits.one {
                text!("the archive unpacks to more than {max} bytes", max = limits.unpacked)
            } else {
                text!("{path} is larger than {max} bytes", path, max = limits.one)
            });
        }
        self.size += size;
        match self.all.insert(path.to_owned(), bytes) {
            Some(_) => Err(text!("{path} is in the archive twice", path)),
            None => Ok(()),
        }
    }
}

fn broken(error: &std::io::Error) -> Text {
    text!("the archive cannot be read: {why}", why = error.kind().to_string())
}

fn untar(reader: impl Read, files: &mut Gathered) -> Result<(), Text> {
    let mut archive = tar::Archive::new(reader);
    let entries = archive.entries().map_err(|error| broken(&error))?;
    // Folders count too, so that an endless archive of them ends.
    for (count, entry) in entries.enumerate() {
        if count > 2 * files.limits.files {
            return Err(text!("the archive holds more than {max} files", max = files.limits.files));
        }
        let mut entry = entry.map_err(|error| broken(&error))?;
        let path = entry.path_bytes().into_owned();
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let path = checked(&path)?;
        if !kind.is_file() {
            return Err(text!("{path} is a link or a device; an archive holds files only", path));
        }
        files.add(&path, &mut entry)?;
    }
    Ok(())
}

fn unzip(archive: &[u8], files: &mut Gathered) -> Result<(), Text> {
    let unreadable = |error: zip::result::ZipError| text!("the archive cannot be read: {why}", why = error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).map_err(unreadable)?;
    if archive.len() > 2 * files.limits.files {
        return Err(text!("the archive holds more than {max} files", max = files.limits.files));
    }
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(unreadable)?;
        if entry.is_dir() {
            continue;
        }
        let path = checked(entry.name_raw())?;
        if entry.is_symlink() {
            return Err(text!("{path} is a link or a device; an archive holds files only", path));
        }
        files.add(&path, &mut entry)?;
    }
    Ok(())
}

/// A path that stays below where it is put, in one spelling.
fn checked(path: &[u8]) -> Result<String, Text> {
    let shown: String = crate::masking::shown(&String::from_utf8_lossy(path)).chars().take(120).collect();
    let wrong = || text!("'{path}' is not a path inside the archive", path = &shown);
    let path = std::str::from_utf8(path).map_err(|_| wrong())?;
    let path = path.strip_prefix("./").unwrap_or(path);
    let part = |part: &str| {
        !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']) && !part.contains(char::is_control)
    };
    if path.len() > LONGEST_PATH || !path.split('/').all(part) {
        return Err(wrong());
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const LIMITS: Limits = Limits { unpacked: 1 << 20, one: 1 << 16, files: 50 };

    fn unpack(archive: &[u8]) -> Result<Files, Text> {
        super::unpack(archive, LIMITS)
    }

    /// A tar with these headers as they are: the crate's own writer refuses what an attacker writes.
    fn tar(entries: &[(&[u8], tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut archive = Vec::new();
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_ustar();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path);
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.extend_from_slice(header.as_bytes());
            archive.extend_from_slice(content);
            archive.resize(archive.len().div_ceil(512) * 512, 0);
        }
        archive.resize(archive.len() + 1024, 0);
        archive
    }

    fn file<'a>(path: &'a str, content: &'a str) -> (&'a [u8], tar::EntryType, &'a [u8]) {
        (path.as_bytes(), tar::EntryType::Regular, content.as_bytes())
    }

    fn zipped(path: &str, content: &[u8]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (path, content) in [("index.html", b"<p>".as_slice()), (path, content)] {
            writer.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn three_formats_hold_the_same_files() {
        let plain =
            tar(&[(b"./", tar::EntryType::Directory, b""), file("./index.html", "<p>"), file("assets/a.js", "1")]);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&plain).unwrap();
        let expected = unpack(&plain).unwrap();
        assert_eq!(expected.keys().collect::<Vec<_>>(), ["assets/a.js", "index.html"]);
        assert_eq!(unpack(&gz.finish().unwrap()).unwrap(), expected);
        assert_eq!(unpack(&zipped("assets/a.js", b"1")).unwrap(), expected);
    }

    #[test]
    fn nothing_leaves_the_archive() {
        for path in ["../x", "a/../../x", "/etc/passwd", "a//b", "a\\..\\b", "C:/x", "a/./b", "x\n"] {
            assert!(unpack(&tar(&[file("index.html", ""), file(path, "x")])).is_err(), "tar {path}");
        }
        for path in ["../x", "/x", "a\\..\\b"] {
            assert!(unpack(&zipped(path, b"x")).is_err(), "zip {path}");
        }
        for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Fifo, tar::EntryType::Char] {
            assert!(unpack(&tar(&[file("index.html", ""), (b"x", kind, b"")])).is_err(), "{kind:?}");
        }
        let twice = tar(&[file("index.html", "1"), file("./index.html", "2")]);
        assert_eq!(unpack(&twice).unwrap_err(), "index.html is in the archive twice");
        assert!(unpack(&tar(&[(b"\xff\xfe", tar::EntryType::Regular, b"")])).is_err());
    }

    #[test]
    fn bombs_are_stopped_by_what_comes_out_of_them() {
        let zeros = vec![0; usize::try_from(LIMITS.one).unwrap() + 1];
        let bomb = zipped("zeros", &zeros);
        assert!(bomb.len() < 10_000);
        assert_eq!(unpack(&bomb).unwrap_err(), format!("zeros is larger than {} bytes", LIMITS.one).as_str());
        let many: Vec<String> = (0..=LIMITS.files).map(|index| format!("f{index}")).collect();
        let many: Vec<_> = many.iter().map(|path| file(path, "")).collect();
        assert!(unpack(&tar(&many)).unwrap_err().to_string().contains("more than 50 files"));
    }

    #[test]
    fn what_is_no_archive_is_told() {
        for bytes in [&b""[..], b"<html>", b"PK\x03\x04", &[0x1f, 0x8b, 8, 0, 0], &[0; 1024]] {
            assert!(unpack(bytes).is_err(), "{bytes:?}");
        }
        let cut = zipped("a", b"content");
        assert!(unpack(&cut[..cut.len() / 2]).is_err());
    }
}
