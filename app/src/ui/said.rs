//! A sentence with the addresses in it as links, such as the page of a pipeline's job.

use leptos::prelude::*;

/// Each address is shown as it is, so that what is read is where it leads.
#[component]
pub fn Said(#[prop(into)] text: String) -> impl IntoView {
    let parts = pieces(&text)
        .into_iter()
        .map(|(link, piece)| {
            let piece = piece.to_owned();
            if link {
                let href = piece.clone();
                view! {
                    <a href=href rel="noreferrer">
                        {piece}
                    </a>
                }
                .into_any()
            } else {
                piece.into_any()
            }
        })
        .collect::<Vec<_>>();
    view! { <span class="break">{parts}</span> }
}

/// The text in parts; `true`: an address. Put together they are the text.
fn pieces(text: &str) -> Vec<(bool, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("https://") {
        let whole = &rest[start..];
        let end = whole.find(|sign: char| !sign.is_ascii_graphic() || "\"'<>`\\".contains(sign)).unwrap_or(whole.len());
        // A full stop or a bracket belongs to the sentence.
        let address = whole[..end].trim_end_matches(['.', ',', ';', ':', ')', '!', '?']);
        let (before, after) = (&rest[..start], &whole[address.len()..]);
        parts.push((false, before));
        parts.push((address.len() > "https://".len(), address));
        rest = after;
    }
    parts.push((false, rest));
    parts.retain(|(_, piece)| !piece.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn addresses_are_told_from_the_words_around_them() {
        let links = |text| {
            let parts = pieces(text);
            assert_eq!(parts.iter().map(|(_, piece)| *piece).collect::<String>(), text);
            parts.into_iter().filter(|(link, _)| *link).map(|(_, piece)| piece).collect::<Vec<_>>()
        };
        assert_eq!(links("job x failed: https://ci.example/jobs/1"), ["https://ci.example/jobs/1"]);
        assert_eq!(
            links("(https://a.example/x). Then https://b.example!"),
            ["https://a.example/x", "https://b.example"]
        );
        assert_eq!(links("<a href=\"https://a.example\">"), ["https://a.example"]);
        assert!(links("no address: http://x javascript:alert(1) https://").is_empty());
    }
}
