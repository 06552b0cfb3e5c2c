//! What golden paths make is built and started: it answers, tells that it is well, and ends when it is told to. Only with `PASSERELLE_TEST_FULL`, since it fetches
//! dependencies and builds for minutes.

use passerelle_templates::Library;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Whether to go on; says why not.
fn is_asked() -> bool {
    let asked = std::env::var_os("PASSERELLE_TEST_FULL").is_some();
    if !asked {
        println!("left out: only with PASSERELLE_TEST_FULL");
    }
    asked
}

fn generate(language: &str, folder: &Path) {
    let library = Library::embedded();
    let template = library.get("swarm-service").unwrap();
    let mut answers = template.example();
    answers.insert("language".to_owned(), Value::from(language));
    answers.insert("database".to_owned(), json!(false));
    answers.retain(|name, _| !["base_image", "health_program", "run_as"].contains(&name.as_str()));
    for file in template.render(&template.answers(&answers).unwrap()).unwrap() {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.content).unwrap();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", said(&output.stdout), said(&output.stderr));
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The first line of the answer, once there is one.
fn asked(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().next().map(str::to_owned)
}

/// Answers, and ends by itself on SIGTERM.
fn lives_and_ends(mut service: Child, port: u16) {
    let start = Instant::now();
    let well = loop {
        if let Some(line) = asked(port, "/healthz") {
            break line;
        }
        assert!(service.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(start.elapsed() < Duration::from_secs(30), "it does not answer");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(well.contains(" 200"), "{well}");
    for path in ["/readyz", "/metrics", "/api/v1/info"] {
        let line = asked(port, path).unwrap();
        assert!(line.contains(" 200"), "{path}: {line}");
    }
    run(Command::new("kill").args(["-TERM", &service.id().to_string()]));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = service.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "{status}");
}

#[test]
fn a_service_in_rust_builds_answers_and_ends() {
    if !is_asked() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    generate("rust", folder.path());
    let cargo = |arguments: &[&str]| {
        // Of its own: not this workspace's profile, flags or folder.
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.args(arguments).current_dir(folder.path()).env("CARGO_TARGET_DIR", folder.path().join("target"));
        command.env_remove("RUSTFLAGS");
        command
    };
    run(&mut cargo(&["test", "--locked", "--quiet"]));
    run(&mut cargo(&["build", "--locked", "--quiet"]));
    let program = folder.path().join("target/debug/service");
    let port = free_port();
    let with_port = || {
        let mut command = Command::new(&program);
        command.env("PORT", port.to_string());
        command
    };
    let service = with_port().spawn().unwrap();
    let start = Instant::now();
    while asked(port, "/healthz").is_none() && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(100));
    }
    run(with_port().arg("health"));
    lives_and_ends(service, port);
}

/// One that is as new as the services ask for.
fn python() -> Option<OsString> {
    let named = std::env::var_os("PASSERELLE_TEST_PYTHON");
    let all = named.into_iter().chain(["python3.14", "python3.13", "python3"].map(OsString::from));
    let new = "import sys, venv; sys.exit(sys.version_info < (3, 13))";
    all.into_iter().find(|one| Command::new(one).args(["-c", new]).output().is_ok_and(|output| output.status.success()))
}

#[test]
fn a_service_in_python_answers_and_ends() {
    if !is_asked() {
        return;
    }
    let Some(python) = python() else {
        println!("left out: no Python 3.13 or later here; PASSERELLE_TEST_PYTHON names one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    generate("python", folder.path());
    run(Command::new(&python).args(["-m", "venv", "venv"]).current_dir(folder.path()));
    let own = |arguments: &[&str]| {
        let mut command = Command::new(folder.path().join("venv/bin/python"));
        command.args(arguments).current_dir(folder.path());
        command
    };
    run(&mut own(&["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", "requirements-dev.txt"]));
    run(&mut own(&["-m", "pytest", "--quiet"]));
    let port = free_port();
    let service = own(&["-m", "app"]).env("PORT", port.to_string()).spawn().unwrap();
    lives_and_ends(service, port);
}
