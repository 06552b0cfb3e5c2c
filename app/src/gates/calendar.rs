//! The freezes of a month, a week a row and a day a cell: what is not frozen is open.

use super::freeze::usual_zone;
use crate::i18n::T;
use crate::ui::{ButtonKind, Columns, LinkButton, Table};
use crate::web::{AppState, OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::gates::FreezeOut;
use passerelle_server::gates::{clock_in, moment_in};
use time::{Date, Duration, OffsetDateTime, Time};

const WEEK: i64 = 7;

/// `2026-11`, or the month of now.
fn first_of(text: Option<&str>, today: Date) -> Date {
    let named = text.and_then(|text| {
        let (year, month) = text.split_once('-')?;
        let (year, month) = (year.parse::<i32>().ok()?, month.parse::<u8>().ok()?);
        let year = (2000..=2200).contains(&year).then_some(year)?;
        Date::from_calendar_date(year, time::Month::try_from(month).ok()?, 1).ok()
    });
    named.unwrap_or_else(|| today.replace_day(1).unwrap_or(today))
}

fn month_text(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), u8::from(date.month()))
}

/// When a day begins on the clock of the zone.
fn begins(zone: &str, day: Date) -> OffsetDateTime {
    moment_in(zone, day.with_time(Time::MIDNIGHT)).unwrap_or_else(|| day.midnight().assume_utc())
}

pub async fn view(app: &AppState, req: &Req) -> Result<AnyView, PageError> {
    let (t, zone) = (req.t, usual_zone(req.t));
    let today = clock_in(zone, req.now).date();
    let first = first_of(req.query.get("month"), today);
    let after = (first + Duration::days(31)).replace_day(1).unwrap_or(first);
    let monday = first - Duration::days(i64::from(first.weekday().number_days_from_monday()));
    let last = after - Duration::DAY;
    let weeks = (last - monday).whole_days() / WEEK + 1;
    let (from, until) = (begins(zone, monday), begins(zone, monday + Duration::days(weeks * WEEK)));
    let freezes = app.portal.gates.freezes_within(&req.ctx, from, until).await.or_page(req)?;
    let rows = (0..weeks)
        .map(|week| {
            let start = monday + Duration::days(week * WEEK);
            let days = (0..WEEK)
                .map(|day| cell(t, zone, start + Duration::days(day), (first, today), &freezes))
                .collect::<Vec<_>>();
            view! {
                <tr>
                    <th scope="row" class="num">{start.iso_week()}</th>
                    {days}
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let names = (0..WEEK).map(|day| t.weekday((monday + Duration::days(day)).weekday()));
    let columns = names.fold(Columns::default().numbers([t.calendar_week()]), |columns, name| columns.and([name]));
    let month = t.month_of(first);
    let link = |date: Date| format!("{}#calendar", req.query.with("month", Some(&month_text(date))).href("/freezes"));
    let before = link(first - Duration::DAY);
    let view = view! {
        <section id="calendar" class="stack">
            <div class="head calendar-head">
                <h2>{month.clone()}</h2>
                <div class="acts">
                    <LinkButton href=before label=t.calendar_before() kind=ButtonKind::Small />
                    <LinkButton href=link(after) label=t.calendar_after() kind=ButtonKind::Small />
                </div>
            </div>
            <Table label=t.calendar_label(month, zone) class="calendar" columns=columns>{rows}</Table>
            <p class="muted">{t.calendar_hint(zone)}</p>
        </section>
    };
    Ok(view.into_any())
}

fn cell(t: T, zone: &str, day: Date, (first, today): (Date, Date), freezes: &[FreezeOut]) -> AnyView {
    let (from, until) = (begins(zone, day), begins(zone, day + Duration::DAY));
    let items = freezes
        .iter()
        .flat_map(|freeze| {
            let reaches = freeze
                .windows
                .iter()
                .filter(move |window| window.starts_at < until && window.ends_at.is_none_or(|end| end > from));
            reaches.map(move |window| {
                let span =
                    span(zone, window.starts_at.max(from), window.ends_at.unwrap_or(until).min(until), from, until);
                view! {
                    <li>
                        <a class="break" href=format!("/freezes/{}", freeze.id)>
                            {span.map(|span| view! { <span class="nowrap">{span}</span> " " })} {freeze.title.clone()}
                        </a>
                    </li>
                }
            })
        })
        .collect::<Vec<_>>();
    let class = match (day.month() == first.month(), day == today) {
        (_, true) => "today",
        (true, false) => "",
        (false, false) => "other",
    };
    let content = if items.is_empty() {
        view! { <span class="muted">{t.calendar_open()}</span> }.into_any()
    } else {
        view! { <ul class="freezes">{items}</ul> }.into_any()
    };
    let exact = format!("{}-{:02}", month_text(day), day.day());
    view! {
        <td class=class aria-current=(day == today).then_some("date")>
            <time class="day" datetime=exact>{day.day()}</time>
            {content}
        </td>
    }
    .into_any()
}

/// The part of the day that is frozen; nothing for a whole day.
fn span(
    zone: &str,
    starts: OffsetDateTime,
    ends: OffsetDateTime,
    from: OffsetDateTime,
    until: OffsetDateTime,
) -> Option<String> {
    if starts <= from && ends >= until {
        return None;
    }
    let clock = |at: OffsetDateTime| {
        let at = clock_in(zone, at);
        format!("{:02}:{:02}", at.hour(), at.minute())
    };
    let end = if ends >= until { "24:00".to_owned() } else { clock(ends) };
    Some(format!("{}–{end}", clock(starts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn a_month_is_named_or_that_of_today() {
        let today = date!(2026 - 11 - 21);
        assert_eq!(first_of(Some("2027-02"), today), date!(2027 - 02 - 01));
        for odd in [None, Some("2027-13"), Some("99999-01"), Some("x")] {
            assert_eq!(first_of(odd, today), date!(2026 - 11 - 01), "{odd:?}");
        }
    }

    #[test]
    fn only_a_part_of_a_day_says_its_hours() {
        let (from, until) = (datetime!(2026-11-20 23:00 UTC), datetime!(2026-11-21 23:00 UTC));
        assert_eq!(span("Europe/Paris", from, until, from, until), None);
        let evening = datetime!(2026-11-21 17:00 UTC);
        assert_eq!(span("Europe/Paris", evening, until, from, until).as_deref(), Some("18:00–24:00"));
    }
}
