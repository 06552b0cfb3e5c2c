//! The program that renders a kustomization: found on the PATH, run without a shell, an environment or an open end.

use crate::archive::Files;
use crate::masking::shown;
use passerelle_contract::{Text, text};
use std::ffi::OsStr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// Longest time that a rendering may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Most bytes of complaints that are read.
const MOST_SAID: u64 = 16 * 1024;

/// A program that was found, and its words before the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    path: PathBuf,
    words: &'static [&'static str],
}

/// Why nothing was rendered.
#[derive(Debug)]
pub(super) enum Failed {
    /// The manifests are wrong; another try says the same.
    Manifests(Text),
    /// This machine could not.
    Machine(Text),
}

impl Program {
    /// `kustomize`, or `kubectl`, which has one in it.
    pub fn find(path: Option<&OsStr>) -> Option<Self> {
        let folders: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        [("kustomize", ["build"].as_slice()), ("kubectl", ["kustomize"].as_slice())].into_iter().find_map(
            |(name, words)| {
                // A relative folder of the PATH would mean whatever folder the portal was started in.
                let mut all = folders.iter().filter(|folder| folder.is_absolute()).map(|folder| folder.join(name));
                all.find(|path| runs(path)).map(|path| Self { path, words })
            },
        )
    }

    /// What comes out of a folder of a bundle, at most `most` bytes.
    pub async fn render(&self, files: &Files, folder: &str, most: u64) -> Result<Vec<u8>, Failed> {
        let private = Private::with(files).map_err(|error| {
            Failed::Machine(text!("the manifests cannot be put into a folder: {why}", why = error.kind().to_string()))
        })?;
        let machine = |error: std::io::Error| {
            Failed::Machine(text!(
                "{program} cannot be run: {why}",
                program = self.title(),
                why = error.kind().to_string()
            ))
        };
        let mut command = Command::new(&self.path);
        command.args(self.words).arg(private.0.join(folder)).env_clear().current_dir(&private.0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(machine)?;
        let (output, complaints) = (child.stdout.take(), child.stderr.take());
        let run = async {
            let (output, said) = tokio::join!(read(output, most + 1), read(complaints, MOST_SAID));
            // Whoever says too much is not listened to until the end.
            if output.len() as u64 > most {
                return Ok((None, output, said));
            }
            child.wait().await.map(|status| (Some(status), output, said))
        };
        match tokio::time::timeout(LIMIT, run).await {
            Err(_) => Err(Failed::Manifests(text!(
                "{program} did not end within {seconds} s",
                program = self.title(),
                seconds = LIMIT.as_secs()
            ))),
            Ok(Err(error)) => Err(machine(error)),
            Ok(Ok((None, ..))) => Err(too_much(most)),
            Ok(Ok((Some(status), output, _))) if status.success() => Ok(output),
            Ok(Ok((Some(_), _, said))) => {
                let said = String::from_utf8_lossy(&said).replace(&*private.0.to_string_lossy(), "");
                let said: String = shown(said.trim()).chars().take(600).collect();
                Err(Failed::Manifests(text!("{program} says: {said}", program = self.title(), said)))
            }
        }
    }

    fn title(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name} {}", self.words.join(" "))
    }
}

/// More than is read.
pub(super) fn too_much(most: u64) -> Failed {
    Failed::Manifests(text!("the manifests are more than {max} bytes", max = most))
}

fn runs(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// At most so many bytes; the other end is closed then, so a program that goes on talking ends.
async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // What was read before a pipe broke is still what was said.
        let _ = from.take(most).read_to_end(&mut bytes).await;
    }
    bytes
}

/// A folder that only this program's user may enter, gone with this value.
struct Private(PathBuf);

impl Private {
    fn with(files: &Files) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("passerelle-{}", uuid::Uuid::new_v4().simple()));
        // Fails when it is there, whoever made it.
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        let private = Self(path);
        for (name, bytes) in files {
            // The archive's reader has let nothing through that leads elsewhere.
            let path = private.0.join(name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(path, bytes)?;
        }
        Ok(private)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "a temporary folder of manifests stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of ours in a folder of its own.
    fn fake(name: &str, script: &str) -> (tempfile::TempDir, Program) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let program = Program::find(Some(folder.path().as_os_str())).unwrap();
        (folder, program)
    }

    fn files() -> Files {
        [("o/kustomization.yaml".to_owned(), b"resources: []".to_vec())].into()
    }

    #[test]
    fn a_program_is_an_executable_file_of_an_absolute_folder() {
        let (folder, kubectl) = fake("kubectl", "true");
        assert_eq!(kubectl.words, ["kustomize"]);
        let path = std::env::join_paths([Path::new("bin"), folder.path()]).unwrap();
        assert_eq!(Program::find(Some(&path)), Some(kubectl));
        std::fs::write(folder.path().join("kustomize"), "no program").unwrap();
        assert_eq!(Program::find(Some(&path)).unwrap().words, ["kustomize"], "not executable");
        std::fs::set_permissions(folder.path().join("kustomize"), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(Program::find(Some(&path)).unwrap().words, ["build"]);
        assert_eq!((Program::find(None), Program::find(Some(OsStr::new("")))), (None, None));
    }

    #[tokio::test]
    async fn it_gets_a_private_folder_and_no_environment() {
        let script = "/usr/bin/env; /bin/ls -ld \"$PWD\"; echo \"$@\"; /bin/cat \"$2/kustomization.yaml\"";
        let (_folder, program) = fake("kustomize", script);
        let said = String::from_utf8(program.render(&files(), "o/", 10_000).await.unwrap()).unwrap();
        assert!(!said.contains("PATH=") && !said.contains("HOME=") && !said.contains("CARGO"), "{said}");
        assert!(said.contains("drwx------") && said.ends_with("resources: []"), "{said}");
        let folder = said.lines().find_map(|line| line.strip_prefix("build ")).unwrap();
        assert!(folder.starts_with('/') && !Path::new(folder).exists(), "{folder} is gone afterwards");
    }

    #[tokio::test]
    async fn too_much_and_a_failure_are_told() {
        let (_folder, program) = fake("kustomize", "while :; do echo xxxxxxxxxxxxxxxx; done");
        assert!(matches!(program.render(&files(), "o/", 1_000).await, Err(Failed::Manifests(_))));
        let (_folder, program) = fake("kubectl", "echo \"$2: no such patch\" >&2; exit 1");
        let Err(Failed::Manifests(said)) = program.render(&files(), "o/", 1_000).await else { panic!("rendered") };
        assert_eq!(said.to_string(), "kubectl kustomize says: /o/: no such patch");
    }
}
