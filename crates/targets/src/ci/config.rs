//! What a connection and a binding are made of, checked while they are read.

use super::names::{FieldName, Label, Reference, Repository, Template, Territory, Timeout, Workflow};
use crate::base_url::BaseUrl;
use crate::{Secret, TargetError};
use passerelle_contract::{Text, text};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Most inputs that GitHub takes, less the two that are ours.
const MAX_INPUTS: usize = 23;

/// A service that runs pipelines.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionConfig {
    /// Who runs the pipelines.
    pub provider: Kind,
    /// Base URL of a server of your own, needed for GitHub Enterprise Server; that of github.com or gitlab.com when absent.
    #[serde(default)]
    pub base_url: Option<BaseUrl>,
    /// Access token: of GitHub with actions and deployments (write) and contents (read); of GitLab with the scope api and the role Maintainer.
    pub token: Secret,
    /// Pipeline trigger token of GitLab; pipelines are started with the access token when absent.
    #[serde(default)]
    pub trigger_token: Option<Secret>,
    /// Secret of the webhooks that are sent to this portal; without it none is heard.
    #[serde(default)]
    pub webhook_secret: Option<Secret>,
    /// Whose builds its webhooks may tell of for services that only the catalog lays there: owner/name, or owner/* for all of an owner or a group; none when absent.
    #[serde(default)]
    pub hear_from: Vec<Territory>,
    /// Where the files of new services may be delivered to: owner/name for a repository, owner/* for all of an owner or a group; nowhere when absent.
    #[serde(default)]
    pub deliver_to: Vec<Territory>,
    /// The API is the simulator.
    #[serde(default)]
    pub simulated: bool,
}

/// The service, and how its API is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CiProvider")]
pub enum Kind {
    Github,
    GithubEnterprise,
    Gitlab,
}

impl ConnectionConfig {
    /// Base URL of the API, without a slash at its end.
    ///
    /// # Errors
    /// [`TargetError::Config`] for an Enterprise Server without an address, and for a trigger token on GitHub.
    pub fn api(&self) -> Result<String, TargetError> {
        if self.trigger_token.is_some() && self.provider != Kind::Gitlab {
            return Err(wrong("/config/trigger_token", text!("belongs to {provider} only", provider = "gitlab")));
        }
        let base = self.base_url.as_ref().map(BaseUrl::as_str);
        Ok(match (self.provider, base) {
            (Kind::Github, base) => base.unwrap_or("https://api.github.com").to_owned(),
            (Kind::GithubEnterprise, Some(base)) => format!("{base}/api/v3"),
            (Kind::GithubEnterprise, None) => {
                return Err(wrong(
                    "/config/base_url",
                    text!("must be given for {provider}", provider = "github_enterprise"),
                ));
            }
            (Kind::Gitlab, base) => format!("{}/api/v4", base.unwrap_or("https://gitlab.com")),
        })
    }
}

/// The pipeline that deploys one service in one environment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingConfig {
    /// Repository on GitHub or path of a project on GitLab, for example `acme/shop`.
    pub repository: Repository,
    /// Name under which its deployments are recorded there; each binding of a repository has its own, for example `web-staging`.
    pub environment: Label,
    /// Workflow of GitHub that deploys, by the name of its file; it is started by `workflow_dispatch`.
    #[serde(default)]
    pub workflow: Option<Workflow>,
    /// Branch or tag whose workflow or pipeline is run; `main` when absent.
    #[serde(default, rename = "ref")]
    pub git_ref: Reference,
    /// Input of the workflow, or variable of the pipeline, that gets the image; `image` on GitHub and `IMAGE` on GitLab when absent.
    #[serde(default)]
    pub image_input: Option<FieldName>,
    /// Input of the workflow that gets the id by which its run is found again, and that its `run-name` shows; `passerelle` when absent.
    #[serde(default)]
    pub correlation_input: Option<FieldName>,
    /// Further inputs or variables with fixed values, at most 23; values of secrets do not belong here.
    #[serde(default)]
    pub inputs: BTreeMap<FieldName, String>,
    /// Manual job of the GitLab pipeline that the portal plays once everything before it has succeeded.
    #[serde(default)]
    pub manual_job: Option<Label>,
    /// Seconds that a run may take longer than the environment allows, 60 to 14400; 1800 when absent.
    #[serde(default)]
    pub timeout_s: Timeout,
    /// Image of a release that a webhook tells of, with `{tag}`, `{version}` (the tag without its v), `{sha}` or `{short_sha}`, for example `ghcr.io/acme/web:{tag}`.
    #[serde(default)]
    pub release_image: Option<Template>,
    /// Workflow of GitHub whose success on the branch of `ref` makes a release; it is not the one that deploys.
    #[serde(default)]
    pub build_workflow: Option<Workflow>,
}

impl BindingConfig {
    /// # Errors
    /// [`TargetError::Config`] for what does not fit the provider.
    pub(super) fn check(&self, provider: Kind) -> Result<(), TargetError> {
        let gitlab = provider == Kind::Gitlab;
        let foreign = |field: &str, of: &str| {
            wrong(&format!("/config/{field}"), text!("belongs to {provider} only", provider = of))
        };
        if self.inputs.len() > MAX_INPUTS {
            return Err(wrong("/config/inputs", text!("must be {max} at most", max = MAX_INPUTS)));
        }
        if gitlab {
            let given = [
                ("workflow", self.workflow.is_some()),
                ("correlation_input", self.correlation_input.is_some()),
                ("build_workflow", self.build_workflow.is_some()),
            ];
            return given.iter().find(|(_, given)| *given).map_or(Ok(()), |(field, _)| Err(foreign(field, "github")));
        }
        if self.manual_job.is_some() {
            return Err(foreign("manual_job", "gitlab"));
        }
        if !self.repository.is_owner_and_name() {
            return Err(wrong("/config/repository", text!("must be owner/name on GitHub")));
        }
        if self.workflow.is_none() {
            return Err(wrong("/config/workflow", text!("must be given for {provider}", provider = "github")));
        }
        if self.workflow == self.build_workflow {
            return Err(wrong("/config/build_workflow", text!("must not be the workflow that deploys")));
        }
        Ok(())
    }

    pub(super) fn image_field(&self, provider: Kind) -> &str {
        let usual = if provider == Kind::Gitlab { "IMAGE" } else { "image" };
        self.image_input.as_ref().map_or(usual, FieldName::as_str)
    }

    pub(super) fn correlation_field(&self) -> &str {
        self.correlation_input.as_ref().map_or("passerelle", FieldName::as_str)
    }
}

pub(super) fn wrong(pointer: &str, message: Text) -> TargetError {
    TargetError::Config { pointer: pointer.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn connection(value: Value) -> ConnectionConfig {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_server_has_its_api() {
        let of = |provider: &str, base: Option<&str>| {
            connection(json!({ "provider": provider, "base_url": base, "token": { "value": "t" } })).api()
        };
        assert_eq!(of("github", None).unwrap(), "https://api.github.com");
        assert_eq!(
            of("github_enterprise", Some("https://git.acme.example/")).unwrap(),
            "https://git.acme.example/api/v3"
        );
        assert_eq!(of("gitlab", Some("http://127.0.0.1:1")).unwrap(), "http://127.0.0.1:1/api/v4");
        assert!(
            matches!(of("github_enterprise", None), Err(TargetError::Config { pointer, .. }) if pointer == "/config/base_url")
        );
        let trigger =
            connection(json!({ "provider": "github", "token": { "value": "t" }, "trigger_token": { "value": "t" } }));
        assert!(trigger.api().is_err());
    }

    #[test]
    fn a_binding_fits_its_provider() {
        let of = |provider, more: Value| {
            let mut config = json!({ "repository": "acme/shop", "environment": "staging" });
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<BindingConfig>(config).unwrap().check(provider)
        };
        assert!(of(Kind::Github, json!({ "workflow": "deploy.yml" })).is_ok());
        assert!(of(Kind::Gitlab, json!({ "repository": "acme/group/shop", "manual_job": "deploy-prod" })).is_ok());
        for (provider, more, field) in [
            (Kind::Github, json!({}), "/config/workflow"),
            (Kind::Github, json!({ "workflow": "a.yml", "build_workflow": "a.yml" }), "/config/build_workflow"),
            (Kind::Github, json!({ "workflow": "a.yml", "manual_job": "x" }), "/config/manual_job"),
            (Kind::Github, json!({ "workflow": "a.yml", "repository": "a/b/c" }), "/config/repository"),
            (Kind::Gitlab, json!({ "workflow": "a.yml" }), "/config/workflow"),
        ] {
            assert!(
                matches!(of(provider, more), Err(TargetError::Config { pointer, .. }) if pointer == field),
                "{field}"
            );
        }
    }
}
