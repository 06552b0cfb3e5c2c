//! Runs the private cluster of a data folder in the foreground: `passerelle-postgres FOLDER [--not-durable]`.
//!
//! Prints the database's URL on one line, then waits until its input is closed or it is interrupted. For a developer
//! who wants a database at hand, and for the tests that kill an owner.

use std::io::Read as _;
use std::process::ExitCode;

use passerelle_embedded_postgres::{DATABASE, EmbeddedPostgres, Options};

fn main() -> ExitCode {
    let mut folder = None;
    let mut durable = true;
    for argument in std::env::args_os().skip(1) {
        if argument == "--not-durable" {
            durable = false;
        } else {
            folder = Some(argument);
        }
    }
    let Some(folder) = folder else {
        eprintln!("usage: passerelle-postgres FOLDER [--not-durable]");
        return ExitCode::from(2);
    };
    match EmbeddedPostgres::start(Options { data_folder: folder.into(), durable }) {
        Ok(postgres) => {
            println!("{}", postgres.url(DATABASE));
            let mut rest = Vec::new();
            // Either the end of the input or an unreadable one: both mean that nobody is there any more.
            let _ = std::io::stdin().read_to_end(&mut rest);
            postgres.stop();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
