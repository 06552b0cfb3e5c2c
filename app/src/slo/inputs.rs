//! The fields of an objective's form.

use crate::i18n::T;
use crate::ui::{Choice, Hidden, Select, Text, TextArea};
use crate::web::{Errors, Fields};
use leptos::prelude::*;
use passerelle_contract::slo::SloOut;
use passerelle_server::slo::Draft;

/// Pointers of the errors that stand beside a field.
pub const SHOWN: [&str; 16] = [
    "/title",
    "/description",
    "/service",
    "/environment",
    "/connection",
    "/part",
    "/total",
    "/op",
    "/threshold",
    "/objective",
    "/window",
    "/zone",
    "/method",
    "/slice",
    "/slice_target",
    "/min_bad_events",
];

pub fn draft(fields: &Fields) -> Draft {
    Draft {
        name: String::new(),
        title: fields.text("title"),
        description: fields.text("description"),
        service: fields.text("service"),
        connection: fields.text("connection"),
        indicator: fields.text("indicator"),
        part: fields.text("part"),
        total: fields.text("total"),
        op: fields.text("op"),
        threshold: fields.text("threshold"),
        objective: fields.text("objective"),
        window: fields.text("window"),
        zone: fields.text("zone"),
        start: fields.text("start"),
        method: fields.text("method"),
        slice: fields.text("slice"),
        slice_target: fields.text("slice_target"),
    }
}

pub fn fields(draft: &Draft, least: u64, etag: String) -> Fields {
    let pairs = [
        ("title", draft.title.clone()),
        ("description", draft.description.clone()),
        ("service", draft.service.clone()),
        ("connection", draft.connection.clone()),
        ("indicator", draft.indicator.clone()),
        ("part", draft.part.clone()),
        ("total", draft.total.clone()),
        ("op", draft.op.clone()),
        ("threshold", draft.threshold.clone()),
        ("objective", draft.objective.clone()),
        ("window", draft.window.clone()),
        ("zone", draft.zone.clone()),
        ("start", draft.start.clone()),
        ("method", draft.method.clone()),
        ("slice", draft.slice.clone()),
        ("slice_target", draft.slice_target.clone()),
        ("min_bad_events", least.to_string()),
        ("etag", etag),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// One line of text.
fn text(
    t: T,
    form: &Fields,
    errors: &Errors,
    name: &'static str,
    label: &'static str,
    hint: Option<&'static str>,
    required: bool,
) -> AnyView {
    let error = errors.of(&format!("/{name}"));
    let hint = hint.map(str::to_owned);
    view! { <Text t=t name=name label=label value=form.text(name) hint=hint error=error required=required autocomplete="off" /> }
        .into_any()
}

type Choices = Vec<(String, String)>;

/// Service and environment are fixed once it exists.
pub fn view(
    t: T,
    slo: Option<&SloOut>,
    form: &Fields,
    errors: &Errors,
    connections: Choices,
    environments: Choices,
) -> AnyView {
    let line = |name, label, hint, required| text(t, form, errors, name, label, hint, required);
    let place = slo.is_none().then(|| {
        let hint = t.slo_form_environment_hint().to_owned();
        view! {
            <div class="pair">
                {line("service", t.col_service(), Some(t.service_key_hint()), true)}
                <Select t=t name="environment" label=t.col_environment() choices=environments value=form.text("environment") hint=hint error=errors.of("/environment") required=false />
            </div>
        }
    });
    view! {
        {place}
        {line("title", t.slo_form_title(), slo.is_none().then(|| t.slo_form_title_hint()), true)}
        {line("description", t.slo_form_description(), None, false)}
        <Select t=t name="connection" label=t.slo_import_connection() choices=connections value=form.text("connection") error=errors.of("/connection") />
        {indicator(t, form, errors)}
        <div class="pair">
            {line("objective", t.slo_form_objective(), Some(t.slo_form_objective_hint()), true)}
            {line("window", t.slo_form_window(), Some(t.slo_form_window_hint()), true)}
            {line("zone", t.slo_form_zone(), Some(t.slo_form_zone_hint()), false)}
        </div>
        <Hidden name="start" value=form.text("start") />
        {slices(t, form, errors)}
        {line("min_bad_events", t.slo_form_least(), Some(t.slo_form_least_hint()), true)}
    }
    .into_any()
}

fn indicator(t: T, form: &Fields, errors: &Errors) -> AnyView {
    let set = form.text("indicator");
    let choice = |value: &'static str, label: &'static str, hint: &'static str| {
        view! { <Choice name="indicator" value=value label=label hint=hint checked=set == value /> }
    };
    let query = |name: &'static str, label: &'static str, hint: Option<String>, required: bool| {
        let error = errors.of(&format!("/{name}"));
        view! { <TextArea t=t name=name label=label value=form.text(name) hint=hint error=error required=required code=true rows=2 /> }
    };
    let ops = [("lt", "<"), ("lte", "≤"), ("gt", ">"), ("gte", "≥")];
    let ops = std::iter::once((String::new(), t.nothing().to_owned()))
        .chain(ops.map(|(value, sign)| (value.to_owned(), sign.to_owned())))
        .collect();
    view! {
        <fieldset>
            <legend>{t.slo_form_indicator()}</legend>
            {choice("bad", t.slo_form_bad(), t.slo_form_bad_hint())}
            {choice("good", t.slo_form_good(), t.slo_form_good_hint())}
            {choice("threshold", t.slo_form_threshold(), t.slo_form_threshold_hint())}
            {query("part", t.slo_form_part(), Some(t.slo_form_part_hint().to_owned()), true)}
            {query("total", t.slo_form_total(), None, false)}
            <div class="pair">
                <Select t=t name="op" label=t.slo_form_op() choices=ops value=form.text("op") error=errors.of("/op") required=false />
                {text(t, form, errors, "threshold", t.slo_form_limit(), None, false)}
            </div>
        </fieldset>
    }
    .into_any()
}

fn slices(t: T, form: &Fields, errors: &Errors) -> AnyView {
    let methods =
        ["Occurrences", "Timeslices", "RatioTimeslices"].map(|name| (name.to_owned(), name.to_owned())).to_vec();
    view! {
        <div class="pair">
            <Select t=t name="method" label=t.slo_form_method() choices=methods value=form.text("method") error=errors.of("/method") />
            {text(t, form, errors, "slice", t.slo_form_slice(), Some(t.slo_form_slice_hint()), false)}
            {text(t, form, errors, "slice_target", t.slo_form_slice_target(), Some(t.slo_form_slice_target_hint()), false)}
        </div>
    }
    .into_any()
}
