//! The design system: components without data access, each shown with its states on `/ui`.
//!
//! They render on the server and, inside islands, in the browser; so they take the language as an argument.

mod alert;
mod badge;
mod button;
mod chart;
mod diff;
mod facets;
mod field;
mod gates;
mod graph;
mod icon;
mod list;
mod nav;
mod said;
mod sparkline;
mod steps;
mod time;

pub use alert::{Alert, Empty, Flash};
pub use badge::{
    HealthBadge, OutcomeBadge, PlaceHead, Simulated, StateBadge, Status, TierTag, Tone, health_tone, state_tone,
};
pub use button::{ButtonKind, CopyId, LinkButton, Submit};
pub use chart::{Band, Chart, Level, Mark, Plot};
pub use diff::{Diff, ImageRef};
pub use facets::facet_choices;
pub use field::{Check, Choice, Hidden, Select, Text, TextArea, TypedName, in_textarea};
pub use gates::{GateList, freeze_scope, verdict_tone};
pub use graph::{DependencyGraph, entity_href};
pub use icon::{Icon, SPRITE};
pub use list::{Chip, Columns, Pager, Pages, Table};
pub use nav::{Crumb, Crumbs, Head, Tab, Tabs};
pub use said::Said;
pub use sparkline::{BudgetLine, Sparkline};
pub use steps::{InstanceDots, Steps};
pub use time::{Ago, Moment};
