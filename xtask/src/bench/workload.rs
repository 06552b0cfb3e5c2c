//! What is asked: each workload is many different requests, so that no single answer can be all that is measured.

use anyhow::{Context as _, Result};

use super::catalog::{self, Shape};
use super::http::Connection;
use super::request::{self, Credential, encoded};
use super::server::Server;

/// Entities that are read, spread over the whole catalog.
const ENTITIES: usize = 10_000;
/// Pages that are followed from the first one on.
const PAGES: usize = 40;
const LIST: &str = "/api/v1/services";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    List,
    Sorted,
    Search,
    Facets,
    Entity,
    /// The list as people see it: HTML, not compressed.
    Page,
}

impl Workload {
    pub const API: [Self; 5] = [Self::List, Self::Sorted, Self::Search, Self::Facets, Self::Entity];

    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list of 20",
            Self::Sorted => "sorted by name",
            Self::Search => "search",
            Self::Facets => "facets",
            Self::Entity => "one entity",
            Self::Page => "list page (HTML)",
        }
    }

    /// Its requests, by one person.
    pub fn requests(self, server: &Server, shape: &Shape, credential: &Credential) -> Result<Vec<Vec<u8>>> {
        let paths = match self {
            Self::List => pages(server, credential, "limit=20")?,
            Self::Sorted => {
                let mut paths = pages(server, credential, "sort=name&limit=20")?;
                paths.extend(pages(server, credential, "sort=name_desc&limit=20")?);
                paths
            }
            Self::Search => {
                let words = catalog::search_words();
                words.iter().map(|word| format!("{LIST}?q={}&limit=20", encoded(word))).collect()
            }
            Self::Facets => facets(shape),
            Self::Entity => entities(shape),
            Self::Page => ["/services", "/services?sort=owner", "/services?q=payment", "/services?type=service"]
                .map(str::to_owned)
                .to_vec(),
        };
        Ok(paths.iter().map(|path| request::get(path, credential, &[])).collect())
    }
}

/// The first pages of a list, each by the cursor that the one before it gave.
fn pages(server: &Server, credential: &Credential, query: &str) -> Result<Vec<String>> {
    let mut connection = Connection::open(server.address)?;
    let mut paths = vec![format!("{LIST}?{query}")];
    while paths.len() < PAGES {
        let Some(last) = paths.last() else { break };
        let page = connection.call(&request::get(last, credential, &[]))?.json().with_context(|| last.clone())?;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        paths.push(format!("{LIST}?{query}&cursor={}", encoded(cursor)));
    }
    Ok(paths)
}

/// All services, and those of one system, one type or one lifecycle, as the list page asks for them.
fn facets(shape: &Shape) -> Vec<String> {
    let mut queries = vec![String::new()];
    queries.extend((0..shape.systems.min(20)).map(|system| format!("?system=default/system-{system}")));
    queries.extend(["service", "website", "library", "job"].map(|kind| format!("?type={kind}")));
    queries.extend(["production", "experimental", "deprecated"].map(|lifecycle| format!("?lifecycle={lifecycle}")));
    queries.extend(["payment", "gateway", "search"].map(|word| format!("?q={word}")));
    queries.into_iter().map(|query| format!("{LIST}/facets{query}")).collect()
}

/// Components in an order that jumps about, so that neighbours do not help each other.
fn entities(shape: &Shape) -> Vec<String> {
    // A prime larger than any catalog here shares no factor with its size: every component comes once.
    const STRIDE: usize = 1_000_003;
    let count = shape.components.min(ENTITIES);
    (0..count).map(|at| format!("{LIST}/default/{}", catalog::component(at * STRIDE % shape.components))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_entity_is_asked_for_once() {
        for components in [1_000, 10_000] {
            let paths: HashSet<String> = entities(&Shape::of(components)).into_iter().collect();
            assert_eq!(paths.len(), components);
        }
    }

    #[test]
    fn facets_are_asked_for_in_many_ways() {
        let paths: HashSet<String> = facets(&Shape::of(10_000)).into_iter().collect();
        assert_eq!(paths.len(), 31);
    }
}
