//! What would change, and references to images in a readable length.

use super::CopyId;
use crate::i18n::T;
use leptos::prelude::*;
use passerelle_contract::deployments::DiffLine;

/// Digits of a digest that are shown; as many as Docker and Git show, enough to tell two apart.
const DIGITS: usize = 12;

/// The same with only the first digits of its digest; nothing when it has none.
fn shortened(text: &str) -> Option<String> {
    const MARK: &str = "@sha256:";
    let digest = text.find(MARK)? + MARK.len();
    let hex = text[digest..].bytes().take_while(u8::is_ascii_hexdigit).count();
    (hex > DIGITS).then(|| format!("{}…{}", &text[..digest + DIGITS], &text[digest + hex..]))
}

/// An image by name and tag, its digest shortened; the whole is in the tooltip, and one click copies it.
#[component]
pub fn ImageRef(t: T, #[prop(into)] image: String) -> impl IntoView {
    match shortened(&image) {
        Some(short) => {
            let title = image.clone();
            view! {
                <span class="mono break" title=title>
                    <CopyId t=t id=image shown=short />
                </span>
            }
            .into_any()
        }
        None => view! { <span class="mono break">{image}</span> }.into_any(),
    }
}

/// Field by field: what goes and what comes. Signs as well as colours.
#[component]
pub fn Diff(t: T, lines: Vec<DiffLine>) -> impl IntoView {
    let value = move |class: &'static str, sign: &'static str, value: String| {
        view! { <div class=class><span>{sign}</span> <ImageRef t=t image=value /></div> }
    };
    let rows = lines
        .into_iter()
        .map(|line| {
            view! {
                <div class="f">{line.field}</div>
                {line.before.map(|before| value("d", "−", before.to_string()))}
                {line.after.map(|after| value("a", "+", after.to_string()))}
            }
        })
        .collect::<Vec<_>>();
    view! { <div class="diff">{rows}</div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_shortened_and_nothing_else() {
        let digest = "ab".repeat(32);
        let image = format!("registry.example/shop/web:1.2@sha256:{digest}");
        assert_eq!(shortened(&image).as_deref(), Some("registry.example/shop/web:1.2@sha256:abababababab…"));
        assert_eq!(shortened(&format!("x@sha256:{digest} (was y)")).as_deref(), Some("x@sha256:abababababab… (was y)"));
        for whole in ["tinyweb:v1", "x@sha256:abc", "", "@sha256:"] {
            assert_eq!(shortened(whole), None, "{whole}");
        }
    }
}
