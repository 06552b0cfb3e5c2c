//! Files of objectives, and what a Prometheus answers.

use crate::{choice, lossy};
use passerelle_metrics::read_range;
use passerelle_slo_formats::reading::{Language, sentence};
use passerelle_slo_formats::rules::{RuledSlo, groups, rule_file};
use passerelle_slo_formats::{Conventions, openslo, read_documents};
use reqwest::StatusCode;

pub fn run(bytes: &[u8]) {
    let conventions = Conventions::usual("shop/web");
    let outcome = read_documents(&lossy(bytes), &conventions);
    if !outcome.problems.is_empty() {
        return;
    }
    for (_, definition) in outcome.definitions() {
        drop(sentence(definition, Language::French));
        let written = openslo::write(definition);
        let again = read_documents(&written, &conventions);
        assert!(again.problems.is_empty(), "what we write we do not read: {:?}\n{written}", again.problems);
        let ruled =
            RuledSlo { definition: definition.clone(), service: "shop/web".to_owned(), tier: "production".to_owned() };
        drop(rule_file(&groups(&[ruled])));
    }
}

pub fn prometheus(bytes: &[u8]) {
    let (status, body) = choice(bytes);
    let status = [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::BAD_GATEWAY][status % 3];
    let Ok(found) = read_range(status, body, &["code".to_owned()], true) else { return };
    for point in found.values().flatten() {
        // Sums of a year of them must fit into 128 bits, and one into what JavaScript can count.
        assert!(point.milli.is_none_or(|milli| (0..1 << 53).contains(&milli)), "{point:?}");
    }
}
