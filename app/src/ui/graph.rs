//! The dependency graph: columns by distance, drawn on the server as SVG; the list beside it says the same in words.

use crate::i18n::T;
use leptos::prelude::*;
use passerelle_contract::catalog::{GraphNode, GraphOut};
use std::collections::BTreeMap;

const NODE_W: i32 = 184;
const NODE_H: i32 = 42;
const GAP_X: i32 = 64;
const GAP_Y: i32 = 14;
const PAD: i32 = 16;

struct Placed {
    node: GraphNode,
    x: i32,
    y: i32,
}

/// Places nodes: one column per distance, centred against the tallest column.
fn place(nodes: &[GraphNode]) -> (Vec<Placed>, i32, i32) {
    let mut columns: BTreeMap<i32, Vec<&GraphNode>> = BTreeMap::new();
    for node in nodes {
        columns.entry(node.depth).or_default().push(node);
    }
    let tallest = columns.values().map(Vec::len).max().unwrap_or(1) as i32;
    let height = PAD * 2 + tallest * (NODE_H + GAP_Y) - GAP_Y;
    let width = PAD * 2 + columns.len() as i32 * (NODE_W + GAP_X) - GAP_X;
    let mut placed = Vec::with_capacity(nodes.len());
    for (column, (_, members)) in columns.into_iter().enumerate() {
        let own = members.len() as i32 * (NODE_H + GAP_Y) - GAP_Y;
        let top = (height - own) / 2;
        for (row, node) in members.into_iter().enumerate() {
            let x = PAD + column as i32 * (NODE_W + GAP_X);
            placed.push(Placed { node: node.clone(), x, y: top + row as i32 * (NODE_H + GAP_Y) });
        }
    }
    (placed, width, height)
}

/// The page of an entity from its full reference `kind:namespace/name`; services (components) have their own address.
#[must_use]
pub fn entity_href(reference: &str) -> String {
    let (kind, key) = reference.split_once(':').unwrap_or(("component", reference));
    match kind {
        "component" => format!("/services/{key}"),
        "system" => format!("/systems/{key}"),
        other => format!("/entities/{other}/{key}"),
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= 24 { text.to_owned() } else { text.chars().take(23).chain(['…']).collect() }
}

fn node_view(t: T, placed: Placed) -> impl IntoView {
    let Placed { node, x, y } = placed;
    let class = match (node.depth == 0, node.exists) {
        (true, _) => "node self",
        (false, true) => "node",
        (false, false) => "node missing",
    };
    let kind = if node.exists { node.kind.clone() } else { format!("{} · {}", node.kind, t.graph_missing()) };
    let body = view! {
        <title>{node.reference.clone()}</title>
        <rect width=NODE_W.to_string() height=NODE_H.to_string() rx="7"></rect>
        <text x="11" y="18">{short(&node.title)}</text>
        <text class="kind" x="11" y="33">{kind}</text>
    };
    let at = format!("translate({x} {y})");
    if node.exists {
        view! {
            <g class=class transform=at>
                <a href=entity_href(&node.reference)>
                    {body}
                </a>
            </g>
        }
        .into_any()
    } else {
        view! {
            <g class=class transform=at>
                {body}
            </g>
        }
        .into_any()
    }
}

/// The picture, scrolling inside its box, and the same as a list.
#[component]
pub fn DependencyGraph(t: T, graph: GraphOut, #[prop(into)] name: String) -> impl IntoView {
    if graph.nodes.len() < 2 {
        return view! { <p class="muted">{t.graph_empty()}</p> }.into_any();
    }
    let (placed, width, height) = place(&graph.nodes);
    let at: BTreeMap<&str, (i32, i32)> =
        placed.iter().map(|p| (p.node.reference.as_str(), (p.x, p.y + NODE_H / 2))).collect();
    let edges = graph
        .edges
        .iter()
        .filter_map(|edge| {
            let (from, to) = (at.get(edge.from.as_str())?, at.get(edge.to.as_str())?);
            let (x1, x2) = if from.0 <= to.0 { (from.0 + NODE_W, to.0) } else { (from.0, to.0 + NODE_W) };
            let bend = (x2 - x1) / 2;
            let d = format!("M{x1} {} C{} {} {} {} {x2} {}", from.1, x1 + bend, from.1, x2 - bend, to.1, to.1);
            Some(view! { <path class="edge" d=d marker-end="url(#arrow)"></path> })
        })
        .collect::<Vec<_>>();
    drop(at);
    let nodes = placed.into_iter().map(|placed| node_view(t, placed)).collect::<Vec<_>>();
    let list = graph
        .edges
        .into_iter()
        .map(|edge| view! { <li class="mono break">{t.graph_edge(edge.from, edge.kind, edge.to)}</li> })
        .collect::<Vec<_>>();
    view! {
        <div class="graph" tabindex="0" role="region" aria-label=t.graph_label(name)>
            <svg width=width.to_string() height=height.to_string() viewBox=format!("0 0 {width} {height}")>
                <defs>
                    <marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
                        <path d="M0 1 8 4 0 7Z" fill="var(--edge)"></path>
                    </marker>
                </defs>
                {edges}
                {nodes}
            </svg>
        </div>
        {graph.truncated.then(|| view! { <p class="muted">{t.graph_truncated()}</p> })}
        <details class="disclose">
            <summary>{t.graph_list()}</summary>
            <ul>{list}</ul>
        </details>
    }
    .into_any()
}
