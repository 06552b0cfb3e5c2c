//! The engine, with what it may do: look at given names, choose, repeat over a given list, and a few filters. Everything else does not exist.

use crate::kind::FileKind;
use crate::write::{hcl_literal, json_literal};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value as Engine, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, filters};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Steps that the rendering of one file, or one expression, may take.
const FUEL: u64 = 100_000;
/// An expression that is longer is a program.
const MAX_EXPRESSION_BYTES: usize = 500;
/// What a filter may make of a value.
const MAX_FILTERED_BYTES: usize = 64 << 10;

/// Made once: the searcher for its delimiters costs more than most expressions do.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(made);

/// An environment with nothing in it but what this module allows.
pub fn environment() -> Environment<'static> {
    ENVIRONMENT.clone()
}

fn made() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(40);
    environment.set_keep_trailing_newline(true);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    let syntax = SyntaxConfig::builder()
        .block_delimiters("<%", "%>")
        .variable_delimiters("<{", "}>")
        .comment_delimiters("<#", "#>")
        .build();
    match syntax {
        Ok(syntax) => environment.set_syntax(syntax),
        // Six constants that are checked by every test of this crate.
        Err(error) => debug_assert!(false, "{error}"),
    }
    add_filters(&mut environment);
    environment.add_test("none", |value: &Engine| value.is_none());
    environment
}

/// What [`add_filters`] adds.
const FILTERS: [&str; 13] = [
    "default", "first", "hcl", "join", "last", "length", "literal", "lower", "replace", "split", "title", "trim",
    "upper",
];

fn add_filters(environment: &mut Environment<'_>) {
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("title", filters::title);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("split", filters::split);
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("hcl", hcl);
    environment.add_filter("literal", literal);
}

/// Filters are looked up when they are used; a template that names one that does not exist is told when it is loaded.
///
/// # Errors
/// The first that does not exist.
pub fn known_filters(source: &str) -> Result<(), String> {
    let (mut quote, mut rest) = (None, source.char_indices());
    while let Some((at, c)) = rest.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(rest.next()),
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '|') => {
                let name = source[at + 1..].trim_start();
                let name = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
                if !FILTERS.contains(&name) {
                    return Err(format!("the filter `{name}` does not exist; there are {}", FILTERS.join(", ")));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn replace(text: String, from: String, to: String) -> Result<String, Error> {
    let times = if from.is_empty() { text.len() + 1 } else { text.len() / from.len() };
    if text.len().saturating_add(times.saturating_mul(to.len())) > MAX_FILTERED_BYTES {
        return Err(Error::new(ErrorKind::InvalidOperation, "replace would make too long a text"));
    }
    Ok(text.replace(&from, &to))
}

fn join(list: &Engine, between: Option<String>) -> Result<String, Error> {
    let (between, mut joined) = (between.unwrap_or_default(), String::new());
    for (index, item) in list.try_iter()?.enumerate() {
        if index > 0 {
            joined.push_str(&between);
        }
        joined.push_str(&item.to_string());
        if joined.len() > MAX_FILTERED_BYTES {
            return Err(Error::new(ErrorKind::InvalidOperation, "join would make too long a text"));
        }
    }
    Ok(joined)
}

/// A quoted text of the Terraform language.
fn hcl(state: &State, value: &Engine) -> Result<Engine, Error> {
    if FileKind::of(state.name()) != FileKind::Hcl {
        return Err(Error::new(ErrorKind::InvalidOperation, "the filter hcl belongs into .tf, .tfvars and .hcl"));
    }
    quoted(value, hcl_literal)
}

/// A quoted text of the language of the file.
fn literal(state: &State, value: &Engine) -> Result<Engine, Error> {
    if FileKind::of(state.name()) != FileKind::Code {
        let languages = "the filter literal belongs into .py, .rs, .js, .mjs, .ts, .go and .java";
        return Err(Error::new(ErrorKind::InvalidOperation, languages));
    }
    if value.kind() == ValueKind::Bool && state.name().ends_with(".py") {
        return Ok(Engine::from_safe_string(if value.is_true() { "True" } else { "False" }.to_owned()));
    }
    quoted(value, json_literal)
}

fn quoted(value: &Engine, write: impl Fn(&str) -> String) -> Result<Engine, Error> {
    match value.kind() {
        ValueKind::String => Ok(Engine::from_safe_string(write(value.as_str().unwrap_or_default()))),
        ValueKind::Bool => Ok(Engine::from_safe_string(value.is_true().to_string())),
        ValueKind::Number => Ok(Engine::from_safe_string(value.to_string())),
        _ => Err(Error::new(ErrorKind::InvalidOperation, "only a text can be quoted")),
    }
}

/// The names that an expression looks at.
///
/// # Errors
/// What keeps it from being one.
pub fn names_in(source: &str) -> Result<BTreeSet<String>, String> {
    if source.len() > MAX_EXPRESSION_BYTES {
        return Err(format!("an expression has at most {MAX_EXPRESSION_BYTES} bytes"));
    }
    known_filters(source)?;
    let expression = ENVIRONMENT.compile_expression(source).map_err(|error| words(&error))?;
    Ok(expression.undeclared_variables(false).into_iter().collect())
}

/// The value of an expression.
///
/// # Errors
/// What the engine says.
pub fn evaluate(source: &str, names: &Map<String, Value>) -> Result<Value, String> {
    let value = value_of(source, &Engine::from_serialize(names))?;
    serde_json::to_value(&value).map_err(|error| error.to_string())
}

/// Whether a condition is met.
///
/// # Errors
/// What the engine says.
pub fn holds(source: &str, names: &Map<String, Value>) -> Result<bool, String> {
    holds_for(source, &Engine::from_serialize(names))
}

/// As [`holds`], with names that the engine has already.
pub fn holds_for(source: &str, names: &Engine) -> Result<bool, String> {
    value_of(source, names).map(|value| value.is_true())
}

fn value_of(source: &str, names: &Engine) -> Result<Engine, String> {
    let expression = ENVIRONMENT.compile_expression(source).map_err(|error| words(&error))?;
    let value = expression.eval(names).map_err(|error| words(&error))?;
    if value.is_undefined() { Err("has no value".to_owned()) } else { Ok(value) }
}

/// The kind of an error and its details, without the place, which the caller knows better.
pub fn words(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
