//! Fields that the forms of several acts share.

use crate::i18n::T;
use crate::ui::{TextArea, TypedName};
use leptos::prelude::*;

/// A field's value with what is wrong with it.
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

pub fn reason_field(t: T, field: Field, required: bool) -> impl IntoView {
    let (hint, error) = (t.reason_hint().to_owned(), field.error);
    view! {
        <TextArea t=t name="reason" label=t.reason() value=field.value hint=hint error=error required=required rows=2 />
    }
}

/// Production: the name has to be typed.
pub fn confirm_field(t: T, name: &str, error: Option<String>) -> impl IntoView + use<> {
    view! { <TypedName t=t name="confirm" of=name hint=t.confirm_hint() error=error /> }
}
