//! The values of a facet as what a select offers.

use crate::i18n::T;
use passerelle_contract::catalog::FacetValue;

/// As many values as a select can show without becoming a burden; the search finds the rest.
const MOST: usize = 200;

/// The values of a facet as choices of a select, "all" first; a value that is set stays choosable.
#[must_use]
pub fn facet_choices(t: T, values: &[FacetValue], set: &str) -> Vec<(String, String)> {
    let mut choices = vec![(String::new(), t.all().to_owned())];
    let mut listed: Vec<&FacetValue> = values.iter().take(MOST).collect();
    listed.sort_by(|a, b| a.value.cmp(&b.value));
    choices.extend(
        listed.iter().map(|facet| (facet.value.clone(), format!("{} ({})", facet.value, t.number(facet.count.into())))),
    );
    if !set.is_empty() && !choices.iter().any(|(value, _)| value == set) {
        choices.push((set.to_owned(), set.to_owned()));
    }
    choices
}
