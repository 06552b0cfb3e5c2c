//! The fields of a schema as inputs.

use super::schema::{Field, Kind};
use super::values::{from_of, reference_of};
use crate::i18n::T;
use crate::ui::{Check, Icon, Select, Text, TextArea, in_textarea};
use crate::web::{Errors, Fields};
use leptos::prelude::*;

/// Draws all fields with the values of `form` and the errors beside them.
pub fn inputs(t: T, fields: &[Field], form: &Fields, errors: &Errors) -> Vec<AnyView> {
    fields.iter().map(|field| input(t, field, form, errors, true)).collect()
}

/// `enforced`: what is around the field has to be given.
fn input(t: T, field: &Field, form: &Fields, errors: &Errors, enforced: bool) -> AnyView {
    let (name, value) = (field.name(), form.raw(&field.name()).to_owned());
    let (label, hint, error) = (field.title.clone(), field.hint.clone(), errors.of(&field.pointer()));
    let required = field.required;
    match &field.kind {
        Kind::Group(inner) => {
            let enforced = enforced && required;
            let inner = inner.iter().map(|field| input(t, field, form, errors, enforced)).collect();
            group(t, field, inner, error)
        }
        Kind::Secret { plain } => secret(t, field, *plain, form, error),
        Kind::YesNo => yes_no(name, label, form.on(&field.name()), hint, error),
        Kind::OneOf(words) => {
            let none = (!required).then(|| (String::new(), t.nothing().to_owned()));
            let choices = none.into_iter().chain(words.iter().map(|word| (word.clone(), word.clone()))).collect();
            view! { <Select t=t name=name label=label choices=choices value=value hint=hint error=error required=required /> }
                .into_any()
        }
        Kind::Lines => {
            let hint =
                Some(hint.map_or_else(|| t.one_a_line().to_owned(), |hint| format!("{hint} {}", t.one_a_line())));
            view! { <TextArea t=t name=name label=label value=value hint=hint error=error required=required code=true /> }
                .into_any()
        }
        Kind::Long => {
            view! { <TextArea t=t name=name label=label value=value hint=hint error=error required=required code=true /> }
                .into_any()
        }
        Kind::Json => {
            let label = format!("{label} · {}", t.config_json());
            view! { <TextArea t=t name=name label=label value=value hint=hint error=error required=required code=true /> }
                .into_any()
        }
        Kind::Text | Kind::Address | Kind::Whole | Kind::Decimal | Kind::Numbers => {
            let example = field.example.clone().unwrap_or_default();
            view! {
                <Text
                    t=t
                    name=name
                    label=label
                    value=value
                    hint=hint
                    error=error
                    required=required
                    enforced=enforced
                    code=true
                    autocomplete="off"
                    placeholder=example
                />
            }
            .into_any()
        }
    }
}

/// What is wrong with a field.
pub fn problem(id: String, error: Option<String>) -> Option<impl IntoView> {
    error.map(|error| {
        view! {
            <div class="err" id=id>
                <Icon name="bad" />
                <span>{error}</span>
            </div>
        }
    })
}

/// A question with a box to tick.
pub fn yes_no(name: String, label: String, on: bool, hint: Option<String>, error: Option<String>) -> AnyView {
    let id = format!("f-{name}-err");
    view! {
        <div class="field">
            <Check name=name label=label checked=on />
            {hint.map(|hint| view! { <div class="hint">{hint}</div> })}
            {problem(id, error)}
        </div>
    }
    .into_any()
}

fn group(t: T, field: &Field, inner: Vec<AnyView>, error: Option<String>) -> AnyView {
    let id = format!("f-{}-err", field.name());
    let optional = (!field.required).then(|| view! { <span class="opt">" ("{t.optional()}")"</span> });
    view! {
        <fieldset class="field">
            <legend>{field.title.clone()} {optional}</legend>
            {field.hint.clone().map(|hint| view! { <div class="hint">{hint}</div> })}
            {inner}
            {problem(id, error)}
        </fieldset>
    }
    .into_any()
}

/// The sources a secret may have, as choices.
fn secret_sources(t: T, stored: bool, required: bool, plain: bool) -> Vec<(String, String)> {
    let mut choices = Vec::new();
    if stored {
        choices.push(("keep", t.secret_keep()));
    }
    if !required {
        choices.push(("", t.secret_none()));
    }
    if plain {
        choices.push(("plain", t.secret_plain()));
    }
    choices.extend([
        ("value", t.secret_value()),
        ("env", t.secret_env()),
        ("file", t.secret_file()),
        ("vault", t.secret_vault()),
    ]);
    choices.into_iter().map(|(key, words)| (key.to_owned(), words.to_owned())).collect()
}

/// Where the secret comes from, and the two inputs for it; a stored one is only told to be there.
fn secret(t: T, field: &Field, plain: bool, form: &Fields, error: Option<String>) -> AnyView {
    let name = field.name();
    let (value_id, ref_id, err_id) = (format!("f-{name}"), format!("f-{name}-ref"), format!("f-{name}-err"));
    let from = form.get(&from_of(&name)).to_owned();
    let stored = form.on(&stored_of(&name)) || from == "keep";
    let choices = secret_sources(t, stored, field.required, plain);
    // Only what is no secret comes back into the form.
    let shown = if from == "plain" { form.raw(&name).to_owned() } else { String::new() };
    let reference = form.get(&reference_of(&name)).to_owned();
    let invalid = error.is_some().then_some("true");
    let described = error.is_some().then(|| err_id.clone());
    view! {
        <fieldset class="field">
            <legend>
                {field.title.clone()} {(!field.required).then(|| view! { <span class="opt">" ("{t.optional()}")"</span> })}
            </legend>
            {field.hint.clone().map(|hint| view! { <div class="hint">{hint}</div> })}
            {stored.then(|| view! { <input type="hidden" name=stored_of(&name) value="true" /> })}
            <Select t=t name=from_of(&name) label=t.secret_from() choices=choices value=from />
            <div class="pair">
                <div class="field">
                    <label for=value_id.clone()>{t.secret_value_label()}</label>
                    <textarea
                        class="input code"
                        id=value_id
                        name=name.clone()
                        rows="2"
                        autocomplete="off"
                        spellcheck="false"
                        aria-invalid=invalid
                        aria-describedby=described.clone()
                    >
                        {in_textarea(shown)}
                    </textarea>
                </div>
                <div class="field">
                    <label for=ref_id.clone()>{t.secret_reference_label()}</label>
                    <input
                        class="input code"
                        id=ref_id
                        name=reference_of(&name)
                        value=reference
                        autocomplete="off"
                        spellcheck="false"
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                </div>
            </div>
            {problem(err_id, error)}
        </fieldset>
    }
    .into_any()
}

/// Goes along with a form so that "keep" can still be chosen after an error.
fn stored_of(name: &str) -> String {
    format!("{name}:stored")
}
