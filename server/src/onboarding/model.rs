//! What a rendered set of files holds for the portal, and what its steps amount to. Pure.

use crate::catalog::Upload;
use crate::kernel::{AppError, Result};
use passerelle_contract::onboarding::{FileOut, OnboardingState, OnboardingStepState, StepOut};
use passerelle_contract::{FieldError, text};
use passerelle_templates::{RenderError, RenderedFile, TemplateError, digest};

/// The description of the service, as Backstage reads it.
const CATALOG: &str = "catalog-info.yaml";
/// Bindings of the service, as the portal's own documents.
const PORTAL: &str = "portal.yaml";
/// Objectives.
const OBJECTIVES: &str = "slo/";

/// The documents about the service.
///
/// # Errors
/// When the template makes none, which is a fault of ours or of the operator.
pub fn documents(files: &[RenderedFile]) -> Result<Upload> {
    let mut upload = Upload::default();
    if !files.iter().any(|file| file.path == CATALOG) {
        return Err(AppError::internal(format!("the template makes no {CATALOG}")));
    }
    for file in files.iter().filter(|file| file.path == CATALOG || file.path == PORTAL) {
        upload.push(&file.path, file.content.as_bytes()).map_err(|error| AppError::Invalid(vec![error]))?;
    }
    Ok(upload)
}

/// Whether a file holds objectives.
pub fn is_objectives(path: &str) -> bool {
    path.starts_with(OBJECTIVES) && (path.ends_with(".yaml") || path.ends_with(".yml"))
}

/// Whether a file describes the service for the catalog.
pub fn is_description(path: &str) -> bool {
    path == CATALOG
}

/// The files of objectives.
pub fn objectives(files: &[RenderedFile]) -> Vec<&RenderedFile> {
    files.iter().filter(|file| is_objectives(&file.path)).collect()
}

/// A file as it is told, with its content where it is looked at.
pub fn told(file: &RenderedFile, with_content: bool) -> FileOut {
    FileOut {
        path: file.path.clone(),
        bytes: u64::try_from(file.content.len()).unwrap_or(u64::MAX),
        sha256: digest(file.content.as_bytes()),
        executable: file.executable,
        content: with_content.then(|| file.content.clone()),
    }
}

/// Whether a version comes after another; both are three numbers, as a template is loaded with no other.
pub fn is_later(version: &str, than: &str) -> bool {
    let numbers = |text: &str| text.split('.').map(|part| part.parse::<u64>().unwrap_or_default()).collect::<Vec<_>>();
    numbers(version) > numbers(than)
}

pub fn state(steps: &[StepOut]) -> OnboardingState {
    let done = steps.iter().all(|step| step.state == OnboardingStepState::Done);
    if done { OnboardingState::Done } else { OnboardingState::Incomplete }
}

/// Answers are told at `/answers`; a fault of a template is nobody's who fills in a form.
pub fn refused(error: RenderError) -> AppError {
    match error {
        RenderError::Answers(errors) => AppError::Invalid(errors.into_iter().map(below_answers).collect()),
        RenderError::Template(fault) => faulty(fault),
    }
}

pub fn below_answers(error: FieldError) -> FieldError {
    FieldError::new(format!("/answers{}", error.pointer), error.message)
}

/// With the parameter at hand it is told there, since another answer may do.
fn faulty(fault: TemplateError) -> AppError {
    match &fault.parameter {
        Some(parameter) => {
            let message = text!("this golden path has a fault there: {fault}", fault = fault.to_string());
            AppError::field(format!("/answers/{parameter}"), message)
        }
        None => AppError::internal(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::onboarding::OnboardingStep;

    fn file(path: &str) -> RenderedFile {
        RenderedFile { path: path.to_owned(), content: "a: 1\n".to_owned(), executable: false }
    }

    #[test]
    fn what_is_for_the_portal_is_found_by_its_place() {
        let files = [
            file("catalog-info.yaml"),
            file("portal.yaml"),
            file("slo/openslo.yaml"),
            file("slo/notes.md"),
            file("k8s/slo/a.yaml"),
        ];
        assert_eq!(documents(&files).unwrap().files().len(), 2);
        assert_eq!(objectives(&files).iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["slo/openslo.yaml"]);
        assert!(documents(&files[2..]).is_err());
    }

    #[test]
    fn versions_are_numbers() {
        for (version, than, later) in [
            ("1.10.0", "1.9.9", true),
            ("2.0.0", "1.99.99", true),
            ("1.0.0", "1.0.0", false),
            ("1.0.0", "1.0.1", false),
        ] {
            assert_eq!(is_later(version, than), later, "{version} {than}");
        }
    }

    #[test]
    fn one_step_that_waits_is_incomplete() {
        let step = |state| StepOut { step: OnboardingStep::Catalog, state, message: text!("done") };
        assert_eq!(state(&[step(OnboardingStepState::Done)]), OnboardingState::Done);
        let steps = [step(OnboardingStepState::Done), step(OnboardingStepState::Waiting)];
        assert_eq!(state(&steps), OnboardingState::Incomplete);
    }

    #[test]
    fn a_wrong_answer_is_told_where_it_was_given() {
        let wrong = RenderError::Answers(vec![FieldError::new("/name", text!("is needed"))]);
        let AppError::Invalid(errors) = refused(wrong) else { panic!() };
        assert_eq!(errors[0].pointer, "/answers/name");
    }
}
