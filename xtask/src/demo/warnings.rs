//! What an Alertmanager tells, and the freezes that teams have planned. All freezes lie ahead: none stands in the way of who tries the demo.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, Month, OffsetDateTime, Time, Weekday};

use super::api::Api;

/// The alerts that the documents ask for, one message for each Alertmanager.
pub fn alert(api: &Api) -> Result<()> {
    let memory = json!({
        "labels": { "alertname": "HighMemoryUsage", "service": "order-service", "severity": "warning" },
        "annotations": {
            "summary": "order-service uses more than 90 % of its memory for 5 minutes",
            "runbook_url": "https://gitlab.com/fil-rouge/mon-projet-devops/-/blob/main/docs/sre-runbook.md",
        },
        "generatorURL": "https://prometheus.fil-rouge.example/graph", "fingerprint": "5f0c1a7be93d2468",
    });
    let slow = json!({
        "labels": { "alertname": "HighResponseTime", "service": "api-gateway", "severity": "critical" },
        "annotations": { "summary": "Answers of api-gateway take more than 2 s for 5 minutes" },
        "generatorURL": "https://prometheus.fil-rouge.example/graph", "fingerprint": "a81e6c4f20b7d935",
    });
    // What became of the release that crashes.
    let crash = json!({
        "labels": { "alertname": "PodCrashLooping", "service": "fastapi", "severity": "critical" },
        "annotations": { "summary": "A pod of fastapi has been started again 3 times in 5 minutes" },
        "generatorURL": "https://prometheus.gke-reactivite.example/graph", "fingerprint": "c3d94b1f6e0a7285",
    });
    tell(api, "fil-rouge", "production", &[firing(memory, 25)?, resolved(slow, 190, 171)?])?;
    tell(api, "gke-reactivite", "staging", &[resolved(crash, 2, 0)?])
}

fn tell(api: &Api, system: &str, environment: &str, alerts: &[Value]) -> Result<()> {
    let path = format!("/webhooks/alertmanager/{system}-prometheus?namespace={system}&environment={environment}");
    api.post(&path, &json!({ "version": "4", "alerts": alerts })).map(drop)
}

fn firing(mut alert: Value, minutes: i64) -> Result<Value> {
    alert["status"] = json!("firing");
    alert["startsAt"] = json!(ago(minutes)?);
    alert["endsAt"] = json!("0001-01-01T00:00:00Z");
    Ok(alert)
}

fn resolved(mut alert: Value, from: i64, to: i64) -> Result<Value> {
    alert["status"] = json!("resolved");
    alert["startsAt"] = json!(ago(from)?);
    alert["endsAt"] = json!(ago(to)?);
    Ok(alert)
}

fn ago(minutes: i64) -> Result<String> {
    Ok((OffsetDateTime::now_utc() - Duration::minutes(minutes)).format(&Rfc3339)?)
}

pub fn plan_freezes(api: &Api) -> Result<()> {
    let today = OffsetDateTime::now_utc().date();
    // At least a day away, so that the first window does not hold yet.
    let friday = today.saturating_add(Duration::DAY).next_occurrence(Weekday::Friday);
    let weekends = json!({
        "scope": { "kind": "team", "value": "fil-rouge/payments" }, "title": "No changes to payments at the weekend",
        "starts_at": at(friday, 17)?, "ends_at": at(friday.saturating_add(Duration::days(3)), 5)?,
        "recurrence": "FREQ=WEEKLY;BYDAY=FR", "time_zone": "Europe/Paris",
    });
    let (first, last) = year_end(today)?;
    let year_end = json!({
        "scope": { "kind": "environment", "value": "production" }, "title": "End of the year: production rests",
        "starts_at": at(first, 17)?, "ends_at": at(last, 7)?, "time_zone": "Europe/Paris",
    });
    for freeze in [weekends, year_end] {
        api.post("/freezes", &freeze)?;
    }
    Ok(())
}

/// The next one that has not begun.
fn year_end(today: Date) -> Result<(Date, Date)> {
    let of = |year| Date::from_calendar_date(year, Month::December, 22).context("no such year");
    let first = if of(today.year())? > today { of(today.year())? } else { of(today.year() + 1)? };
    Ok((first, first.saturating_add(Duration::days(12))))
}

fn at(day: Date, hour: u8) -> Result<String> {
    Ok(day.with_time(Time::from_hms(hour, 0, 0)?).assume_utc().format(&Rfc3339)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn the_end_of_the_year_lies_ahead() {
        for (today, first) in [
            (date!(2026 - 11 - 21), date!(2026 - 12 - 22)),
            (date!(2026 - 12 - 22), date!(2027 - 12 - 22)),
            (date!(2026 - 12 - 31), date!(2027 - 12 - 22)),
        ] {
            assert_eq!(year_end(today).unwrap().0, first);
        }
        assert_eq!(year_end(date!(2026 - 01 - 02)).unwrap().1, date!(2027 - 01 - 03));
    }
}
