//! Where a role holds: in words, and as two fields of a form.

use crate::i18n::T;
use crate::ui::{Select, Text};
use crate::web::{Errors, Fields};
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::access::{Role, Scope};

pub fn in_words(t: T, scope: &Scope) -> String {
    match scope {
        Scope::Everything => t.scope_everything().to_owned(),
        Scope::Team(team) => t.scope_of_team(team),
        Scope::System(system) => t.scope_of_system(system),
        Scope::Tier(tier) => t.scope_of_tier(tier),
    }
}

/// The fields `role`, `scope_kind` and `scope`; the role may be left out where none is `needed`.
pub fn inputs(t: T, form: &Fields, errors: &Errors, needed: bool) -> impl IntoView + use<> {
    let kinds = [
        ("everything", t.scope_everything()),
        ("team", t.scope_team()),
        ("system", t.scope_system()),
        ("tier", t.scope_tier()),
    ]
    .map(|(key, words)| (key.to_owned(), words.to_owned()))
    .to_vec();
    let none = (!needed).then(|| (String::new(), t.nothing().to_owned()));
    let roles = none.into_iter().chain(super::role_choices(t)).collect::<Vec<_>>();
    let hint = t.scope_value_hint().to_owned();
    view! {
        <div class="pair">
            <Select t=t name="role" label=t.col_role() choices=roles value=form.text("role") error=errors.of("/role") required=needed />
            <Select t=t name="scope_kind" label=t.col_scope() choices=kinds value=form.text("scope_kind") required=needed />
            <Text
                t=t
                name="scope"
                label=t.scope_value()
                value=form.text("scope")
                hint=hint
                error=errors.of("/scope")
                code=true
                autocomplete="off"
            />
        </div>
    }
}

/// # Errors
/// At `/role` or `/scope`.
pub fn read(t: T, form: &Fields) -> Result<(Role, Scope), FieldError> {
    let role = Role::parse(form.get("role")).ok_or_else(|| FieldError::said("/role", t.required()))?;
    let value = form.text("scope");
    let scope = match (form.get("scope_kind"), value.is_empty()) {
        ("team", false) => Scope::Team(value),
        ("system", false) => Scope::System(value),
        ("tier", false) => Scope::Tier(value),
        ("everything", true) => Scope::Everything,
        // A value without a kind would give more than was meant.
        ("everything", false) => return Err(FieldError::said("/scope", t.scope_everything_has_none())),
        _ => return Err(FieldError::said("/scope", t.required())),
    };
    Ok((role, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(kind: &str, value: &str) -> Fields {
        let pairs = [("role", "developer"), ("scope_kind", kind), ("scope", value)];
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect()
    }

    #[test]
    fn a_scope_is_never_wider_than_what_was_typed() {
        let t = T::default();
        assert_eq!(read(t, &form("team", "a/b")), Ok((Role::Developer, Scope::Team("a/b".to_owned()))));
        assert_eq!(read(t, &form("everything", "")), Ok((Role::Developer, Scope::Everything)));
        for (kind, value) in [("everything", "a/b"), ("team", ""), ("tier", " "), ("", "")] {
            assert_eq!(read(t, &form(kind, value)).unwrap_err().pointer, "/scope", "{kind} {value}");
        }
    }
}
