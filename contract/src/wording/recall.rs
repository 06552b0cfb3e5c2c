//! Finding the template again of a sentence that went through somebody else's error type, which keeps words only.

use super::{Template, Text, french};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Fewer own words than this could be anybody's.
const OWN_WORDS_BYTES: usize = 20;

impl Text {
    /// A sentence of ours from its English words; others stay as they are.
    #[must_use]
    pub fn recall(words: &str) -> Self {
        let found = french::templates().filter_map(|template| {
            let own = own_bytes(template);
            (own >= OWN_WORDS_BYTES || own == words.len()).then_some(())?;
            Some((own, template, arguments(template, words)?))
        });
        // The one with the most words of its own.
        match found.max_by_key(|(own, template, _)| (*own, *template)) {
            Some((_, template, with)) => Self::Template(Template { said: Cow::Borrowed(template), with }),
            None => Self::verbatim(words),
        }
    }
}

fn own_bytes(template: &'static str) -> usize {
    pieces(template).map(|(own, _)| own.len()).sum()
}

/// The words before each placeholder with its name; the last has none.
fn pieces(template: &'static str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let mut rest = Some(template);
    std::iter::from_fn(move || {
        let text = rest?;
        let placeholder = text.split_once('{').and_then(|(own, after)| Some((own, after.split_once('}')?)));
        let Some((own, (name, after))) = placeholder else {
            rest = None;
            return Some((text, None));
        };
        rest = Some(after);
        Some((own, Some(name)))
    })
}

/// What stands in the places of the placeholders.
fn arguments(template: &'static str, words: &str) -> Option<BTreeMap<Cow<'static, str>, Text>> {
    let mut with = BTreeMap::new();
    let mut rest = words;
    let mut open: Option<&'static str> = None;
    for (own, placeholder) in pieces(template) {
        let at = match open {
            None => rest.starts_with(own).then_some(0)?,
            Some(_) if own.is_empty() && placeholder.is_none() => rest.len(),
            Some(_) if placeholder.is_none() => rest.ends_with(own).then(|| rest.len() - own.len())?,
            Some(_) => rest.find(own).filter(|_| !own.is_empty())?,
        };
        if let Some(name) = open {
            with.insert(Cow::Borrowed(name), Text::recall(&rest[..at]));
        }
        rest = &rest[at + own.len()..];
        open = placeholder;
    }
    rest.is_empty().then_some(with)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Locale, text};

    #[test]
    fn a_sentence_of_ours_is_known_again_with_its_arguments() {
        let shown = "A_b".to_owned();
        let allowed = text!("1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends");
        let text = text!("'{shown}' is not a Kubernetes name; allowed: {allowed}", shown, allowed);
        let again = Text::recall(&text.to_string());
        assert_eq!(again.to_string(), text.to_string());
        assert_eq!(again.said(Locale::Fr), text.said(Locale::Fr));
        assert_eq!(Text::recall("server needs a token"), text!("server needs a token"));
    }

    #[test]
    fn words_of_others_stay() {
        for words in ["connection refused", "", "os error 2", "{", "a: b: c"] {
            assert_eq!(Text::recall(words), Text::verbatim(words));
        }
    }
}
