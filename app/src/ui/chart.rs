//! A line over time: drawn on the server, the same in words for those who do not see it, readable without colour and on paper.
//!
//! Only lines are drawn as SVG, stretched to the width that there is; what is to be read stands beside them as text, which is
//! never stretched. All positions are shares of the plot: 0,0 is its left top, 1,1 its right bottom.

use super::{Icon, Tone};
use leptos::prelude::*;

/// Labels nearer than this to one above are left out.
const APART: f64 = 0.08;

/// A level across the plot.
#[derive(Debug, Clone)]
pub struct Level {
    pub y: f64,
    pub text: String,
    /// Drawn dashed: a threshold, not a line of the scale.
    pub threshold: bool,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Mark {
    pub x: f64,
    pub y: f64,
    pub tone: Tone,
    pub icon: &'static str,
    pub text: String,
}

/// A stretch of time that stands out.
#[derive(Debug, Clone)]
pub struct Band {
    pub from: f64,
    pub to: f64,
}

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub struct Plot {
    /// From left to right; several where something is not known in between.
    pub lines: Vec<Vec<(f64, f64)>>,
    pub levels: Vec<Level>,
    pub marks: Vec<Mark>,
    pub bands: Vec<Band>,
    /// Where along the time, and what stands there.
    pub times: Vec<(f64, String)>,
}

fn path(line: &[(f64, f64)]) -> String {
    let part = |(index, (x, y)): (usize, &(f64, f64))| {
        format!("{}{:.2} {:.2}", if index == 0 { "M" } else { "L" }, x * 1000.0, y.clamp(0.0, 1.0) * 1000.0)
    };
    line.iter().enumerate().map(part).collect::<Vec<_>>().join("")
}

fn place(x: f64, y: f64) -> String {
    format!("left:{:.2}%;top:{:.2}%", x * 100.0, y.clamp(0.0, 1.0) * 100.0)
}

/// `name` is unique on the page; `title` and `desc` are what a screen reader says of the picture; the children are the legend
/// and the same as a table.
#[component]
pub fn Chart(
    name: &'static str,
    #[prop(into)] title: String,
    #[prop(into)] desc: String,
    plot: Plot,
    children: Children,
) -> impl IntoView {
    let (title_id, desc_id) = (format!("{name}-title"), format!("{name}-desc"));
    let lines = plot.lines.iter().map(|line| view! { <path class="line" d=path(line)></path> }).collect::<Vec<_>>();
    let levels = plot
        .levels
        .iter()
        .map(|level| {
            let class = if level.threshold { "level threshold" } else { "level" };
            let d = format!("M0 {0:.2}H1000", level.y.clamp(0.0, 1.0) * 1000.0);
            view! { <path class=class d=d></path> }
        })
        .collect::<Vec<_>>();
    let bands = plot
        .bands
        .iter()
        .map(|band| {
            let (x, width) = (band.from * 1000.0, ((band.to - band.from) * 1000.0).max(2.0));
            view! { <rect class="band-of" x=format!("{x:.2}") y="0" width=format!("{width:.2}") height="1000"></rect> }
        })
        .collect::<Vec<_>>();
    view! {
        <div class="chart">
            <div class="plot">
                <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-labelledby=format!("{title_id} {desc_id}")>
                    <title id=title_id.clone()>{title}</title>
                    <desc id=desc_id.clone()>{desc}</desc>
                    {bands}
                    {levels}
                    {lines}
                </svg>
                {words(plot)}
            </div>
            {children()}
        </div>
    }
}

/// Labels and marks; the table says the same to screen readers.
fn words(plot: Plot) -> impl IntoView {
    let mut labelled: Vec<f64> = Vec::new();
    let levels = plot
        .levels
        .into_iter()
        .filter(|level| {
            let free = labelled.iter().all(|other| (other - level.y).abs() >= APART);
            if free {
                labelled.push(level.y);
            }
            free
        })
        .map(|level| view! { <span class="y" style=place(0.0, level.y)>{level.text}</span> })
        .collect::<Vec<_>>();
    let last = plot.times.len().saturating_sub(1);
    let times = plot
        .times
        .into_iter()
        .enumerate()
        .map(|(index, (x, text))| {
            let class = match index {
                0 => "x first",
                _ if index == last => "x last",
                _ => "x",
            };
            view! { <span class=class style=format!("left:{:.2}%", x * 100.0)>{text}</span> }
        })
        .collect::<Vec<_>>();
    let marks = plot
        .marks
        .into_iter()
        .map(|mark| {
            view! {
                <span class=mark.tone.mark() style=place(mark.x, mark.y) title=mark.text>
                    <Icon name=mark.icon />
                </span>
            }
        })
        .collect::<Vec<_>>();
    view! { <div aria-hidden="true">{levels} {times} {marks}</div> }
}
