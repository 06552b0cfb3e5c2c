//! What runs where: the matrix of services and environments.

use super::service::DeploymentService;
use super::store::unbound;
use crate::kernel::{Action, Ctx, Cursor, EnvironmentScope, Object, Result, ServiceScope, decide, limit_or_default};
use passerelle_contract::catalog::{ServiceFilter, ServiceOut};
use passerelle_contract::deployments::{CellOut, MatrixFilter, MatrixOut, MatrixRow};
use passerelle_contract::environments::EnvironmentOut;
use passerelle_contract::{Locale, Page};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

const LIST: &str = "matrix";

impl DeploymentService {
    /// A page of services with one cell per environment.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub async fn matrix(&self, ctx: &Ctx, filter: MatrixFilter) -> Result<MatrixOut> {
        let environments = self.environments.list_environments(ctx).await?;
        let only = self.only(&filter).await?;
        let services = ServiceFilter {
            q: filter.q,
            system: filter.system,
            team: filter.team,
            cursor: filter.cursor,
            limit: filter.limit,
            ..ServiceFilter::default()
        };
        let page = match only {
            None => self.catalog.list_services(ctx, &services)?,
            Some(only) => self.among(ctx, &services, &only)?,
        };
        let ids: Vec<Uuid> = page.items.iter().map(|service| service.id).collect();
        let mut cells = self.cells_of(&ids, ctx.locale).await?;
        let rows = page
            .items
            .into_iter()
            .map(|service| {
                let scope = ServiceScope {
                    key: service.key.clone(),
                    team: service.owner.clone(),
                    system: service.system.clone(),
                };
                let cells = readable(ctx, &scope, cells.remove(&service.id).unwrap_or_default());
                MatrixRow { cells: row(&environments, cells), service }
            })
            .collect();
        Ok(MatrixOut { environments, rows, next_cursor: page.next_cursor, total: page.total })
    }

    /// The cells of one service, one per environment.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn cells(&self, ctx: &Ctx, service: &str) -> Result<Vec<CellOut>> {
        let service = self.service(ctx, service)?;
        ctx.permit(Action::CatalogRead, &Object::service(service.scope.clone()))?;
        let environments = self.environments.list_environments(ctx).await?;
        let mut cells = self.cells_of(&[service.id], ctx.locale).await?;
        let cells = readable(ctx, &service.scope, cells.remove(&service.id).unwrap_or_default());
        Ok(row(&environments, cells))
    }

    /// A page of some services, for filters that the catalog does not know.
    fn among(&self, ctx: &Ctx, filter: &ServiceFilter, only: &HashSet<Uuid>) -> Result<Page<ServiceOut>> {
        let scope = ctx.read_scope();
        let limit = limit_or_default(filter.limit)?;
        let after: Option<String> =
            filter.cursor.as_deref().map(|text| Cursor::decode(&self.keys, LIST, text)).transpose()?;
        let words: Vec<String> =
            filter.q.as_deref().unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
        let mut services = self.catalog.services_by_id(&only.iter().copied().collect::<Vec<_>>());
        services.retain(|service| {
            let text = format!("{} {}", service.key, service.title.as_deref().unwrap_or_default()).to_lowercase();
            scope.allows(service.owner.as_deref(), service.system.as_deref())
                && filter.system.as_ref().is_none_or(|system| service.system.as_ref() == Some(system))
                && filter.team.as_ref().is_none_or(|team| service.owner.as_ref() == Some(team))
                && words.iter().all(|word| text.contains(word))
        });
        services.sort_by(|a, b| a.key.cmp(&b.key));
        let total = services.len() as u64;
        let start = after.map_or(0, |after| services.partition_point(|service| service.key <= after));
        let mut items: Vec<ServiceOut> = services.into_iter().skip(start).take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|service| Cursor::encode(&self.keys, LIST, &service.key)).transpose()?;
        Ok(Page { items, next_cursor, total })
    }

    async fn only(&self, filter: &MatrixFilter) -> Result<Option<HashSet<Uuid>>> {
        let attention =
            if filter.attention == Some(true) { Some(self.store.services_needing_attention().await?) } else { None };
        let differs = if filter.differs == Some(true) { Some(self.store.services_that_differ().await?) } else { None };
        Ok(match (attention, differs) {
            (None, None) => None,
            (Some(ids), None) | (None, Some(ids)) => Some(ids.into_iter().collect()),
            (Some(a), Some(b)) => {
                let a: HashSet<Uuid> = a.into_iter().collect();
                Some(b.into_iter().filter(|id| a.contains(id)).collect())
            }
        })
    }

    async fn cells_of(&self, services: &[Uuid], locale: Locale) -> Result<HashMap<Uuid, Vec<CellOut>>> {
        let mut cells: HashMap<Uuid, Vec<CellOut>> = HashMap::new();
        for cell in self.store.cells(services).await? {
            cells.entry(cell.service_id).or_default().push(cell.into_out(locale)?);
        }
        Ok(cells)
    }
}

/// The cells of the environments whose deployments the caller may read.
fn readable(ctx: &Ctx, service: &ServiceScope, mut cells: Vec<CellOut>) -> Vec<CellOut> {
    cells.retain(|cell| {
        let environment = EnvironmentScope { name: cell.environment.clone(), tier: cell.tier };
        let object = Object::service(service.clone()).with_environment(environment);
        decide(ctx, Action::DeploymentRead, &object).allowed
    });
    cells
}

/// One cell per environment, in their order.
fn row(environments: &[EnvironmentOut], bound: Vec<CellOut>) -> Vec<CellOut> {
    let mut bound: HashMap<String, CellOut> = bound.into_iter().map(|cell| (cell.environment.clone(), cell)).collect();
    environments
        .iter()
        .map(|environment| {
            bound.remove(&environment.name).unwrap_or_else(|| unbound(environment.name.clone(), environment.tier))
        })
        .collect()
}
