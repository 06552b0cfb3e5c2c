//! One service: its tabs are addresses of their own.

use super::{live, overview, tabs};
use crate::i18n::T;
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
        "slos" => tabs::slos(&portal, &req, &key).await?,
        "live" => live::view(&portal, &req, &key).await?,
        "alerts" => crate::alerts::of_service(&portal, &req, &key).await?,
        "releases" => tabs::releases(&portal, &req, &key).await?,
        "history" => tabs::history(&portal, &req, &key).await?,
        "dependencies" => tabs::dependencies(&portal, &req, &namespace, &name).await?,
        "audit" => tabs::audit(&portal, &req, &key).await?,
        _ => overview::view(&portal, &req, &service, &key).await?,
    };
    let title = service.title.clone().unwrap_or_else(|| service.name.clone());
    let sub = service.description.clone().unwrap_or_else(|| key.clone());
    let tabs = all_tabs(t, &key, tab);
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

/// All tabs of a service; one that is not known counts as the first.
pub fn all_tabs(t: T, key: &str, here: &str) -> Vec<Tab> {
    let tabs = [
        ("overview", t.tab_overview(), format!("/services/{key}")),
        ("live", t.tab_live(), format!("/services/{key}?tab=live")),
        ("slos", t.tab_slos(), format!("/services/{key}?tab=slos")),
        ("alerts", t.tab_alerts(), format!("/services/{key}?tab=alerts")),
        ("releases", t.tab_releases(), format!("/services/{key}?tab=releases")),
        ("history", t.tab_history(), format!("/services/{key}?tab=history")),
        ("dependencies", t.tab_graph(), format!("/services/{key}?tab=dependencies")),
        ("waivers", t.tab_waivers(), format!("/services/{key}/waivers")),
        ("audit", t.tab_audit(), format!("/services/{key}?tab=audit")),
    ];
    let known = tabs.iter().any(|(name, ..)| *name == here);
    let tab = |(name, text, href): (&str, &str, String)| {
        let here = name == here || (name == "overview" && !known);
        Tab { href, text: text.to_owned(), here }
    };
    tabs.map(tab).to_vec()
}
