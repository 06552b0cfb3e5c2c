//! Form fields: label, hint, and the error beside the field it belongs to, tied together for screen readers.

use super::Icon;
use crate::i18n::T;
use leptos::prelude::*;

fn described_by(id: &str, hint: bool, error: bool) -> Option<String> {
    match (hint, error) {
        (false, false) => None,
        (true, false) => Some(format!("{id}-hint")),
        (false, true) => Some(format!("{id}-err")),
        (true, true) => Some(format!("{id}-err {id}-hint")),
    }
}

#[component]
fn Label(t: T, id: String, label: String, required: bool) -> impl IntoView {
    view! {
        <label for=id>
            {label} {(!required).then(|| view! { <span class="opt">" ("{t.optional()}")"</span> })}
        </label>
    }
}

#[component]
fn Notes(id: String, hint: Option<String>, error: Option<String>) -> impl IntoView {
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-err"));
    view! {
        {hint.map(|hint| view! { <div class="hint" id=hint_id>{hint}</div> })}
        {error
            .map(|error| {
                view! {
                    <div class="err" id=error_id>
                        <Icon name="bad" />
                        <span>{error}</span>
                    </div>
                }
            })}
    }
}

/// One line of text (or a number, a password, a moment: `kind` is the input's type).
#[component]
pub fn Text(
    t: T,
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional_no_strip, into)] hint: Option<String>,
    #[prop(optional_no_strip, into)] error: Option<String>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = false)] required: bool,
    // Without it the browser lets an empty field pass: a part of something that may be left out as a whole.
    #[prop(default = true)] enforced: bool,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] placeholder: Option<String>,
    #[prop(default = false)] code: bool,
) -> impl IntoView {
    let id = format!("f-{name}");
    let described = described_by(&id, hint.is_some(), error.is_some());
    view! {
        <div class="field">
            <Label t=t id=id.clone() label=label required=required />
            <input
                class=if code { "input code" } else { "input" }
                id=id.clone()
                name=name
                type=kind
                value=value
                required=required && enforced
                autocomplete=autocomplete
                placeholder=placeholder
                spellcheck=code.then_some("false")
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described
            />
            <Notes id=id hint=hint error=error />
        </div>
    }
}

/// Text for the inside of a `<textarea>`: the renderer writes it there as it stands, so that what somebody typed could end the
/// field and begin an element of its own. A browser that builds the field itself sets text, which needs no escape.
#[must_use]
pub fn in_textarea(value: String) -> String {
    if cfg!(feature = "ssr") { value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { value }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    t: T,
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional_no_strip, into)] hint: Option<String>,
    #[prop(optional_no_strip, into)] error: Option<String>,
    #[prop(default = false)] required: bool,
    #[prop(default = false)] code: bool,
    #[prop(default = 3)] rows: u8,
) -> impl IntoView {
    let id = format!("f-{name}");
    let described = described_by(&id, hint.is_some(), error.is_some());
    view! {
        <div class="field">
            <Label t=t id=id.clone() label=label required=required />
            <textarea
                class=if code { "input code" } else { "input" }
                id=id.clone()
                name=name
                rows=rows.to_string()
                required=required
                spellcheck=code.then_some("false")
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described
            >
                {in_textarea(value)}
            </textarea>
            <Notes id=id hint=hint error=error />
        </div>
    }
}

/// One of a list; each choice is (value, words).
#[component]
pub fn Select(
    t: T,
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    choices: Vec<(String, String)>,
    #[prop(optional, into)] value: String,
    #[prop(optional_no_strip, into)] hint: Option<String>,
    #[prop(optional_no_strip, into)] error: Option<String>,
    #[prop(default = true)] required: bool,
) -> impl IntoView {
    let id = format!("f-{name}");
    let described = described_by(&id, hint.is_some(), error.is_some());
    let options = choices
        .into_iter()
        .map(|(key, words)| {
            let selected = key == value;
            view! { <option value=key selected=selected>{words}</option> }
        })
        .collect::<Vec<_>>();
    view! {
        <div class="field">
            <Label t=t id=id.clone() label=label required=required />
            <select
                class="input"
                id=id.clone()
                name=name
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described
            >
                {options}
            </select>
            <Notes id=id hint=hint error=error />
        </div>
    }
}

/// Yes or no.
#[component]
pub fn Check(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(default = false)] checked: bool,
) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" name=name value="true" checked=checked />
            <span>{label}</span>
        </label>
    }
}

/// One of a few, each with an explanation.
#[component]
pub fn Choice(
    #[prop(into)] name: String,
    #[prop(into)] value: String,
    #[prop(into)] label: String,
    #[prop(into)] hint: String,
    #[prop(default = false)] checked: bool,
) -> impl IntoView {
    view! {
        <label class="check">
            <input type="radio" name=name value=value checked=checked />
            <span>
                {label}
                <span class="muted" style="display:block">
                    {hint}
                </span>
            </span>
        </label>
    }
}

/// The name of a thing, typed before something dangerous is done to it. The page's script keeps the button closed until then;
/// the server looks again.
#[component]
pub fn TypedName(
    t: T,
    name: &'static str,
    #[prop(into)] of: String,
    #[prop(into)] hint: String,
    #[prop(optional_no_strip, into)] error: Option<String>,
) -> impl IntoView {
    let id = format!("f-{name}");
    let described = described_by(&id, true, error.is_some());
    view! {
        <div class="field">
            <Label t=t id=id.clone() label=t.confirm_label(&of) required=true />
            <input
                class="input code"
                id=id.clone()
                name=name
                type="text"
                required=true
                autocomplete="off"
                spellcheck="false"
                aria-describedby=described
                aria-invalid=error.is_some().then_some("true")
                data-confirm=of
            />
            <Notes id=id hint=Some(hint) error=error />
        </div>
    }
}

/// A value that goes along.
#[component]
pub fn Hidden(name: &'static str, #[prop(into)] value: String) -> impl IntoView {
    view! { <input type="hidden" name=name value=value /> }
}
