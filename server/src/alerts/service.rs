//! Hearing of alerts, and telling of them.

use super::model::{check, environment_named, service_named};
use super::store::{self, Heard, Narrow, Place, Row, Told};
use crate::catalog::CatalogService;
use crate::environments::EnvironmentService;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Cursor, Db, Keys, Object, Result, limit_or_default, validate};
use passerelle_contract::alerts::{
    AlertFilter, AlertOut, AlertReport, AlertState, AlertmanagerAlert, AlertmanagerIn, AlertmanagerOptions,
};
use passerelle_contract::{Page, text};
use serde_json::json;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const LIST: &str = "alerts";
const KEPT: Duration = Duration::days(400);
/// Of one service beside a chart.
const MOST_MARKS: i64 = 100;
/// The kind of connection whose alerts are heard.
const SOURCE: &str = "prometheus";

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct AlertService {
    db: Db,
    keys: Keys,
    catalog: Arc<CatalogService>,
    environments: EnvironmentService,
}

impl AlertService {
    #[must_use]
    pub const fn new(db: Db, keys: Keys, catalog: Arc<CatalogService>, environments: EnvironmentService) -> Self {
        Self { db, keys, catalog, environments }
    }

    /// Takes what an Alertmanager tells, all of it or nothing.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound` for a connection that is none, `Conflict` for one of another kind.
    pub async fn hear(
        &self,
        ctx: &Ctx,
        connection: &str,
        options: &AlertmanagerOptions,
        message: &AlertmanagerIn,
    ) -> Result<AlertReport> {
        let object = Object::new("connection", connection);
        let authorized = self.db.authorize(ctx, Action::AlertReport, object).await?;
        let found = self.environments.connection_for(connection).await?;
        let source = found.ok_or_else(|| AppError::not_found(format!("connection:{connection}")))?;
        if source.kind != SOURCE {
            return Err(AppError::Conflict(text!(
                "connection {name} is of kind {kind}",
                name = source.name,
                kind = source.kind
            )));
        }
        check(message)?;
        let mut report = AlertReport::default();
        let mut tx = self.db.write(ctx, authorized).await?;
        store::forget(tx.conn(), OffsetDateTime::now_utc() - KEPT).await?;
        for alert in &message.alerts {
            let heard = self.meant(alert, options);
            report.without_service += u32::from(heard.service.is_none());
            match store::put(tx.conn(), source.id, &heard).await? {
                Told::New => report.new += 1,
                Told::Resolved => report.resolved += 1,
                Told::Again => report.unchanged += 1,
            }
        }
        tx.commit(AuditEntry::success().after(json!({"report": report, "left_out": message.truncated_alerts}))).await?;
        Ok(report)
    }

    fn meant<'a>(&self, alert: &'a AlertmanagerAlert, options: &AlertmanagerOptions) -> Heard<'a> {
        let named = service_named(alert, options);
        Heard {
            alert,
            service: named.and_then(|key| self.catalog.find_service(&key)).map(|service| service.id),
            environment: environment_named(alert, options),
            source_url: Some(alert.generator_url.as_str()).filter(|url| validate::link(url)),
        }
    }

    /// One page, the newest first.
    ///
    /// # Errors
    /// `Unauthenticated`, `Invalid` by field, `NotFound` for a service that may not be seen.
    pub async fn list_alerts(&self, ctx: &Ctx, filter: &AlertFilter) -> Result<Page<AlertOut>> {
        let limit = limit_or_default(filter.limit)?;
        let service = self.narrowed_to(ctx, filter)?;
        let after: Option<Place> =
            filter.cursor.as_deref().map(|text| Cursor::decode(&self.keys, LIST, text)).transpose()?;
        let narrow = Narrow { scope: &ctx.read_scope(), service, filter, since: None };
        let fetch = i64::try_from(limit + 1).map_err(AppError::internal)?;
        let (mut rows, total) = store::page(self.db.pool(), &narrow, after.as_ref(), fetch).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more).map(|row| Place { started_at: row.started_at, id: row.id });
        let next_cursor = last.map(|place| Cursor::encode(&self.keys, LIST, &place)).transpose()?;
        Ok(Page { items: rows.into_iter().map(out).collect(), next_cursor, total })
    }

    /// Those of one service that fired at some time since a moment, the newest first; at most a hundred.
    ///
    /// # Errors
    /// As [`Self::list_alerts`].
    pub async fn alerts_since(
        &self,
        ctx: &Ctx,
        service: &str,
        environment: Option<&str>,
        since: OffsetDateTime,
    ) -> Result<Vec<AlertOut>> {
        let filter = AlertFilter {
            service: Some(service.to_owned()),
            environment: environment.map(str::to_owned),
            ..AlertFilter::default()
        };
        let service = self.narrowed_to(ctx, &filter)?;
        let narrow = Narrow { scope: &ctx.read_scope(), service, filter: &filter, since: Some(since) };
        let (rows, _) = store::page(self.db.pool(), &narrow, None, MOST_MARKS).await?;
        Ok(rows.into_iter().map(out).collect())
    }

    fn narrowed_to(&self, ctx: &Ctx, filter: &AlertFilter) -> Result<Option<Uuid>> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        filter.service.as_ref().map(|key| Ok(self.catalog.service_for(ctx, key)?.id)).transpose()
    }
}

fn out(row: Row) -> AlertOut {
    let runbook_url = row.annotations.0.get("runbook_url").filter(|url| validate::link(url)).cloned();
    AlertOut {
        id: row.id,
        name: row.name,
        state: if row.ended_at.is_none() { AlertState::Firing } else { AlertState::Resolved },
        severity: row.severity,
        summary: row.summary,
        service: row.service,
        environment: row.environment,
        connection: row.connection,
        started_at: row.started_at,
        ended_at: row.ended_at,
        heard_at: row.heard_at,
        source_url: row.source_url,
        runbook_url,
        labels: row.labels.0,
    }
}
