//! One service: its tabs are addresses of their own.

use super::{overview, tabs};
use crate::shell::Section;
use crate::ui::{Crumb, Head, Tab, Tabs};
use crate::web::{OrPage, PageError, Req, page};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_server::portal::Portal;

pub async fn show(
    State(portal): State<Portal>,
    Path((namespace, name)): Path<(String, String)>,
    req: Req,
) -> Result<Response, PageError> {
    let t = req.t;
    let service = portal.catalog.get_service(&req.ctx, &namespace, &name).await.or_page(&req)?;
    let key = format!("{namespace}/{name}");
    let tab = req.query.get("tab").unwrap_or("overview");
    let content = match tab {
        "releases" => tabs::releases(&portal, &req, &key).await?,
        "history" => tabs::history(&portal, &req, &key).await?,
        "dependencies" => tabs::dependencies(&portal, &req, &namespace, &name).await?,
        "audit" => tabs::audit(&portal, &req, &key).await?,
        _ => overview::view(&portal, &req, &service, &key).await?,
    };
    let title = service.title.clone().unwrap_or_else(|| service.name.clone());
    let sub = service.description.clone().unwrap_or_else(|| key.clone());
    let tabs = [
        ("overview", t.tab_overview()),
        ("releases", t.tab_releases()),
        ("history", t.tab_history()),
        ("dependencies", t.tab_graph()),
        ("audit", t.tab_audit()),
    ];
    let known = tabs.iter().any(|(name, _)| *name == tab);
    let tabs = tabs
        .into_iter()
        .map(|(name, text)| Tab {
            href: if name == "overview" { format!("/services/{key}") } else { format!("/services/{key}?tab={name}") },
            text: text.to_owned(),
            here: name == tab || (name == "overview" && !known),
        })
        .collect();
    let crumbs = vec![Crumb::new("/services", t.services_title())];
    Ok(page(
        req.page(title.clone()).section(Section::Services).crumbs(crumbs),
        view! {
            <Head title=title.clone() sub=sub />
            <Tabs label=title tabs=tabs />
            {content}
        },
    ))
}
