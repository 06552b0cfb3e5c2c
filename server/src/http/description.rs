//! What holds for every operation and is therefore not written at each: errors are problem documents, every part of a path is a
//! parameter, and types that only parameters name stand among the components.

use passerelle_contract::Problem;
use passerelle_contract::catalog::ServiceSort;
use passerelle_contract::slo::{RulesForm, SloSort};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::{Components, Content, Object, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Type};
use utoipa::{PartialSchema, ToSchema};

const PROBLEM: &str = "application/problem+json";

/// Completes a description.
pub fn complete(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            name_parameters(path, operation);
            describe_problems(operation);
        }
    }
    let components = document.components.get_or_insert_with(Components::new);
    add::<Problem>(components);
    add::<ServiceSort>(components);
    add::<SloSort>(components);
    add::<RulesForm>(components);
}

fn add<T: ToSchema + PartialSchema>(components: &mut Components) {
    let mut inner = Vec::new();
    T::schemas(&mut inner);
    components.schemas.entry(T::name().into_owned()).or_insert_with(T::schema);
    for (name, schema) in inner {
        components.schemas.entry(name).or_insert(schema);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

fn name_parameters(path: &str, operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in names {
        let named = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(known) if known.name == name);
        if !parameters.iter().any(named) {
            let text = Object::with_type(Type::String);
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            parameters.push(RefOr::T(parameter.required(Required::True).schema(Some(text)).build()));
        }
    }
    if parameters.is_empty() {
        operation.parameters = None;
    }
}

/// Errors that were written down get their media type, and all others are covered by the default.
fn describe_problems(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && (status.starts_with('4') || status.starts_with('5'))
        {
            *response = problem(std::mem::take(&mut response.description));
        }
    }
    let any = || RefOr::T(problem("What went wrong, by one of the codes of `ErrorCode`.".to_owned()));
    responses.entry("default".to_owned()).or_insert_with(any);
}

fn problem(description: String) -> Response {
    let schema = Ref::from_schema_name(Problem::name());
    ResponseBuilder::new().description(description).content(PROBLEM, Content::new(Some(schema))).build()
}
