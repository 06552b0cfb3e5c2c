//! Whether a workflow of GitHub can be run from here, by its file. Pure.

use super::config::{BindingConfig, Kind};
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};
use serde_yaml_ng::Value;

/// What stands against it; nothing for a workflow that fits.
pub(super) fn findings(file: &str, binding: &BindingConfig) -> Vec<Finding> {
    let name = binding.workflow.as_ref().map_or("", super::Workflow::as_str);
    let Ok(workflow) = serde_yaml_ng::from_str::<Value>(file) else {
        return vec![error("invalid_workflow", text!("workflow {name} is not YAML", name))];
    };
    let Some(dispatch) = dispatch(&workflow) else {
        return vec![error(
            "no_dispatch",
            text!("workflow {name} cannot be started from here: it has no workflow_dispatch", name),
        )];
    };
    let inputs = &dispatch["inputs"];
    let correlation = binding.correlation_field();
    let given: Vec<&str> = [binding.image_field(Kind::Github), correlation]
        .into_iter()
        .chain(binding.inputs.keys().map(super::FieldName::as_str))
        .collect();
    let mut found = Vec::new();
    for input in given.iter().filter(|input| inputs.get(**input).is_none()) {
        found.push(error("missing_input", text!("workflow {name} has no input {input}", name, input)));
    }
    for input in inputs.as_mapping().into_iter().flat_map(|inputs| inputs.keys()).filter_map(Value::as_str) {
        let needed = inputs[input]["required"].as_bool() == Some(true) && inputs[input].get("default").is_none();
        if needed && !given.contains(&input) {
            let message =
                text!("workflow {name} needs the input {input}, which the binding does not give", name, input);
            found.push(error("missing_input", message));
        }
    }
    if !shows(&workflow["run-name"], correlation) {
        let message = text!(
            "workflow {name} has no run-name with {input}, so its runs cannot be found again",
            name,
            input = format!("${{{{ inputs.{correlation} }}}}")
        );
        found.push(error("no_run_name", message));
    }
    if workflow.get("concurrency").is_none() {
        let message = text!("workflow {name} has no concurrency group, so two of its runs may overlap", name);
        found.push(Finding { severity: Severity::Warning, code: "no_concurrency".to_owned(), message });
    }
    found
}

fn error(code: &str, message: Text) -> Finding {
    Finding { severity: Severity::Error, code: code.to_owned(), message }
}

/// `on` is a name, a list of names, or a mapping.
fn dispatch(workflow: &Value) -> Option<Value> {
    const EVENT: &str = "workflow_dispatch";
    // Readers of YAML 1.1 take the word for true.
    let on = workflow.get("on").or_else(|| workflow.get(Value::Bool(true)))?;
    match on {
        Value::String(event) => (event == EVENT).then_some(Value::Null),
        Value::Sequence(events) => events.iter().any(|event| event == EVENT).then_some(Value::Null),
        Value::Mapping(events) => events.get(EVENT).cloned(),
        _ => None,
    }
}

/// Whether a text holds `${{ inputs.NAME }}`, in one of its spellings.
fn shows(text: &Value, input: &str) -> bool {
    let text: String = text.as_str().unwrap_or_default().split_whitespace().collect();
    [format!("inputs.{input}}}"), format!("inputs['{input}']"), format!("github.event.inputs.{input}}}")]
        .iter()
        .any(|spelling| text.contains(spelling.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GOOD: &str = "name: deploy\nrun-name: deploy ${{ inputs.image }} ${{ inputs.passerelle }}\non:\n  workflow_dispatch:\n    inputs:\n      image: {required: true}\n      passerelle: {required: true}\n      region: {default: eu}\nconcurrency: deploy\n";

    fn codes(file: &str, inputs: &serde_json::Value) -> Vec<String> {
        let binding = json!({ "repository": "a/b", "environment": "e", "workflow": "deploy.yml", "inputs": inputs });
        findings(file, &serde_json::from_value(binding).unwrap()).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_workflow_that_fits_has_nothing_against_it() {
        assert_eq!(codes(GOOD, &json!({})), Vec::<String>::new());
        assert_eq!(codes(GOOD, &json!({ "region": "us" })), Vec::<String>::new());
        assert_eq!(codes(&GOOD.replace("inputs.passerelle", "inputs['passerelle']"), &json!({})), Vec::<String>::new());
    }

    #[test]
    fn what_would_go_wrong_is_named() {
        assert_eq!(codes("on: push\n", &json!({})), ["no_dispatch"]);
        assert_eq!(
            codes("on: [push, workflow_dispatch]\n", &json!({})),
            ["missing_input", "missing_input", "no_run_name", "no_concurrency"]
        );
        assert_eq!(codes(GOOD, &json!({ "zone": "a" })), ["missing_input"]);
        assert_eq!(
            codes(&GOOD.replace("region: {default: eu}", "region: {required: true}"), &json!({})),
            ["missing_input"]
        );
        assert_eq!(codes(&GOOD.replace(" ${{ inputs.passerelle }}", ""), &json!({})), ["no_run_name"]);
        assert_eq!(codes(&GOOD.replace("concurrency: deploy\n", ""), &json!({})), ["no_concurrency"]);
        assert_eq!(codes(": [", &json!({})), ["invalid_workflow"]);
        assert_eq!(codes("", &json!({})), ["no_dispatch"]);
    }
}
