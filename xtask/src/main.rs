//! `cargo xtask`: builds, checks, tests and demonstrates Passerelle. No other tool has to be installed.

mod bench;
mod build;
mod check;
mod demo;
mod dev;
mod fuzz;
mod install;
mod paths;
mod process;
mod rust_text;
mod signals;
mod steps;
mod supply;
mod test;
mod waiting;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use build::Profile;
use paths::Paths;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Builds, checks, tests and demonstrates Passerelle")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the browser client, the styles and the server
    Build {
        /// Optimised; the result is target/release/passerelle with target/release/site beside it
        #[arg(long)]
        release: bool,
        /// Only the site: client, styles, static files
        #[arg(long)]
        site_only: bool,
    },
    /// Install what is missing, build, and run the portal with its five demo systems on a simulator
    Demo {
        /// Where the demo keeps its database; made when absent
        #[arg(long, default_value = "data/demo")]
        data: PathBuf,
        /// Address of the portal
        #[arg(long, default_value = "127.0.0.1:3000")]
        listen: String,
        /// Optimised build: takes longer, runs faster
        #[arg(long)]
        release: bool,
    },
    /// Run the portal and rebuild it on every change
    Dev {
        /// Where the database is kept
        #[arg(long, default_value = "data/dev")]
        data: PathBuf,
        /// Address of the portal
        #[arg(long, default_value = "127.0.0.1:3000")]
        listen: String,
    },
    /// Check formatting, lints and the rules of the code
    Check {
        /// Write the files that a check compares, instead of comparing
        #[arg(long)]
        write: bool,
        /// Only these checks; all when empty
        #[arg(value_enum)]
        only: Vec<check::Rule>,
    },
    /// Install what is missing, then run the checks and every test
    Test {
        /// Also the slow tests
        #[arg(long)]
        full: bool,
    },
    /// Check bans, licences, sources and advisories of all dependencies, and write the list of parts
    Supply,
    /// Write the list of parts of the program (CycloneDX) to target/sbom/passerelle.cdx.json
    Sbom,
    /// Run every parser of what strangers send under libFuzzer
    Fuzz {
        /// For each of them
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only these parsers; all when empty
        only: Vec<String>,
    },
    /// Measure a release build with a catalog of 10,000 components and print each figure beside its target
    Bench {
        /// Take the release build that is there
        #[arg(long)]
        no_build: bool,
        /// Leave out the comparison of a small with a large catalog
        #[arg(long)]
        quick: bool,
        /// End with an error when a figure misses its target
        #[arg(long)]
        strict: bool,
        /// How long each load lasts
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Leave out the time in a browser
        #[arg(long)]
        no_browser: bool,
        /// Only these parts; all when empty
        #[arg(value_enum)]
        only: Vec<bench::Part>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let paths = Paths::find();
    let result = match arguments.task {
        Task::Build { release, site_only } => build::run(&paths, Profile::from_release(release), site_only),
        Task::Demo { data, listen, release } => {
            demo::run(&paths, &demo::Demo { data, listen, profile: Profile::from_release(release) })
        }
        Task::Dev { data, listen } => dev::run(&paths, &data, &listen),
        Task::Check { write, only } => check::run(&paths, &only, write),
        Task::Test { full } => test::run(&paths, full),
        Task::Supply => supply::run(&paths),
        Task::Fuzz { seconds, only } => fuzz::run(&paths, &fuzz::Fuzz { seconds, only }),
        Task::Sbom => supply::sbom::write(&paths).map(drop),
        Task::Bench { no_build, quick, strict, seconds, no_browser, only } => {
            bench::run(&paths, &bench::Bench { no_build, quick, strict, seconds, no_browser, only })
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
