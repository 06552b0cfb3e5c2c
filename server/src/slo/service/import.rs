//! Importing files: all of a file or nothing.

use super::super::measure::questions;
use super::super::model::{Slo, slo_object};
use super::super::outward::reads_as;
use super::super::store::definitions::{self as store, Wanted};
use super::SloService;
use crate::catalog::ServiceRef;
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, EnvironmentScope, Result, WriteTx};
use passerelle_contract::slo::{ImportedSlo, SloFileNote, SloImportOptions, SloImportReport};
use passerelle_contract::{FieldError, text};
use passerelle_metrics::PROMETHEUS;
use passerelle_slo_formats::{Conventions, Definition, Format, Problem, ReadOutcome, openslo, read_documents};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

const MAX_BYTES: usize = 4 << 20;

/// One objective with everything it needs found.
struct Planned {
    definition: Definition,
    text: String,
    service: ServiceRef,
    connection: Uuid,
    environment: Option<(Uuid, EnvironmentScope)>,
    authorized: Authorized,
    before: Option<Slo>,
    before_text: Option<String>,
}

impl SloService {
    /// Reads a file of OpenSLO documents or of the five-line format and creates or changes what it names. With errors in the file nothing is done.
    ///
    /// # Errors
    /// `Invalid` with the line of every problem (a dry run reports them instead), `Forbidden`, `NotFound`.
    pub async fn import_slos(&self, ctx: &Ctx, text: &str, options: &SloImportOptions) -> Result<SloImportReport> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        if text.len() > MAX_BYTES {
            return Err(AppError::TooLarge { limit_bytes: MAX_BYTES });
        }
        if text.contains('\0') {
            return Err(AppError::field("", text!("holds the character U+0000")));
        }
        let outcome = read_documents(text, &conventions(options));
        let mut report = SloImportReport {
            created: 0,
            updated: 0,
            unchanged: 0,
            slos: Vec::new(),
            warnings: outcome.warnings.iter().map(note).collect(),
            errors: outcome.problems.iter().map(note).collect(),
        };
        if outcome.problems.is_empty() && outcome.definitions().next().is_none() {
            report.errors.push(SloFileNote { line: 1, pointer: String::new(), message: text!("names no objective") });
        }
        if !report.errors.is_empty() {
            if options.dry_run {
                return Ok(report.into_said(ctx.locale));
            }
            return Err(AppError::Invalid(report.errors.iter().map(SloFileNote::to_field).collect()));
        }
        let planned = self.plan(ctx, text, &outcome, options).await?;
        let report = self.apply(ctx, text, &outcome, planned, options.dry_run, report).await?;
        Ok(report.into_said(ctx.locale))
    }

    async fn plan(
        &self,
        ctx: &Ctx,
        text: &str,
        outcome: &ReadOutcome,
        options: &SloImportOptions,
    ) -> Result<Vec<Planned>> {
        let environment = match &options.environment {
            None => None,
            Some(name) => {
                let found = self.environments.find_environment(name).await?;
                let found = found
                    .ok_or_else(|| AppError::field("/environment", text!("there is no environment {name}", name)))?;
                Some((found.id, EnvironmentScope { name: found.name, tier: found.tier }))
            }
        };
        let mut planned: Vec<Planned> = Vec::new();
        let mut read_for: HashMap<Uuid, ReadOutcome> = HashMap::new();
        for (_, definition) in outcome.definitions() {
            let service = self.service_of(ctx, definition, options)?;
            let definition = &by_its_own_conventions(text, definition, &service, options, &mut read_for);
            let scope = environment.as_ref().map(|(_, scope)| scope.clone());
            let object = slo_object(&service.scope, scope, &definition.name);
            let authorized = self.db.authorize(ctx, Action::SloEdit, object).await?;
            let connection = self.connection_of(definition, options).await?;
            if planned.iter().any(|other| other.service.id == service.id && other.definition.name == definition.name) {
                let text = text!("the file has two objectives named {name}", name = definition.name);
                return Err(AppError::field("/name", text));
            }
            let all = self.definitions.of_service(self.db.pool(), service.id).await?;
            let before = all.into_iter().find(|slo| slo.definition.name == definition.name);
            let before_text = match &before {
                Some(slo) => Some(store::source_text(self.db.pool(), slo.source_id).await?),
                None => None,
            };
            let written = openslo::write(definition);
            let (mut definition, environment) = (definition.clone(), environment.clone());
            let least = before.as_ref().map_or(0, |slo| slo.definition.min_bad_events);
            definition.min_bad_events = options.min_bad_events.map_or(least, u64::from);
            planned.push(Planned {
                definition,
                text: written,
                service,
                connection,
                environment,
                authorized,
                before,
                before_text,
            });
        }
        Ok(planned)
    }

    fn service_of(&self, ctx: &Ctx, definition: &Definition, options: &SloImportOptions) -> Result<ServiceRef> {
        let named = options.service.as_deref().or(definition.service.as_deref());
        if let (None, Some(namespace)) = (named, &options.namespace) {
            return self.service_by_name(ctx, namespace, &definition.name);
        }
        let Some(key) = named else {
            return Err(AppError::field(
                "/service",
                text!("the file names no service: give one as ?service=namespace/name"),
            ));
        };
        self.catalog.service_for(ctx, key).map_err(|error| match error {
            AppError::NotFound(_) => {
                AppError::field("/service", text!("there is no service {key}, or you may not see it", key))
            }
            other => other,
        })
    }

    /// The service of a namespace that an objective's name begins with, the longest first.
    fn service_by_name(&self, ctx: &Ctx, namespace: &str, objective: &str) -> Result<ServiceRef> {
        let parts: Vec<&str> = objective.split('-').collect();
        let found = (1..=parts.len()).rev().find_map(|count| {
            let key = format!("{namespace}/{}", parts[..count].join("-"));
            self.catalog.service_for(ctx, &key).ok()
        });
        found.ok_or_else(|| {
            AppError::field(
                "/namespace",
                text!(
                    "no service of {namespace} has a name that {objective} begins with: give ?service=",
                    namespace,
                    objective
                ),
            )
        })
    }

    async fn connection_of(&self, definition: &Definition, options: &SloImportOptions) -> Result<Uuid> {
        let Some(name) = options.connection.as_deref().or(definition.data_source.as_deref()) else {
            return Err(AppError::field(
                "/connection",
                text!("the file names no data source: give ?connection= of kind prometheus"),
            ));
        };
        self.prometheus_named(name).await
    }

    pub(super) async fn prometheus_named(&self, name: &str) -> Result<Uuid> {
        match self.environments.connection_for(name).await? {
            Some(found) if found.kind == PROMETHEUS => Ok(found.id),
            Some(found) => Err(AppError::field(
                "/connection",
                text!("{name} is of kind {kind}, not {wanted}", name, kind = found.kind, wanted = PROMETHEUS),
            )),
            None => Err(AppError::field("/connection", text!("there is no connection {name}", name))),
        }
    }

    async fn apply(
        &self,
        ctx: &Ctx,
        text: &str,
        outcome: &ReadOutcome,
        planned: Vec<Planned>,
        dry_run: bool,
        mut report: SloImportReport,
    ) -> Result<SloImportReport> {
        let format = outcome.definitions().next().map_or(Format::OpenSlo, |(format, _)| format);
        let mut write: Option<(WriteTx, AuditEntry)> = None;
        let source = Uuid::now_v7();
        for plan in &planned {
            let change = change(plan, text);
            let id = plan.before.as_ref().map(|slo| slo.id);
            let id = match change {
                "unchanged" => id,
                _ if dry_run => id,
                _ => {
                    let entry = audit_entry(plan);
                    if let Some((tx, _)) = &mut write {
                        tx.also(&plan.authorized, entry).await?;
                    } else {
                        let mut tx = self.db.write(ctx, plan.authorized.clone()).await?;
                        store::insert_source(tx.conn(), source, format.as_str(), text).await?;
                        write = Some((tx, entry));
                    }
                    let Some((tx, _)) = &mut write else { continue };
                    Some(save(tx, plan, source).await?)
                }
            };
            match change {
                "created" => report.created += 1,
                "updated" => report.updated += 1,
                _ => report.unchanged += 1,
            }
            report.slos.push(ImportedSlo {
                id,
                name: plan.definition.name.clone(),
                service: plan.service.scope.key.clone(),
                change: change.to_owned(),
                reads_as: reads_as(&plan.definition),
            });
        }
        if let Some((tx, entry)) = write {
            tx.commit(entry).await?;
        }
        Ok(report)
    }
}

fn change(plan: &Planned, text: &str) -> &'static str {
    let Some(before) = &plan.before else { return "created" };
    let same_environment =
        before.environment.as_ref().map(|(id, _)| *id) == plan.environment.as_ref().map(|(id, _)| *id);
    let same_meaning = openslo::write(&before.definition) == plan.text && before.connection_id == plan.connection;
    let same_least = before.definition.min_bad_events == plan.definition.min_bad_events;
    let same_text = plan.before_text.as_deref() == Some(text);
    if same_meaning && same_environment && same_least && same_text { "unchanged" } else { "updated" }
}

/// Whether what was measured is still what is meant.
pub(super) fn measured_otherwise(before: &Slo, after: &Definition, connection: Uuid) -> bool {
    before.connection_id != connection
        || questions(&before.definition) != questions(after)
        || before.definition.sli != after.sli
        || before.definition.method != after.method
        || before.definition.window.nominal_s() < after.window.nominal_s()
}

async fn save(tx: &mut WriteTx, plan: &Planned, source: Uuid) -> Result<Uuid> {
    let id = plan.before.as_ref().map_or_else(Uuid::now_v7, |slo| slo.id);
    let wanted = Wanted {
        id,
        service: plan.service.id,
        environment: plan.environment.as_ref().map(|(id, _)| *id),
        connection: plan.connection,
        source,
        name: &plan.definition.name,
        title: &plan.definition.title,
        definition: &plan.text,
        min_bad_events: i64::try_from(plan.definition.min_bad_events).unwrap_or(i64::MAX),
    };
    match &plan.before {
        None => store::insert(tx.conn(), &wanted).await?,
        Some(before) => {
            store::update(tx.conn(), &wanted).await?;
            if measured_otherwise(before, &plan.definition, plan.connection) {
                store::forget_samples(tx.conn(), id).await?;
            }
        }
    }
    Ok(id)
}

fn audit_entry(plan: &Planned) -> AuditEntry {
    let entry = AuditEntry::success().after(summary(&plan.definition));
    match &plan.before {
        Some(before) => entry.before(summary(&before.definition)),
        None => entry,
    }
}

/// For the audit.
pub(super) fn summary(definition: &Definition) -> Value {
    json!({
        "title": definition.title,
        "objective": definition.objective.percent(),
        "definition": openslo::write(definition),
        "min_bad_events": definition.min_bad_events,
    })
}

/// The five-line format names no metric; where each objective finds its own service, each is read by that service's labels.
fn by_its_own_conventions(
    text: &str,
    definition: &Definition,
    service: &ServiceRef,
    options: &SloImportOptions,
    read_for: &mut HashMap<Uuid, ReadOutcome>,
) -> Definition {
    if options.service.is_some() || options.namespace.is_none() || definition.service.is_some() {
        return definition.clone();
    }
    let again = read_for.entry(service.id).or_insert_with(|| {
        let options = SloImportOptions { service: Some(service.scope.key.clone()), ..options.clone() };
        read_documents(text, &conventions(&options))
    });
    let found = again.definitions().find(|(_, other)| other.name == definition.name);
    found.map_or_else(|| definition.clone(), |(_, found)| found.clone())
}

fn conventions(options: &SloImportOptions) -> Conventions {
    let name = options.service.as_deref().map_or("", |key| key.rsplit('/').next().unwrap_or(key));
    let usual = Conventions::usual(options.service_value.as_deref().unwrap_or(name));
    let or = |given: &Option<String>, usual: String| given.clone().unwrap_or(usual);
    Conventions {
        requests: or(&options.requests_metric, usual.requests),
        durations: or(&options.durations_metric, usual.durations),
        service_label: or(&options.service_label, usual.service_label),
        service: usual.service,
        code_label: or(&options.code_label, usual.code_label),
        bad_codes: or(&options.bad_codes, usual.bad_codes),
    }
}

fn note(problem: &Problem) -> SloFileNote {
    SloFileNote { line: problem.line, pointer: problem.pointer.clone(), message: problem.message.clone() }
}

/// The problems of a file as errors of a field of a request.
pub(super) fn refused(pointer: &str, outcome: &ReadOutcome) -> AppError {
    let error = |problem: &Problem| {
        FieldError::new(
            pointer,
            text!(
                "line {line}{pointer}: {message}",
                line = problem.line,
                pointer = problem.pointer,
                message = problem.message
            ),
        )
    };
    AppError::Invalid(outcome.problems.iter().map(error).collect())
}
