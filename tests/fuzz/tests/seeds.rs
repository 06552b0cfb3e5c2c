//! Every parser over its seeds, over nothing, and over some thousand small changes of them: what `cargo xtask fuzz` does for a minute each, a moment of
//! it with every test. The changes are the same in every run.
#![expect(clippy::unwrap_used, reason = "tests")]

use passerelle_fuzz::{TARGETS, Target};
use std::path::Path;

/// Changes of each seed.
const CHANGES: usize = 40;
/// Texts that parsers stumble over.
const WORDS: [&[u8]; 16] = [
    b"\0",
    b"\xff",
    b"\"",
    b"{}",
    b"[",
    b"- ",
    b": ",
    b"&a *a",
    b"\r\n",
    b"%00",
    b"../",
    b"null",
    b"-1",
    b"9223372036854775808",
    b"NaN",
    "\u{202e}".as_bytes(),
];

fn seeds(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut seeds: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % sides.max(1)
    }

    fn changed(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.roll(3) {
            let at = self.roll(bytes.len() + 1);
            match self.roll(5) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.roll(8),
                1 => drop(bytes.splice(at..at, WORDS[self.roll(WORDS.len())].iter().copied())),
                2 => {
                    let end = (at + self.roll(20)).min(bytes.len());
                    drop(bytes.drain(at..end));
                }
                3 => {
                    let end = (at + self.roll(40)).min(bytes.len());
                    let again = bytes[at..end].to_vec();
                    drop(bytes.splice(at..at, again));
                }
                _ => bytes.truncate(at),
            }
        }
        bytes
    }
}

#[test]
fn no_seed_and_no_change_of_one_breaks_a_parser() {
    for target in TARGETS {
        let seeds = seeds(&target);
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        (target.run)(b"");
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        for (name, seed) in seeds {
            let mut input = seed.clone();
            for change in 0..=CHANGES {
                let run = std::panic::catch_unwind(|| (target.run)(&input));
                assert!(run.is_ok(), "{} {name}, change {change}: {:?}", target.name, String::from_utf8_lossy(&input));
                input = dice.changed(&seed);
            }
        }
    }
}

#[test]
fn every_folder_of_seeds_has_its_parser() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|target| target.name == name), "{name}");
    }
}
