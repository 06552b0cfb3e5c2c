//! The program begins again with another setting of its allocator; nothing else about it may change by that.

use std::process::{Command, Output};

fn run(arguments: &[&str], arenas: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passerelle"));
    command.args(arguments).env_remove("MALLOC_ARENA_MAX").env_remove("DATABASE_URL");
    if let Some(arenas) = arenas {
        command.env("MALLOC_ARENA_MAX", arenas);
    }
    command.output().unwrap()
}

#[test]
fn arguments_exit_code_and_output_survive_the_second_beginning() {
    for arguments in
        [&["validate-config"][..], &["--config", "no/such file.toml", "validate-config"], &["nonsense", ""]]
    {
        let (again, at_once) = (run(arguments, None), run(arguments, Some("4")));
        assert_eq!(again.status.code(), at_once.status.code(), "{arguments:?}");
        assert_eq!(again.stdout, at_once.stdout, "{arguments:?}");
        assert_eq!(again.stderr, at_once.stderr, "{arguments:?}");
    }
    assert!(run(&["validate-config"], None).status.success());
    assert!(!run(&["nonsense", ""], None).status.success());
}

#[test]
fn a_running_server_has_one_arena_and_keeps_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_passerelle"))
        .arg("serve")
        .env_remove("MALLOC_ARENA_MAX")
        // Nobody is there: it waits for its database long enough to be looked at.
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
        .env("PASSERELLE__DATA__FOLDER", folder.path())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let environment = format!("/proc/{}/environ", child.id());
    let start = std::time::Instant::now();
    let mut seen = false;
    while !seen && start.elapsed() < std::time::Duration::from_secs(10) {
        let variables = std::fs::read(&environment).unwrap_or_default();
        seen = variables.split(|byte| *byte == 0).any(|variable| variable == b"MALLOC_ARENA_MAX=1");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    // It may have given up on its database by now.
    let _ = child.kill();
    child.wait().unwrap();
    assert!(seen);
}
