//! The parameters of one page as inputs.

use super::answers::{choice_of, is_on, name_of, pointer_of, typed};
use crate::environments::draw::{problem, yes_no};
use crate::i18n::T;
use crate::ui::{Alert, Check, Select, Text, TextArea, Tone};
use crate::web::{AppState, Errors, OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_server::catalog::EntityFilter;
use passerelle_server::onboarding::{Kind, Parameter, Widget};
use serde_json::{Map, Value};

/// More than one chooses from are typed.
const MAX_CHOICES: u32 = 200;

/// What the pickers offer.
#[derive(Debug, Default)]
pub struct Known {
    teams: Vec<String>,
    systems: Vec<String>,
    environments: Vec<String>,
}

impl Known {
    pub async fn read(app: &AppState, req: &Req) -> Result<Self, PageError> {
        let keys = |kind: &str, prefix: &str| {
            let filter =
                EntityFilter { kind: Some(kind.to_owned()), limit: Some(MAX_CHOICES), ..EntityFilter::default() };
            app.portal.catalog.list_entities(&req.ctx, &filter).map(|page| {
                let whole = page.next_cursor.is_none();
                let key = |reference: &str| {
                    let key = reference.split_once(':').map_or(reference, |(_, key)| key);
                    format!("{prefix}{key}")
                };
                page.items.iter().filter(|_| whole).map(|row| key(&row.reference)).collect::<Vec<_>>()
            })
        };
        let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(req)?;
        Ok(Self {
            teams: keys("group", "group:").or_page(req)?,
            systems: keys("system", "").or_page(req)?,
            environments: environments.into_iter().map(|environment| environment.name).collect(),
        })
    }

    fn choices(&self, widget: Option<Widget>) -> &[String] {
        match widget {
            Some(Widget::Owner) => &self.teams,
            Some(Widget::System) => &self.systems,
            Some(Widget::Environment) => &self.environments,
            Some(Widget::ServiceName | Widget::TextArea) | None => &[],
        }
    }
}

/// Above questions of which some are still open.
pub fn open_note(t: T, errors: &Errors) -> Option<AnyView> {
    let note = || {
        let view = view! {
            <div class="flash">
                <Alert tone=Tone::Off>
                    <p>{t.onboard_answers_open()}</p>
                </Alert>
            </div>
        };
        view.into_any()
    };
    errors.leave_open().then(note)
}

/// Draws the parameters with the answers so far and the errors beside them.
pub fn inputs(
    t: T,
    parameters: &[&Parameter],
    known: &Known,
    answers: &Map<String, Value>,
    errors: &Errors,
) -> Vec<AnyView> {
    parameters.iter().map(|parameter| input(t, parameter, known, answers, errors)).collect()
}

fn input(t: T, parameter: &Parameter, known: &Known, answers: &Map<String, Value>, errors: &Errors) -> AnyView {
    let (name, value) = (name_of(parameter), typed(parameter, answers));
    let label = parameter.title.said(t.0).to_owned();
    let open = errors.is_open(&pointer_of(parameter)).then(|| t.onboard_answer_open());
    let hints: Vec<&str> = open.into_iter().chain(parameter.help.as_ref().map(|help| help.said(t.0))).collect();
    let hint = (!hints.is_empty()).then(|| hints.join(" "));
    let (error, required) = (errors.of(&pointer_of(parameter)), parameter.required);
    let offered = known.choices(parameter.widget);
    match &parameter.kind {
        Kind::Flag => yes_no(name, label, is_on(parameter, None, answers), hint, error),
        Kind::Choices { choices, .. } => several(t, parameter, choices, answers, (label, hint, error)),
        Kind::Text { choices, .. } if !choices.is_empty() => {
            one_of(t, choices.clone(), (name, value), (label, hint, error), required)
        }
        Kind::Integer { choices, .. } if !choices.is_empty() => {
            let choices = choices.iter().map(ToString::to_string).collect();
            one_of(t, choices, (name, value), (label, hint, error), required)
        }
        Kind::Number { choices, .. } if !choices.is_empty() => {
            let choices = choices.iter().map(|choice| Value::from(*choice).to_string()).collect();
            one_of(t, choices, (name, value), (label, hint, error), required)
        }
        Kind::Text { .. } if !offered.is_empty() => {
            one_of(t, offered.to_vec(), (name, value), (label, hint, error), required)
        }
        Kind::Text { .. } if parameter.widget == Some(Widget::TextArea) => {
            view! { <TextArea t=t name=name label=label value=value hint=hint error=error required=required rows=5 /> }
                .into_any()
        }
        Kind::Text { .. } | Kind::Integer { .. } | Kind::Number { .. } => {
            let example = parameter.examples.first().map(plain).unwrap_or_default();
            let code = !matches!(&parameter.kind, Kind::Text { pattern: None, format: None, .. });
            view! {
                <Text
                    t=t
                    name=name
                    label=label
                    value=value
                    hint=hint
                    error=error
                    required=required
                    // What is missing is told by the server, beside the field and in the reader's language.
                    enforced=false
                    code=code
                    autocomplete="off"
                    placeholder=example
                />
            }
            .into_any()
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Label, hint and error of an input.
type Words = (String, Option<String>, Option<String>);

fn one_of(t: T, mut all: Vec<String>, (name, value): (String, String), words: Words, required: bool) -> AnyView {
    let (label, hint, error) = words;
    // What was answered stays to be seen, also when it is none of the choices any more.
    if !value.is_empty() && !all.contains(&value) {
        all.push(value.clone());
    }
    let open = (!required || value.is_empty()).then(|| (String::new(), t.onboard_choose().to_owned()));
    let choices = open.into_iter().chain(all.into_iter().map(|one| (one.clone(), one))).collect();
    view! { <Select t=t name=name label=label choices=choices value=value hint=hint error=error required=required /> }
        .into_any()
}

fn several(t: T, parameter: &Parameter, choices: &[String], answers: &Map<String, Value>, words: Words) -> AnyView {
    let (label, hint, error) = words;
    let id = format!("f-{}-err", name_of(parameter));
    let boxes = choices
        .iter()
        .map(|choice| {
            let on = is_on(parameter, Some(choice), answers);
            view! { <Check name=choice_of(parameter, choice) label=choice.clone() checked=on /> }
        })
        .collect::<Vec<_>>();
    let optional = (!parameter.required).then(|| view! { <span class="opt">" ("{t.optional()}")"</span> });
    view! {
        <fieldset class="field">
            <legend>{label} {optional}</legend>
            {hint.map(|hint| view! { <div class="hint">{hint}</div> })}
            <div class="pair">{boxes}</div>
            {problem(id, error)}
        </fieldset>
    }
    .into_any()
}
