//! The catalog that is measured: Backstage documents of every usual kind, the same ones in every run.
//!
//! For 10,000 components it is one upload of about 6.7 MB whose references make about 81,000 relations, both directions counted.
//! Every share grows with the number of components, so that a request finds the same neighbourhood in a small and in a large catalog.

use std::fmt::Write as _;

/// Components per system, so that systems look the same at every size.
const PER_SYSTEM: usize = 500;
const AREAS: [&str; 16] = [
    "payment",
    "billing",
    "search",
    "identity",
    "catalog",
    "shipping",
    "pricing",
    "inventory",
    "reporting",
    "messaging",
    "ledger",
    "booking",
    "support",
    "loyalty",
    "delivery",
    "analytics",
];
const ROLES: [&str; 12] = [
    "api",
    "worker",
    "gateway",
    "frontend",
    "sync",
    "export",
    "cache",
    "scheduler",
    "stream",
    "proxy",
    "admin",
    "batch",
];
const LANGUAGES: [&str; 8] = ["java", "kotlin", "go", "rust", "python", "typescript", "scala", "elixir"];
const TYPES: [&str; 5] = ["service", "website", "library", "job", "function"];
const LIFECYCLES: [&str; 4] = ["production", "production", "experimental", "deprecated"];
const STORES: [&str; 5] = ["database", "bucket", "queue", "cache", "topic"];

/// How many of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub components: usize,
    pub apis: usize,
    pub resources: usize,
    pub groups: usize,
    pub users: usize,
    pub systems: usize,
}

impl Shape {
    /// The shares of the 10,000-component catalog.
    pub fn of(components: usize) -> Self {
        let share = |part: usize| (components / part).max(1);
        Self {
            components,
            apis: share(20),
            resources: share(20),
            groups: share(200),
            users: share(100),
            systems: share(PER_SYSTEM),
        }
    }

    pub fn entities(&self) -> usize {
        self.components + self.apis + self.resources + self.groups + self.users + self.systems
    }
}

/// The name of a component, the same in every run.
pub fn component(index: usize) -> String {
    format!("{}-{}-{index:05}", AREAS[index % AREAS.len()], ROLES[index / AREAS.len() % ROLES.len()])
}

/// Words that people would search for: an area, a part of a role, a number within a name.
pub fn search_words() -> Vec<String> {
    let mut words: Vec<String> = AREAS.iter().chain(&ROLES).map(|word| (*word).to_owned()).collect();
    words.extend(AREAS.iter().zip(&ROLES).map(|(area, role)| format!("{area} {role}")));
    words.extend((0..40).map(|index| format!("{:03}", index * 17)));
    words.extend((0..60).map(|index| component(index * 13)));
    words
}

/// The documents of the components `from..to`; the first part also holds everything that they refer to.
pub fn part(shape: &Shape, from: usize, to: usize) -> String {
    let mut out = String::with_capacity((to - from) * 720);
    if from == 0 {
        references(shape, &mut out);
    }
    for index in from..to {
        write_component(shape, index, &mut out);
    }
    out
}

fn references(shape: &Shape, out: &mut String) {
    for index in 0..shape.systems {
        head(out, "System", &format!("system-{index}"), &format!("What the teams of area {index} run together"));
        line(out, format_args!("spec: {{ owner: group:team-{} }}", index % shape.groups));
    }
    for index in 0..shape.groups {
        head(out, "Group", &format!("team-{index}"), "Builds and runs its own services");
        line(out, format_args!("spec: {{ type: team, children: [] }}"));
    }
    for index in 0..shape.users {
        head(out, "User", &format!("person-{index}"), "Somebody who is on call now and then");
        line(
            out,
            format_args!(
                "spec: {{ profile: {{ displayName: Person {index} }}, memberOf: [team-{}] }}",
                index % shape.groups
            ),
        );
    }
    for index in 0..shape.apis {
        head(out, "API", &format!("api-{index}"), &format!("Interface {index}, versioned and documented"));
        owned(shape, index, out);
        line(out, format_args!("  type: openapi\n  definition: \"openapi: 3.1.0\""));
    }
    for index in 0..shape.resources {
        head(out, "Resource", &format!("store-{index}"), &format!("Holds what the services of area {index} keep"));
        owned(shape, index, out);
        line(out, format_args!("  type: {}", STORES[index % STORES.len()]));
    }
}

fn write_component(shape: &Shape, index: usize, out: &mut String) {
    let (name, area) = (component(index), AREAS[index % AREAS.len()]);
    let language = LANGUAGES[index / 3 % LANGUAGES.len()];
    let description = format!(
        "Part {index} of {area}: takes requests, checks them, keeps what has to be kept and tells the others what happened."
    );
    head(out, "Component", &name, &description);
    line(out, format_args!("  labels: {{ tier: \"{}\", cost-centre: \"cc-{}\" }}", index % 3 + 1, index % 40));
    line(
        out,
        format_args!(
            "  annotations:\n    github.com/project-slug: example/{name}\n    backstage.io/techdocs-ref: dir:."
        ),
    );
    line(out, format_args!("  tags: [{language}, {area}, ring-{}]", index % 7));
    line(out, format_args!("  links: [{{ url: \"https://runbooks.example.org/{name}\", title: Runbook }}]"));
    owned(shape, index, out);
    let kind = TYPES[index % TYPES.len()];
    line(out, format_args!("  type: {kind}\n  lifecycle: {}", LIFECYCLES[index / 7 % LIFECYCLES.len()]));
    line(out, format_args!("  dependsOn: [resource:store-{}]", index % shape.resources));
    if index < shape.apis {
        line(out, format_args!("  providesApis: [api-{index}]"));
    }
    if index.is_multiple_of(2) {
        line(out, format_args!("  consumesApis: [api-{}]", index * 7 % shape.apis));
    }
    if index % 4 == 3 {
        line(out, format_args!("  subcomponentOf: {}", component(index - 1)));
    }
}

fn owned(shape: &Shape, index: usize, out: &mut String) {
    line(
        out,
        format_args!("spec:\n  owner: group:team-{}\n  system: system-{}", index % shape.groups, index % shape.systems),
    );
}

fn head(out: &mut String, kind: &str, name: &str, description: &str) {
    line(out, format_args!("---\napiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}"));
    line(out, format_args!("  description: \"{description}\""));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_catalog_has_the_size_it_is_said_to_have() {
        let shape = Shape::of(10_000);
        assert_eq!((shape.apis, shape.resources, shape.groups, shape.users, shape.systems), (500, 500, 50, 100, 20));
        let text = part(&shape, 0, shape.components);
        assert_eq!(text.matches("\nkind: ").count(), shape.entities());
        let megabytes = text.len() as f64 / 1e6;
        assert!((6.4..7.0).contains(&megabytes), "{megabytes} MB");
        assert_eq!(text, part(&shape, 0, shape.components), "not the same twice");
    }

    #[test]
    fn parts_put_together_are_the_whole() {
        let shape = Shape::of(1_000);
        let parts = part(&shape, 0, 400) + &part(&shape, 400, 1_000);
        assert_eq!(parts, part(&shape, 0, 1_000));
    }
}
