//! One parser under libFuzzer: `PASSERELLE_FUZZ` names it, the arguments are libFuzzer's. One program for all of them is linked once.
#![no_main]

use passerelle_fuzz::TARGETS;
use std::sync::OnceLock;

static RUN: OnceLock<fn(&[u8])> = OnceLock::new();

fn chosen() -> fn(&[u8]) {
    // libFuzzer's own hook ends the process at every panic; some are caught on purpose (the YAML reader's), and those that are not end it anyway.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let name = std::env::var("PASSERELLE_FUZZ").unwrap_or_default();
    match TARGETS.iter().find(|target| target.name == name) {
        Some(target) => target.run,
        None => {
            eprintln!("PASSERELLE_FUZZ must be one of {:?}", TARGETS.map(|target| target.name));
            std::process::exit(2);
        }
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| RUN.get_or_init(chosen)(bytes));
