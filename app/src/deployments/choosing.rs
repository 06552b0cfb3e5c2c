//! What has been chosen for a deployment, and the links and fields that choose it.

use crate::i18n::T;
use crate::ui::{Ago, ButtonKind, Chip, Empty, Hidden, LinkButton, Select, Submit, Text};
use crate::web::{Errors, Query, Req};
use leptos::prelude::*;
use passerelle_contract::deployments::{CellOut, Exemption, ReleaseOut};

/// What has been chosen so far, from the URL or from the form.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    pub environment: Option<String>,
    pub version: Option<String>,
    pub image: Option<String>,
    pub reason: String,
    pub exempt: Option<Exemption>,
    pub errors: Errors,
}

/// Where to: a link an environment, which keeps what else was chosen.
pub fn environments(t: T, service: &str, cells: &[CellOut], chosen: &Chosen) -> AnyView {
    let bound = cells.iter().filter(|cell| cell.binding.is_some()).collect::<Vec<_>>();
    if bound.is_empty() {
        return view! {
            <Empty icon="bind" title=t.deploy_choose_env() text=t.deploy_choose_env_text()>
                <LinkButton href="/bindings" label=t.nav_bindings() kind=ButtonKind::Primary />
            </Empty>
        }
        .into_any();
    }
    let links = bound
        .into_iter()
        .map(|cell| {
            let here = Some(&cell.environment) == chosen.environment.as_ref();
            let query = Query::default().with("environment", Some(&cell.environment));
            let query = query.with("version", chosen.version.as_deref()).with("image", chosen.image.as_deref());
            let query = query.with("exempt", chosen.exempt.map(Exemption::as_str));
            let label = match &cell.version {
                Some(version) => format!("{} · {version}", cell.environment),
                None => cell.environment.clone(),
            };
            view! { <Chip href=query.href(&format!("/services/{service}/deploy")) label=label on=here one_of=true /> }
        })
        .collect::<Vec<_>>();
    view! { <div class="chips">{links}</div> }.into_any()
}

/// What: a release, or another image.
pub fn release_form(
    req: &Req,
    service: &str,
    cell: &CellOut,
    chosen: &Chosen,
    releases: Vec<ReleaseOut>,
) -> impl IntoView + use<> {
    let t = req.t;
    let none = releases.is_empty();
    let rows = releases
        .into_iter()
        .map(|release| {
            let checked = Some(&release.version) == chosen.version.as_ref();
            let commit = release.commit.as_ref().map(|commit| commit.chars().take(9).collect::<String>());
            let runs =
                (!release.runs_in.is_empty()).then(|| format!("{}: {}", t.col_runs_in(), release.runs_in.join(", ")));
            view! {
                <label class="check">
                    <input type="radio" name="version" value=release.version.clone() checked=checked />
                    <span>
                        <span class="mono">{release.version}</span>
                        <span class="muted">
                            " " {commit.map(|commit| view! { <span class="mono">{commit}</span> " · " })}
                            <Ago t=t at=release.created_at now=req.now />
                        </span>
                        {runs.map(|runs| view! { " " <span class="tag">{runs}</span> })}
                        {release.notes.map(|notes| view! { <span class="muted" style="display:block">{notes}</span> })}
                    </span>
                </label>
            }
        })
        .collect::<Vec<_>>();
    let image = chosen.image.clone().unwrap_or_default();
    let other = (!none).then(|| {
        let checked = chosen.version.is_none() && !image.is_empty();
        view! {
            <label class="check">
                <input type="radio" name="version" value="" checked=checked data-other="image" />
                <span>{t.deploy_choose_other()}</span>
            </label>
        }
    });
    let action = format!("/services/{service}/deploy");
    view! {
        <form class="panel form" method="get" action=action data-preview="">
            <fieldset class="form">
                <legend>{t.deploy_choose_release()}</legend>
                {none.then(|| view! { <p class="muted">{t.deploy_no_release()}</p> })}
                <div class="choices">{rows} {other}</div>
            </fieldset>
            <Hidden name="environment" value=cell.environment.clone() />
            <Text t=t name="image" label=t.deploy_other_image() hint=t.deploy_image_hint().to_owned() value=image error=chosen.errors.of("/image") code=true autocomplete="off" />
            {exemption(t, chosen)}
            <div class="btns">
                <Submit label=t.deploy_show_plan() kind=ButtonKind::Plain />
            </div>
        </form>
    }
}

/// What kind of change it is, for the budgets.
fn exemption(t: T, chosen: &Chosen) -> impl IntoView + use<> {
    let classes = Exemption::ALL.map(|class| (class.as_str().to_owned(), t.exemption(class).to_owned()));
    let choices = std::iter::once((String::new(), t.exempt_none().to_owned())).chain(classes).collect();
    let set = chosen.exempt.map_or("", Exemption::as_str);
    view! { <Select t=t name="exempt" label=t.exempt_label() choices=choices value=set hint=t.exempt_hint().to_owned() error=chosen.errors.of("/exempt") required=false /> }
}
