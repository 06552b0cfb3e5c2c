//! What the catalog says of an entity: owner, links, tags, relations, where it was imported from.

use super::key_of;
use crate::i18n::T;
use crate::ui::entity_href;
use leptos::prelude::*;
use passerelle_contract::catalog::{EntityOut, RelationOut};

pub fn panels(t: T, entity: &EntityOut) -> impl IntoView + use<> {
    let relations = relations(t, entity.relations.clone());
    view! {
        <section class="panel">
            <h2>{t.service_about()}</h2>
            {facts(t, entity)}
        </section>
        {links(t, entity)}
        <section class="panel">
            <h2>{t.service_relations()}</h2>
            {relations}
        </section>
    }
}

fn facts(t: T, entity: &EntityOut) -> impl IntoView + use<> {
    let owner = match &entity.owner {
        Some(owner) => {
            let key = key_of(owner).to_owned();
            view! { <a href=format!("/entities/group/{key}")>{key.clone()}</a> }.into_any()
        }
        None => view! { <span class="muted">{t.service_no_owner()}</span> }.into_any(),
    };
    let system = entity.system.as_deref().map(|system| {
        let key = key_of(system).to_owned();
        view! {
            <dt>{t.col_system()}</dt>
            <dd>
                <a href=format!("/systems/{key}")>{key.clone()}</a>
            </dd>
        }
    });
    let fact = |label: &'static str, value: Option<String>| {
        value.map(|value| {
            view! {
                <dt>{label}</dt>
                <dd>{value}</dd>
            }
        })
    };
    let tags = entity
        .tags
        .iter()
        .map(|tag| {
            let query = crate::web::Query::default().with("tag", Some(tag));
            view! {
                <a class="tag" href=query.href("/services")>
                    {tag.clone()}
                </a>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <dl class="dl">
            <dt>{t.col_owner()}</dt>
            <dd>{owner}</dd>
            {system}
            {fact(t.col_type(), entity.entity_type.clone())}
            {fact(t.col_lifecycle(), entity.lifecycle.clone())}
        </dl>
        <div class="tags mt-3">{tags}</div>
        <p class="muted break mt-3">{t.service_from(&entity.source, entity.source_line)}</p>
    }
}

fn links(t: T, entity: &EntityOut) -> Option<AnyView> {
    // Only addresses of the web become links: an imported `javascript:` stays text.
    let items = entity
        .links
        .iter()
        .map(|link| {
            let text = link.title.clone().unwrap_or_else(|| link.url.clone());
            let safe = link.url.starts_with("https://") || link.url.starts_with("http://");
            if safe {
                view! {
                    <li>
                        <a class="break" href=link.url.clone() rel="noreferrer">
                            {text}
                        </a>
                    </li>
                }
                .into_any()
            } else {
                view! { <li class="break">{text} " " {link.url.clone()}</li> }.into_any()
            }
        })
        .collect::<Vec<_>>();
    if items.is_empty() {
        return None;
    }
    let view = view! {
        <section class="panel">
            <h2>{t.service_links()}</h2>
            <ul>{items}</ul>
        </section>
    };
    Some(view.into_any())
}

fn relations(t: T, relations: Vec<RelationOut>) -> AnyView {
    if relations.is_empty() {
        return view! { <p class="muted">{t.relations_none()}</p> }.into_any();
    }
    let items = relations
        .into_iter()
        .map(|relation| {
            let name = relation.target_title.unwrap_or_else(|| relation.target.clone());
            let target = if relation.exists {
                view! { <a href=entity_href(&relation.target)>{name}</a> }.into_any()
            } else {
                view! { <span>{name} " " <span class="muted">{t.entity_unknown()}</span></span> }.into_any()
            };
            view! {
                <dt class="mono">{relation.kind}</dt>
                <dd>{target}</dd>
            }
        })
        .collect::<Vec<_>>();
    view! { <dl class="dl">{items}</dl> }.into_any()
}
