//! What runs already of a service that is adopted: the inputs that find it, for those who may bind services.

use crate::ui::{Select, Text};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::adoption::RunsIn;
use passerelle_contract::environments::RunningOut;
use passerelle_server::kernel::{Action, Object, decide};
use passerelle_server::onboarding::Template;

/// What was typed, also when it names nothing yet.
#[derive(Debug, Default)]
pub struct Asked {
    connection: Option<String>,
    group: Option<String>,
    name: Option<String>,
    environment: Option<String>,
}

impl Asked {
    pub fn read(fields: &Fields) -> Self {
        let connection = fields.some("runs.connection");
        let of = |name: &str| connection.as_ref().and_then(|_| fields.some(name));
        Self { group: of("runs.group"), name: of("runs.name"), environment: of("runs.environment"), connection }
    }

    pub const fn is_empty(&self) -> bool {
        self.connection.is_none()
    }

    /// Once a workload was chosen: the list tells it with its group.
    pub fn wanted(&self) -> Option<RunsIn> {
        let (group, name) = match self.name.as_deref()?.split_once('/') {
            Some((group, name)) => (Some(group.to_owned()), name.to_owned()),
            None => (self.group.clone(), self.name.clone()?),
        };
        Some(RunsIn { connection: self.connection.clone()?, group, name, environment: self.environment.clone()? })
    }
}

/// The inputs; nothing where no connection of the platform can be looked at.
pub async fn inputs(
    app: &AppState,
    req: &Req,
    template: &Template,
    asked: &Asked,
    errors: &Errors,
) -> Result<Option<AnyView>, PageError> {
    let t = req.t;
    if !decide(&req.ctx, Action::BindingEdit, &Object::new("connection", "*")).allowed {
        return Ok(None);
    }
    let all = app.portal.environments.list_connections(&req.ctx).await.or_page(req)?;
    let named = |name: String| (name.clone(), name);
    let tells = |kind: &str| kind == template.platform() && app.portal.environments.tells_what_runs(kind);
    let connections: Vec<_> = all.into_iter().filter(|one| tells(&one.kind)).map(|one| named(one.name)).collect();
    if connections.is_empty() {
        return Ok(None);
    }
    let none = (String::new(), t.adopt_runs_none().to_owned());
    let connections = std::iter::once(none).chain(connections).collect();
    let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(req)?;
    let environments: Vec<_> = environments.into_iter().map(|one| named(one.name)).collect();
    let production = environments.last().map(|(name, _)| name.clone()).unwrap_or_default();
    let mut refused = None;
    let found = match &asked.connection {
        Some(connection) => {
            match app.portal.environments.list_running(&req.ctx, connection, asked.group.as_deref()).await {
                Ok(found) => found,
                Err(error) => {
                    let why = req.shown(error)?;
                    refused = why.general.clone().or_else(|| why.of(""));
                    Vec::new()
                }
            }
        }
        None => Vec::new(),
    };
    let of = |name: &str| errors.of(&format!("/runs/{name}"));
    let text = |one: &Option<String>| one.clone().unwrap_or_default();
    let choose = (!found.is_empty()).then(|| {
        let choices = std::iter::once((String::new(), t.adopt_runs_choose().to_owned()));
        let choices = choices.chain(found.iter().map(|one| (place_of(one), words(one)))).collect();
        view! { <Select t=t name="runs.name" label=t.adopt_runs_name() choices=choices value=text(&asked.name) required=false error=of("name") /> }
    });
    let nothing = (!asked.is_empty() && found.is_empty() && refused.is_none())
        .then(|| view! { <p class="muted">{t.adopt_runs_nothing()}</p> });
    let group_error = of("group").or(refused);
    let view = view! {
        <section class="panel form">
            <h2>{t.adopt_runs()}</h2>
            <p class="muted">{t.adopt_runs_text()}</p>
            <Select t=t name="runs.connection" label=t.adopt_runs_connection() choices=connections value=text(&asked.connection) required=false error=of("connection") />
            <Text t=t name="runs.group" label=t.adopt_runs_group() value=text(&asked.group) hint=t.adopt_runs_group_hint().to_owned() error=group_error code=true autocomplete="off" />
            <Select t=t name="runs.environment" label=t.adopt_runs_environment() choices=environments value=asked.environment.clone().unwrap_or(production) required=false error=of("environment") />
            {choose}
            {nothing}
        </section>
    };
    Ok(Some(view.into_any()))
}

/// No group and no name has a slash in it.
fn place_of(one: &RunningOut) -> String {
    if one.group.is_empty() { one.name.clone() } else { format!("{}/{}", one.group, one.name) }
}

/// Image and owner tell workloads of one name apart.
fn words(one: &RunningOut) -> String {
    let more = one.image.iter().chain(&one.service).cloned();
    std::iter::once(place_of(one)).chain(more).collect::<Vec<_>>().join(" · ")
}
