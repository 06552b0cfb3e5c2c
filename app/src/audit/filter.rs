//! The filter of the audit: from the address, into a form, and on to the export.

use crate::i18n::{T, iso};
use crate::ui::{ButtonKind, LinkButton, Select, Submit, Text};
use crate::web::{Errors, Query, Req};
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::audit::{AuditFilter, Outcome};
use passerelle_contract::moment::within;
use passerelle_server::kernel::AppError;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

const PAGE: u32 = 50;
const OUTCOMES: [Outcome; 4] = [Outcome::Intent, Outcome::Success, Outcome::Failure, Outcome::Denied];

/// What is asked for, and what of it could not be read.
pub struct Filter {
    pub wanted: AuditFilter,
    pub errors: Vec<FieldError>,
}

impl Filter {
    #[must_use]
    pub fn read(query: &Query, t: T) -> Self {
        let mut errors = Vec::new();
        let mut moment = |name: &str| {
            let text = query.get(name)?;
            let read = moment(text);
            if read.is_none() {
                errors.push(FieldError::said(format!("/{name}"), t.bad_time()));
            }
            read
        };
        let (from, to) = (moment("from"), moment("to"));
        let outcome = query.get("outcome").and_then(|text| OUTCOMES.into_iter().find(|one| one.as_str() == text));
        let wanted = AuditFilter {
            actor: query.text("actor"),
            action: query.text("action"),
            object: query.text("object"),
            service: query.text("service"),
            environment: query.text("environment"),
            outcome,
            from,
            to,
            cursor: query.text("cursor"),
            limit: Some(PAGE),
        };
        Self { wanted, errors }
    }

    /// The address of the export of the same rows.
    #[must_use]
    pub fn export(&self, format: &str) -> String {
        let wanted = &self.wanted;
        let pairs = [
            ("actor", wanted.actor.clone()),
            ("action", wanted.action.clone()),
            ("object", wanted.object.clone()),
            ("service", wanted.service.clone()),
            ("environment", wanted.environment.clone()),
            ("outcome", wanted.outcome.map(|outcome| outcome.as_str().to_owned())),
            ("from", wanted.from.map(iso)),
            ("to", wanted.to.map(iso)),
        ];
        let start = Query::default().with("format", Some(format));
        let all = pairs.iter().fold(start, |query, (name, value)| query.with(name, value.as_deref()));
        all.href("/api/v1/audit/export")
    }

    /// The filter as a form whose answer is an address.
    pub fn form(&self, req: &Req) -> impl IntoView + use<> {
        let t = req.t;
        let errors: Errors = AppError::Invalid(self.errors.clone()).problem(&req.ctx).into();
        let value = |name: &str| req.query.text(name).unwrap_or_default();
        let any = (String::new(), t.any().to_owned());
        let words = OUTCOMES.map(|outcome| (outcome.as_str().to_owned(), t.outcome(outcome).to_owned()));
        let outcomes = std::iter::once(any).chain(words).collect::<Vec<_>>();
        let text = |name: &'static str, label: &'static str| {
            view! { <Text t=t name=name label=label value=value(name) required=false autocomplete="off" /> }
        };
        let time = |name: &'static str, label: &'static str| {
            let shown = match name {
                "from" => self.wanted.from,
                _ => self.wanted.to,
            };
            let shown = shown.map_or_else(|| value(name), input_value);
            let error = errors.of(&format!("/{name}"));
            view! { <Text t=t name=name label=label kind="datetime-local" value=shown error=error required=false /> }
        };
        let clear = req.query.filtered();
        view! {
            <form class="filters" action="/audit" data-auto="">
                {text("actor", t.col_actor())} {text("action", t.col_action())} {text("object", t.col_object())}
                {text("service", t.col_service())} {text("environment", t.col_environment())}
                <Select t=t name="outcome" label=t.col_outcome() choices=outcomes value=value("outcome") required=false />
                {time("from", t.field_from())} {time("to", t.field_to())}
                <Submit label=t.filter() kind=ButtonKind::Plain />
                {clear
                    .then(|| view! { <LinkButton href="/audit" label=t.clear_filters() kind=ButtonKind::Quiet /> })}
            </form>
        }
    }
}

/// `2026-11-21`, `2026-11-21T08:00`, with seconds, or with a zone; without a zone it is UTC.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let full = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    };
    OffsetDateTime::parse(&full, &Rfc3339).ok().and_then(within)
}

/// As `datetime-local` takes it, in UTC.
fn input_value(at: OffsetDateTime) -> String {
    iso(at.to_offset(UtcOffset::UTC)).trim_end_matches('Z').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_export_has_the_filters_of_the_page() {
        let filter =
            Filter::read(&Query::parse("actor=ada&outcome=denied&from=2026-11-21T08:00&cursor=x"), T::default());
        assert!(filter.errors.is_empty());
        assert_eq!(
            filter.export("csv"),
            "/api/v1/audit/export?format=csv&actor=ada&outcome=denied&from=2026-11-21T08%3A00%3A00Z"
        );
    }

    #[test]
    fn times_are_read_as_utc_or_refused_by_name() {
        let eight = moment("2026-11-21T08:00").unwrap();
        assert_eq!(moment("2026-11-21T09:00:00+01:00"), Some(eight));
        assert_eq!(moment("2026-11-21T08:00:00"), Some(eight));
        assert_eq!(input_value(eight), "2026-11-21T08:00:00");
        let filter = Filter::read(&Query::parse("to=yesterday"), T::default());
        assert_eq!(filter.errors[0].pointer, "/to");
    }
}
