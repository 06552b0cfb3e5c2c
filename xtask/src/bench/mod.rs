//! `cargo xtask bench`: the figures of a catalog of 10,000 components and of error budgets, each beside its target.
//!
//! A release build with its site, on a private Postgres, asked over HTTP by a person with a role: what somebody who installs it would
//! measure. The generator shares the machine with the server, so processor time per request is printed beside requests per second.

mod audit;
mod browser;
mod catalog;
mod first_load;
mod flat;
pub mod http;
mod importing;
mod load;
mod people;
mod previews;
mod process;
mod report;
mod request;
mod run;
mod server;
mod slo;
mod workload;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::build::{self, Client, Profile};
use crate::install;
use crate::paths::Paths;
use crate::steps::Steps;
use catalog::Shape;
use people::People;
use report::{Figure, Target};
use server::{Installation, Scratch};

/// Components of the catalog that the targets are about.
const COMPONENTS: usize = 10_000;
/// The sizes between which a request must cost about the same.
const SIZES: (usize, usize) = (1_000, 100_000);

/// What can be chosen.
#[derive(Debug)]
pub struct Bench {
    /// Take the release build that is there.
    pub no_build: bool,
    /// Leave the comparison of sizes out.
    pub quick: bool,
    /// Fail when a figure misses its target.
    pub strict: bool,
    /// For each load.
    pub seconds: u64,
    /// Leave the browser out.
    pub no_browser: bool,
    /// All when empty.
    pub only: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Starts, memory, lists and pages
    Reads,
    /// Every file of a new service
    Previews,
    /// The first row in Chromium
    Browser,
    /// Audited changes, and their verification
    Audit,
    /// A small and a large catalog
    Sizes,
    /// Error budgets
    Budgets,
}

impl Bench {
    fn wants(&self, part: Part) -> bool {
        let left_out = match part {
            Part::Sizes | Part::Budgets => self.quick,
            Part::Browser => self.no_browser,
            Part::Reads | Part::Previews | Part::Audit => false,
        };
        !left_out && (self.only.is_empty() || self.only.contains(&part))
    }
}

pub fn run(paths: &Paths, bench: &Bench) -> Result<()> {
    let mut steps = Steps::new(7);
    let profile = Profile::Release;
    steps.step("Postgres", install::postgres)?;
    steps.step("release build", || {
        if bench.no_build {
            return Ok(());
        }
        install::wasm_target(paths)?;
        build::build_site(paths, profile, Client::Small)?;
        build::build_server(paths, profile, false)
    })?;
    let scratch = Scratch::new()?;
    let installation = Installation {
        binary: profile.binary(paths),
        site: profile.site(paths),
        data: scratch.folder("main"),
        settings: Vec::new(),
    };
    let duration = Duration::from_secs(bench.seconds);
    let started_at_load = process::load_average();
    let (shape, mut figures) = (Shape::of(COMPONENTS), Vec::new());
    let on_one = [Part::Reads, Part::Previews, Part::Browser, Part::Audit];
    if on_one.iter().any(|part| bench.wants(*part)) {
        let people = steps.step("import", || run::import(&installation, &shape, &mut figures))?;
        steps
            .step("reads and changes", || on_one_server(paths, bench, &installation, &shape, &people, &mut figures))?;
    }
    if bench.wants(Part::Sizes) {
        steps.step("a small and a large catalog", || {
            run::flatness(&installation, &scratch, SIZES, duration, &mut figures)
        })?;
    }
    if bench.wants(Part::Budgets) {
        let measured = steps.step("error budgets", || {
            install::prometheus()?;
            slo::run(&installation, &scratch, duration, &mut figures)
        });
        // What was measured until then took minutes.
        measured.inspect_err(|_| print(&figures, &started_at_load))?;
    }
    steps.step("report", || {
        print(&figures, &started_at_load);
        Ok(())
    })?;
    let missed = figures.iter().filter(|figure| !figure.passes()).count();
    if bench.strict && missed > 0 {
        bail!("{missed} figures miss their target");
    }
    Ok(())
}

fn on_one_server(
    paths: &Paths,
    bench: &Bench,
    installation: &Installation,
    shape: &Shape,
    people: &People,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let browser = if bench.wants(Part::Browser) { Some(install::chromium()?) } else { None };
    let duration = Duration::from_secs(bench.seconds);
    let server = run::start(installation, figures)?;
    if bench.wants(Part::Reads) {
        run::reads(&server, shape, people, duration, figures)?;
    }
    if bench.wants(Part::Previews) {
        previews::run(&server, people, duration, figures)?;
    }
    if let Some(chromium) = &browser {
        let first_row = browser::first_row(paths, &server, &people.session, chromium)?;
        figures.push(Figure::new("first row in the browser", first_row, "ms", Target::AtMost(360.0)));
    }
    // Last: it leaves tens of thousands of releases behind.
    if bench.wants(Part::Audit) {
        audit::run(installation, &server, people, duration, figures)?;
    }
    Ok(())
}

fn print(figures: &[Figure], started_at_load: &str) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{}", report::table(figures));
    println!(
        "{cores} cores; load average {started_at_load} before and {} after. The generator of the load runs on the same cores.",
        process::load_average()
    );
    println!(
        "With more than about one other runnable process, requests per second and percentiles say how busy the machine is; \
         processor time per request then still says what the server costs."
    );
}
