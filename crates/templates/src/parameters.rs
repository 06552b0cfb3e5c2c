//! What a golden path asks: the part of JSON Schema that a form can show, checked when the template is loaded.

use crate::TemplateError;
use crate::manifest::{TEMPLATE_ID, TEMPLATE_VERSION, Wording};
use crate::yaml::At;
use regex::Regex;
use serde_json::{Map, Number, Value};

/// Length of a text without a `maxLength` of its own.
pub const LINE_CHARS: usize = 200;
/// The same for a text over several lines.
pub const AREA_CHARS: usize = 4_000;
/// Choices of a list.
const MAX_CHOICES: usize = 100;

/// How a field is shown, beyond what its type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Widget {
    /// A team of the catalog.
    Owner,
    /// A system of the catalog.
    System,
    /// An environment of the portal.
    Environment,
    /// The name of the service to be, which no other has.
    ServiceName,
    /// Several lines.
    TextArea,
}

impl Widget {
    const ALL: [(&'static str, Self); 5] = [
        ("owner", Self::Owner),
        ("system", Self::System),
        ("environment", Self::Environment),
        ("service-name", Self::ServiceName),
        ("text-area", Self::TextArea),
    ];
}

/// Which values a parameter takes.
#[derive(Debug, Clone)]
pub enum Kind {
    Text {
        pattern: Option<Regex>,
        min_chars: usize,
        max_chars: usize,
        format: Option<Format>,
        choices: Vec<String>,
    },
    /// Any of the choices, where there are some.
    Integer {
        min: Option<i64>,
        max: Option<i64>,
        choices: Vec<i64>,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
        choices: Vec<f64>,
    },
    Flag,
    /// Any of the choices, each once.
    Choices {
        choices: Vec<String>,
        min: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// http or https.
    Uri,
    Hostname,
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub title: Wording,
    pub help: Option<Wording>,
    pub kind: Kind,
    pub widget: Option<Widget>,
    pub when: Option<String>,
    pub required: bool,
    pub default: Option<Value>,
    pub examples: Vec<Value>,
}

impl Parameter {
    /// What a test answers.
    #[must_use]
    pub fn sample(&self) -> Option<&Value> {
        self.default.as_ref().or_else(|| self.examples.first())
    }
}

/// Values that were checked, every parameter and every computed name among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Parameters only: what is worth keeping.
    pub given: Map<String, Value>,
    pub(crate) all: Map<String, Value>,
}

pub fn is_name(text: &str) -> bool {
    let word = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let reserved = [TEMPLATE_ID, TEMPLATE_VERSION].contains(&text);
    word && !reserved && text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Reads the schema of the form.
pub fn read(schema: &At<'_>) -> Result<Vec<Parameter>, TemplateError> {
    schema.entries(Some(&["type", "properties", "required", "additionalProperties"]))?;
    if schema.get("type")?.text()? != "object" {
        return Err(schema.get("type")?.error("must be `object`"));
    }
    let mut parameters = Vec::new();
    let properties = schema.get("properties")?;
    for (name, at) in properties.entries(None)? {
        if !is_name(name) {
            return Err(at.error("is no name of a parameter: a-z, 0-9 and _, starting with a letter").of(Some(name)));
        }
        parameters.push(parameter(name, &at).map_err(|error| error.of(Some(name)))?);
    }
    for required in schema.find("required").map(|at| at.items()).transpose()?.unwrap_or_default() {
        let name = required.text()?;
        match parameters.iter_mut().find(|parameter| parameter.name == name) {
            Some(parameter) => parameter.required = true,
            None => return Err(required.error(format!("names `{name}`, which is no parameter")).of(Some(name))),
        }
    }
    for parameter in &parameters {
        let name = Some(parameter.name.as_str());
        let at = properties.get(&parameter.name)?;
        if parameter.required && parameter.sample().is_none() {
            return Err(at.error("is required: it needs a default, or examples").of(name));
        }
        for value in parameter.default.iter().chain(&parameter.examples) {
            if let Err(message) = crate::check::value(parameter, value) {
                return Err(at.error(format!("has a default or an example that {message}")).of(name));
            }
        }
    }
    Ok(parameters)
}

const COMMON: [&str; 9] =
    ["type", "title", "description", "default", "examples", "x-title", "x-help", "x-widget", "x-when"];

fn parameter(name: &str, at: &At<'_>) -> Result<Parameter, TemplateError> {
    let kind = kind(at)?;
    let widget = match at.find("x-widget") {
        None => None,
        Some(widget) => Some(widget_of(&widget, &kind)?),
    };
    let kind = match (kind, widget) {
        (Kind::Text { pattern, min_chars, format, choices, max_chars: LINE_CHARS }, Some(Widget::TextArea))
            if at.find("maxLength").is_none() =>
        {
            Kind::Text { pattern, min_chars, format, choices, max_chars: AREA_CHARS }
        }
        (kind, _) => kind,
    };
    Ok(Parameter {
        name: name.to_owned(),
        title: Wording::read(&at.get("x-title")?)?,
        help: at.find("x-help").map(|help| Wording::read(&help)).transpose()?,
        kind,
        widget,
        when: at.find("x-when").map(|when| when.text().map(str::to_owned)).transpose()?,
        required: false,
        default: at.find("default").map(|value| value.value.clone()),
        examples: at
            .find("examples")
            .map(|list| list.items())
            .transpose()?
            .unwrap_or_default()
            .iter()
            .map(|item| item.value.clone())
            .collect(),
    })
}

fn widget_of(at: &At<'_>, kind: &Kind) -> Result<Widget, TemplateError> {
    let wanted = at.text()?;
    if !matches!(kind, Kind::Text { .. }) {
        return Err(at.error("belongs to a text"));
    }
    let known = || Widget::ALL.map(|(name, _)| name).join(", ");
    let found = Widget::ALL.iter().find(|(name, _)| *name == wanted).map(|(_, widget)| *widget);
    found.ok_or_else(|| at.error(format!("is not known; known are {}", known())))
}

fn kind(at: &At<'_>) -> Result<Kind, TemplateError> {
    let kind = at.get("type")?;
    let own = |keywords: &[&'static str]| {
        let allowed: Vec<&str> = COMMON.iter().chain(keywords).copied().collect();
        at.entries(Some(&allowed)).map(drop)
    };
    match kind.text()? {
        "string" => {
            own(&["pattern", "minLength", "maxLength", "enum", "format"])?;
            text_kind(at)
        }
        "integer" => {
            own(&["minimum", "maximum", "enum"])?;
            let (min, max, choices) = numbers(at, |value| value.as_i64())?;
            Ok(Kind::Integer { min, max, choices })
        }
        "number" => {
            own(&["minimum", "maximum", "enum"])?;
            let (min, max, choices) = numbers(at, |value| value.as_f64())?;
            Ok(Kind::Number { min, max, choices })
        }
        "boolean" => own(&[]).map(|()| Kind::Flag),
        "array" => {
            own(&["items", "minItems", "uniqueItems"])?;
            let items = at.get("items")?;
            items.entries(Some(&["type", "enum"]))?;
            let min = at.find("minItems").map(|at| at.count()).transpose()?.unwrap_or(0);
            Ok(Kind::Choices { choices: choices(&items.get("enum")?)?, min })
        }
        _ => Err(kind.error("must be string, integer, number, boolean, or array of choices")),
    }
}

/// The least, the most, and the choices of a number.
type Numbers<N> = (Option<N>, Option<N>, Vec<N>);

fn numbers<N>(at: &At<'_>, read: impl Fn(&Value) -> Option<N>) -> Result<Numbers<N>, TemplateError> {
    let number = |at: &At<'_>| read(at.value).ok_or_else(|| at.error("must be a number of this type"));
    let bound = |key| at.find(key).map(|at| number(&at)).transpose();
    let choices = at.find("enum").map(|at| at.items()).transpose()?.unwrap_or_default();
    Ok((bound("minimum")?, bound("maximum")?, choices.iter().map(number).collect::<Result<_, _>>()?))
}

fn text_kind(at: &At<'_>) -> Result<Kind, TemplateError> {
    let pattern = match at.find("pattern") {
        None => None,
        // JSON Schema's `$` is the end of the text, as in this engine without the flag for lines.
        Some(pattern) => Some(Regex::new(pattern.text()?).map_err(|error| pattern.error(format!("{error}")))?),
    };
    let format = match at.find("format") {
        None => None,
        Some(format) => Some(match format.text()? {
            "uri" => Format::Uri,
            "hostname" => Format::Hostname,
            _ => return Err(format.error("is not known; known are uri and hostname")),
        }),
    };
    let choices = at.find("enum").map(|at| choices(&at)).transpose()?.unwrap_or_default();
    let min_chars = at.find("minLength").map(|at| at.count()).transpose()?.unwrap_or(0);
    let max_chars = at.find("maxLength").map(|at| at.count()).transpose()?.unwrap_or(LINE_CHARS);
    if max_chars > AREA_CHARS || min_chars > max_chars {
        return Err(at.error(format!("needs minLength <= maxLength <= {AREA_CHARS}")));
    }
    Ok(Kind::Text { pattern, min_chars, max_chars, format, choices })
}

fn choices(at: &At<'_>) -> Result<Vec<String>, TemplateError> {
    let items = at.items()?;
    if items.is_empty() || items.len() > MAX_CHOICES {
        return Err(at.error(format!("must have 1 to {MAX_CHOICES} choices")));
    }
    items.iter().map(|item| item.text().map(str::to_owned)).collect()
}

/// A number as it is kept: whole where it is whole.
pub fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() < 9e15).map(|value| {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within what both types hold exactly")]
            let whole = value as i64;
            whole
        })
    })
}
