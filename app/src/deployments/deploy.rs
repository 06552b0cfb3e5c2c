//! The deploy page: choose a release, see what it changes, give a reason, confirm.

use super::choosing::{self, Chosen};
use super::{confirmed, going, planned};
use crate::gates::frozen::Frozen;
use crate::gates::glass;
use crate::shell::Section;
use crate::ui::{Crumb, Head, Simulated};
use crate::web::{AppState, Errors, OrPage, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::deployments::{DeploymentIn, Exemption};
use passerelle_contract::environments::Tier;

/// Pointers of the errors that stand beside a field.
const SHOWN: [&str; 4] = ["/reason", "/confirm", "/image", "/exempt"];

impl Chosen {
    /// The address of the page with what was chosen and typed.
    fn path(&self, service: &str) -> String {
        let query = Query::default().with("environment", self.environment.as_deref());
        let query = query.with("version", self.version.as_deref()).with("image", self.image.as_deref());
        let query = query.with("reason", Some(&self.reason)).with("exempt", self.exempt.map(Exemption::as_str));
        query.href(&format!("/services/{service}/deploy"))
    }

    fn input(&self, service: &str) -> Option<DeploymentIn> {
        let environment = self.environment.clone()?;
        // One of both: with both it has not been chosen.
        if self.version.is_some() == self.image.is_some() {
            return None;
        }
        let reason = Some(self.reason.clone()).filter(|reason| !reason.is_empty());
        Some(DeploymentIn {
            service: service.to_owned(),
            environment,
            release: None,
            version: self.version.clone(),
            image: self.image.clone(),
            reason,
            exempt: self.exempt,
        })
    }
}

type Place = Path<(String, String)>;

pub async fn choose(
    State(app): State<AppState>,
    req: Req,
    Path((namespace, name)): Place,
) -> Result<Response, PageError> {
    let service = format!("{namespace}/{name}");
    let mut chosen = Chosen {
        environment: req.query.text("environment"),
        version: req.query.text("version"),
        image: req.query.text("image"),
        reason: req.query.text("reason").unwrap_or_default(),
        exempt: req.query.get("exempt").and_then(Exemption::parse),
        errors: Errors::default(),
    };
    // "Deploy again" names version and image; the version may never have been announced as a release. Whoever has chosen a
    // release and typed an image is asked which of both, for neither must be lost unseen.
    if let (Some(version), Some(image)) = (&chosen.version, &chosen.image) {
        let releases = app.portal.deployments.list_releases(&req.ctx, &service, None, Some(200)).await.or_page(&req)?;
        match releases.items.iter().find(|release| &release.version == version) {
            None => chosen.version = None,
            Some(release) if release.image == *image => chosen.image = None,
            Some(_) => chosen.errors = FieldError::said("/image", req.t.deploy_one_of(version)).into(),
        }
    }
    if let Some(environment) = &chosen.environment
        && let Ok(environment) = app.portal.environments.get_environment(&req.ctx, environment).await
    {
        req.confirmed_for(environment.tier, &chosen.path(&service))?;
    }
    render(&app, req, &service, chosen).await
}

pub async fn submit(
    State(app): State<AppState>,
    Path((namespace, name)): Place,
    posted: Posted,
) -> Result<Response, PageError> {
    let service = format!("{namespace}/{name}");
    let (req, fields) = (posted.req, posted.fields);
    let mut chosen = Chosen {
        environment: fields.some("environment"),
        version: fields.some("version"),
        image: fields.some("image"),
        reason: fields.text("reason"),
        exempt: Exemption::parse(fields.get("exempt")),
        errors: Errors::default(),
    };
    let production = match &chosen.environment {
        Some(environment) => {
            let tier = app.portal.environments.get_environment(&req.ctx, environment).await.or_page(&req)?.tier;
            req.confirmed_for(tier, &chosen.path(&service))?;
            tier == Tier::Production
        }
        None => false,
    };
    if !confirmed(fields.get("confirm"), &name, production) {
        chosen.errors = FieldError::said("/confirm", req.t.confirm_wrong(&name)).into();
        return render(&app, req, &service, chosen).await;
    }
    let Some(input) = chosen.input(&service) else { return render(&app, req, &service, chosen).await };
    match app.portal.deployments.create_deployment(&req.ctx, input).await {
        Ok(deployment) => {
            let flash = going::flash(req.t, deployment.state);
            Ok(see_other(&format!("/deployments/{}", deployment.id), Some(flash)))
        }
        Err(error) => {
            chosen.errors = req.shown(error)?;
            render(&app, req, &service, chosen).await
        }
    }
}

async fn render(app: &AppState, req: Req, service: &str, chosen: Chosen) -> Result<Response, PageError> {
    let t = req.t;
    let name = service.rsplit('/').next().unwrap_or(service).to_owned();
    let cells = app.portal.deployments.cells(&req.ctx, service).await.or_page(&req)?;
    let cell = cells.iter().find(|cell| Some(&cell.environment) == chosen.environment.as_ref()).cloned();
    let releases = app.portal.deployments.list_releases(&req.ctx, service, None, Some(50)).await.or_page(&req)?;
    let mut chosen = chosen;
    let plan = match chosen.input(service) {
        Some(input) if cell.is_some() => {
            match app.portal.deployments.plan(&req.ctx, DeploymentIn { reason: None, ..input }).await {
                Ok(plan) => Some(plan),
                Err(error) => {
                    chosen.errors = req.shown(error)?;
                    None
                }
            }
        }
        _ => None,
    };
    let glass = match &plan {
        Some(plan) => glass::open_here(&app.portal, &req, service, &plan.environment).await.or_page(&req)?,
        None => None,
    };
    let budgets = match &plan {
        Some(plan) => crate::slo::before_deploying(&app.portal, &req, service, &plan.environment).await?,
        None => None,
    };
    let told = summary(t, &chosen.errors, &SHOWN);
    let errors = chosen.errors.clone();
    let title = match &cell {
        Some(cell) => t.deploy_title(&name, &cell.environment),
        None => format!("{} {name}", t.act_deploy()),
    };
    let mut settings = req
        .page(title.clone())
        .section(Section::Services)
        .crumbs(vec![Crumb::new("/services", t.nav_services()), Crumb::new(format!("/services/{service}"), service)]);
    if let Some(cell) = &cell {
        let frozen = Frozen::now(&app.portal, &req).await.or_page(&req)?.band(t, cell.tier, &cell.environment);
        settings = settings.band(cell.tier, cell.environment.clone()).frozen(frozen);
    }
    let simulated = cell.as_ref().is_some_and(|cell| cell.simulated);
    let body = view! {
        <Head title=title>{simulated.then(|| view! { <Simulated t=t /> })}</Head>
        {told}
        <div class="cols">
            <div class="stack">
                {choosing::environments(t, service, &cells, &chosen)}
                {cell.as_ref().map(|cell| choosing::release_form(&req, service, cell, &chosen, releases.items))}
                <div data-part="changes">{plan.as_ref().map(|plan| planned::changes(t, plan))}</div>
            </div>
            <div class="stack" data-part="act">
                {plan.map(|plan| planned::verdicts(&app.portal, &req, service, plan, &chosen, glass))}
                {budgets}
            </div>
        </div>
    };
    let response = page(settings, body);
    Ok(if errors.is_empty() { response } else { errors.refuse(response) })
}
