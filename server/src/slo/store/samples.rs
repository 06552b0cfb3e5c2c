//! Minutes and running totals.

use crate::kernel::Result;
use passerelle_slo_math::Counts;
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, PgExecutor};
use uuid::Uuid;

/// Minutes of a row.
pub const MINUTES: usize = 60;
/// In an array: a minute without data.
pub const UNKNOWN: i64 = -1;

/// What was counted before some minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Running {
    pub counts: Counts,
    /// Samples with data.
    pub known: u64,
}

impl Running {
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self { counts: self.counts - earlier.counts, known: self.known.saturating_sub(earlier.known) }
    }
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// The running totals at the beginnings of minutes, in the order asked.
pub async fn running(db: impl PgExecutor<'_>, at: &[(Uuid, i64)]) -> Result<Vec<Running>> {
    let (slos, minutes): (Vec<Uuid>, Vec<i64>) = at.iter().copied().unzip();
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT coalesce(h.bad_before + b.bad, 0)::bigint, coalesce(h.total_before + b.total, 0)::bigint,
                coalesce(h.known_before + b.known, 0)::bigint
         FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS p (slo_id, minute, ord)
         LEFT JOIN LATERAL (SELECT * FROM slo_hours h WHERE h.slo_id = p.slo_id AND h.hour <= p.minute / 60 ORDER BY h.hour DESC LIMIT 1) h
           ON true
         LEFT JOIN LATERAL (SELECT CASE WHEN h.hour = p.minute / 60 THEN (p.minute % 60)::integer ELSE 60 END AS n) part ON true
         LEFT JOIN LATERAL (
           SELECT coalesce(sum(u.bad), 0) AS bad, coalesce(sum(u.total), 0) AS total, count(*) AS known
           FROM unnest(h.bad[1:part.n], h.total[1:part.n]) AS u (bad, total) WHERE u.total >= 0
         ) b ON true
         ORDER BY p.ord",
    )
    .bind(&slos)
    .bind(&minutes)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(bad, total, known)| Running { counts: Counts::new(count(bad), count(total)), known: count(known) })
        .collect())
}

/// One hour.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Hour {
    pub slo_id: Uuid,
    pub hour: i64,
    pub bad_before: i64,
    pub total_before: i64,
    pub known_before: i64,
    pub bad: Vec<i64>,
    pub total: Vec<i64>,
}

impl Hour {
    #[must_use]
    pub fn empty(slo_id: Uuid, hour: i64, before: Running) -> Self {
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        Self {
            slo_id,
            hour,
            bad_before: signed(before.counts.bad),
            total_before: signed(before.counts.total),
            known_before: signed(before.known),
            bad: vec![0; MINUTES],
            total: vec![UNKNOWN; MINUTES],
        }
    }

    /// The totals at its end.
    #[must_use]
    pub fn after(&self) -> (i64, i64, i64) {
        let seen = self.bad.iter().zip(&self.total).filter(|(_, total)| **total >= 0);
        seen.fold((self.bad_before, self.total_before, self.known_before), |(b, t, k), (bad, total)| {
            (b.saturating_add(*bad), t.saturating_add(*total), k + 1)
        })
    }
}

/// The rows of hours between two, both included.
pub async fn hours(db: impl PgExecutor<'_>, slos: &[Uuid], first: i64, last: i64) -> Result<Vec<Hour>> {
    Ok(sqlx::query_as(
        "SELECT * FROM slo_hours WHERE slo_id = ANY($1) AND hour BETWEEN $2 AND $3 ORDER BY slo_id, hour",
    )
    .bind(slos)
    .bind(first)
    .bind(last)
    .fetch_all(db)
    .await?)
}

/// Rows written together; larger statements gain nothing.
const CHUNK: usize = 500;

pub async fn write(db: &mut PgConnection, hours: &[Hour]) -> Result<()> {
    for part in hours.chunks(CHUNK) {
        let column = |of: fn(&Hour) -> i64| part.iter().map(of).collect::<Vec<i64>>();
        let ids: Vec<Uuid> = part.iter().map(|hour| hour.slo_id).collect();
        let bad: Vec<i64> = part.iter().flat_map(|hour| hour.bad.iter().copied()).collect();
        let total: Vec<i64> = part.iter().flat_map(|hour| hour.total.iter().copied()).collect();
        sqlx::query(
            "INSERT INTO slo_hours (slo_id, hour, bad_before, total_before, known_before, bad, total)
             SELECT p.slo_id, p.hour, p.bad_before, p.total_before, p.known_before,
                    ($6::bigint[])[(p.ord - 1) * 60 + 1 : p.ord * 60], ($7::bigint[])[(p.ord - 1) * 60 + 1 : p.ord * 60]
             FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY
                  AS p (slo_id, hour, bad_before, total_before, known_before, ord)
             ON CONFLICT (slo_id, hour) DO UPDATE SET bad_before = excluded.bad_before, total_before = excluded.total_before,
                    known_before = excluded.known_before, bad = excluded.bad, total = excluded.total",
        )
        .bind(&ids)
        .bind(column(|hour| hour.hour))
        .bind(column(|hour| hour.bad_before))
        .bind(column(|hour| hour.total_before))
        .bind(column(|hour| hour.known_before))
        .bind(&bad)
        .bind(&total)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Moves the running totals of all rows after an hour, when something before them changed.
pub async fn shift_after(db: &mut PgConnection, slo: Uuid, hour: i64, by: (i64, i64, i64)) -> Result<()> {
    sqlx::query(
        "UPDATE slo_hours SET bad_before = bad_before + $3, total_before = total_before + $4, known_before = known_before + $5
         WHERE slo_id = $1 AND hour > $2",
    )
    .bind(slo)
    .bind(hour)
    .bind(by.0)
    .bind(by.1)
    .bind(by.2)
    .execute(db)
    .await?;
    Ok(())
}

/// Hours older than this are forgotten.
pub async fn forget_before(db: impl PgExecutor<'_>, hour: i64) -> Result<u64> {
    Ok(sqlx::query("DELETE FROM slo_hours WHERE hour < $1").bind(hour).execute(db).await?.rows_affected())
}
