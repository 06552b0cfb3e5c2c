//! Fields that the forms of several acts share.

use crate::i18n::T;
use crate::ui::{Icon, TextArea};
use leptos::prelude::*;

/// A field's value with what is wrong with it.
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

pub fn reason_field(t: T, field: Field, required: bool) -> AnyView {
    let hint = t.reason_hint().to_owned();
    match field.error {
        Some(error) => view! {
            <TextArea t=t name="reason" label=t.reason() value=field.value hint=hint required=required rows=2 error=error />
        }
        .into_any(),
        None => view! { <TextArea t=t name="reason" label=t.reason() value=field.value hint=hint required=required rows=2 /> }.into_any(),
    }
}

/// Production: the name has to be typed.
pub fn confirm_field(t: T, name: &str, error: Option<String>) -> impl IntoView + use<> {
    typed_name(t, "confirm", name, t.confirm_hint(), error)
}

/// The name of a thing has to be typed before something dangerous is done to it.
pub fn typed_name(
    t: T,
    field: &'static str,
    name: &str,
    hint: &'static str,
    error: Option<String>,
) -> impl IntoView + use<> {
    let name = name.to_owned();
    let invalid = error.is_some().then_some("true");
    let (id, hint_id, err_id) = (format!("f-{field}"), format!("f-{field}-hint"), format!("f-{field}-err"));
    let described = if error.is_some() { format!("{err_id} {hint_id}") } else { hint_id.clone() };
    view! {
        <div class="field">
            <label for=id.clone()>{t.confirm_label(&name)}</label>
            <input
                class="input code"
                id=id
                name=field
                type="text"
                required=true
                autocomplete="off"
                spellcheck="false"
                aria-describedby=described
                aria-invalid=invalid
                data-confirm=name
            />
            <div class="hint" id=hint_id>{hint}</div>
            {error
                .map(|error| {
                    view! {
                        <div class="err" id=err_id>
                            <Icon name="bad" />
                            <span>{error}</span>
                        </div>
                    }
                })}
        </div>
    }
}
