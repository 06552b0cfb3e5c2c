//! Use cases of releases: immutable sets of artifacts that can be deployed.

use super::compare;
use super::service::DeploymentService;
use super::store::ReleaseRow;
use crate::gates::GateService;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Cursor, Object, Result, limit_or_default, validate};
use passerelle_contract::deployments::{ReleaseIn, ReleaseOut};
use passerelle_contract::gates::{Scan, ScanOut};
use passerelle_contract::{FieldError, Page, Text, text};
use serde_json::{Value, json};
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

const LIST: &str = "releases";

impl DeploymentService {
    /// # Errors
    /// `Invalid` by field, `AlreadyExists` when the service has this version.
    pub async fn create_release(&self, ctx: &Ctx, input: ReleaseIn) -> Result<ReleaseOut> {
        check(&input)?;
        let service = self.service(ctx, &input.service)?;
        let object = Object::new("release", format!("{}@{}", input.service, input.version)).with_service(service.scope);
        let authorized = self.store.db.authorize(ctx, Action::ReleaseCreate, object).await?;
        let mut tx = self.store.db.write(ctx, authorized).await?;
        let release = self.store.insert_release(&mut tx, Uuid::now_v7(), service.id, &input).await?;
        tx.commit(AuditEntry::success().after(json!(input))).await?;
        Ok(release.into())
    }

    /// For an import: makes the release when the service does not have this version.
    ///
    /// # Errors
    /// As [`Self::create_release`]; `Conflict` when the version exists with another image.
    pub async fn apply_release(&self, ctx: &Ctx, input: ReleaseIn, dry_run: bool) -> Result<bool> {
        check(&input)?;
        if dry_run && self.catalog.find_service(&input.service).is_none() {
            // It may come with the same import.
            return Ok(true);
        }
        let service = self.service(ctx, &input.service)?;
        match self.store.release_by_version(service.id, &input.version).await? {
            Some(found) if found.image == input.image && found.manifests() == input.manifests => Ok(false),
            Some(found) if found.image == input.image => Err(AppError::Conflict(text!(
                "release {version} of {service} exists with other manifests; a release never changes",
                version = input.version,
                service = input.service
            ))),
            Some(found) => Err(AppError::Conflict(text!(
                "release {version} of {service} exists with image {image}; a release never changes",
                version = input.version,
                service = input.service,
                image = found.image
            ))),
            None if dry_run => Ok(true),
            None => self.create_release(ctx, input).await.map(|_| true),
        }
    }

    /// Makes a scanner's report the one of a release.
    ///
    /// # Errors
    /// `Invalid` with the place that is wrong, `TooLarge`, `NotFound`, `Forbidden`.
    pub async fn put_scan(&self, ctx: &Ctx, id: Uuid, body: &[u8]) -> Result<ScanOut> {
        let release = self.known_release(ctx, id).await?;
        let service = self.service(ctx, &release.service_key)?;
        let object = Object::new("release", format!("{}@{}", release.service_key, release.version));
        let authorized = self.store.db.authorize(ctx, Action::ReleaseScan, object.with_service(service.scope)).await?;
        let scan = GateService::read_report(body, &release.image)?;
        let before = self.gates.scan_of(id).await?.map(|before| counts(&before.scan));
        let mut tx = self.store.db.write(ctx, authorized).await?;
        GateService::put_scan(&mut tx, id, &scan, body, &ctx.principal().name).await?;
        let entry = AuditEntry::success().after(counts(&scan));
        tx.commit(match before {
            Some(before) => entry.before(before),
            None => entry,
        })
        .await?;
        self.get_scan(ctx, id).await
    }

    /// # Errors
    /// `NotFound` for a release that may not be read, or that has no report.
    pub async fn get_scan(&self, ctx: &Ctx, id: Uuid) -> Result<ScanOut> {
        let release = self.known_release(ctx, id).await?;
        let service = self.service(ctx, &release.service_key)?;
        ctx.permit(Action::ReleaseRead, &Object::service(service.scope))?;
        let scan = self.gates.scan_of(id).await?;
        scan.ok_or_else(|| AppError::NotFound(text!("a vulnerability report of release {id}", id)))
    }

    /// One release.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn get_release(&self, ctx: &Ctx, id: Uuid) -> Result<ReleaseOut> {
        let release = self.known_release(ctx, id).await?;
        let hidden = |_| AppError::NotFound(text!("release {id}", id));
        let service = self.service(ctx, &release.service_key).map_err(hidden)?;
        ctx.permit(Action::ReleaseRead, &Object::service(service.scope)).map_err(hidden)?;
        Ok(release.into())
    }

    /// How many CRITICAL and HIGH vulnerabilities the reports of these releases of a service name, by release.
    ///
    /// # Errors
    /// `NotFound` for a service that may not be read.
    pub async fn scan_counts(&self, ctx: &Ctx, releases: &[ReleaseOut]) -> Result<HashMap<Uuid, (i64, i64)>> {
        let mut ids = Vec::with_capacity(releases.len());
        for release in releases {
            let service = self.service(ctx, &release.service)?;
            ctx.permit(Action::ReleaseRead, &Object::service(service.scope))?;
            ids.push(release.id);
        }
        let counts = self.gates.scan_counts(&ids).await?;
        Ok(counts.into_iter().map(|(id, critical, high)| (id, (critical, high))).collect())
    }

    async fn known_release(&self, ctx: &Ctx, id: Uuid) -> Result<ReleaseRow> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        self.store.release(id).await?.ok_or_else(|| AppError::NotFound(text!("release {id}", id)))
    }

    /// Newest first.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` at `/cursor` or `/limit`.
    pub async fn list_releases(
        &self,
        ctx: &Ctx,
        service: &str,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Result<Page<ReleaseOut>> {
        let service = self.service(ctx, service)?;
        ctx.permit(Action::ReleaseRead, &Object::service(service.scope))?;
        let limit = limit_or_default(limit)?;
        let after: Option<(OffsetDateTime, Uuid)> =
            cursor.as_deref().map(|text| Cursor::decode(&self.keys, LIST, text)).transpose()?;
        let (mut rows, total) = self.store.releases(service.id, after, limit + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|row| Cursor::encode(&self.keys, LIST, &(row.created_at, row.id))).transpose()?;
        Ok(Page { items: rows.into_iter().map(Into::into).collect(), next_cursor, total })
    }
}

/// For the audit.
fn counts(scan: &Scan) -> Value {
    json!({ "format": scan.format, "scanner": scan.scanner, "critical": scan.critical, "high": scan.high, "medium": scan.medium })
}

fn check(input: &ReleaseIn) -> Result<()> {
    let mut errors = Vec::new();
    let mut need = |pointer: &str, checked: std::result::Result<(), Text>| {
        if let Err(message) = checked {
            errors.push(FieldError::new(pointer, message));
        }
    };
    need("/service", validate::service_key(&input.service).map(drop));
    need("/version", validate::line(&input.version, 1, 128));
    need("/image", validate::image(&input.image));
    if let Some(commit) = &input.commit {
        let good = (4..=64).contains(&commit.len()) && commit.chars().all(|c| c.is_ascii_hexdigit());
        need("/commit", if good { Ok(()) } else { Err(text!("must be 4 to 64 hexadecimal digits")) });
    }
    if let Some(link) = &input.build_url {
        need("/build_url", if validate::link(link) { Ok(()) } else { Err(text!("must be an http or https address")) });
    }
    if let Some(link) = &input.repository_url {
        need(
            "/repository_url",
            if compare::page(link) { Ok(()) } else { Err(text!("must be the https address of a repository")) },
        );
    }
    if let Some(name) = &input.git_ref {
        need("/git_ref", if compare::reference(name) { Ok(()) } else { Err(text!("must be a commit or a tag")) });
    }
    if let Some(bundle) = &input.manifests {
        let (link, digest) = (validate::link(&bundle.url), is_sha256(&bundle.sha256));
        need("/manifests/url", if link { Ok(()) } else { Err(text!("must be an http or https address")) });
        let wrong = || text!("must be 64 lower-case hexadecimal digits");
        need("/manifests/sha256", if digest { Ok(()) } else { Err(wrong()) });
    }
    if let Some(notes) = &input.notes {
        need("/notes", validate::paragraph(notes, 0, 4000));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
