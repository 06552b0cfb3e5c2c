//! REST of the catalog.

use super::importing::ImportOptions;
use super::portal::PortalDocumentSink;
use super::service::{CatalogService, EntityFilter};
use super::upload::{MAX_UPLOAD_BYTES, Upload};
use crate::kernel::web::{Json, Path, Query};
use crate::kernel::{AppError, Ctx, Result};
use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Multipart, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::catalog::{
    EntityOut, EntityRow, GraphOut, ImportError, ImportReport, ServiceFacets, ServiceFilter, ServiceOut, ServicePatch,
};
use passerelle_contract::{FieldError, Page, Problem, Text, text};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Room for the boundaries of a multipart body.
const MULTIPART_OVERHEAD: usize = 4 << 20;

/// Who takes an import: the catalog, and whoever owns the rest of it.
#[derive(Clone)]
struct Importing {
    catalog: Arc<CatalogService>,
    sink: Arc<dyn PortalDocumentSink>,
}

/// The routes, relative to the root of the API. `sink` applies the documents of an import that are about the portal itself.
pub fn router(service: Arc<CatalogService>, sink: Arc<dyn PortalDocumentSink>) -> OpenApiRouter {
    let import = OpenApiRouter::new()
        .routes(routes!(import_catalog))
        .layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD))
        .with_state(Importing { catalog: Arc::clone(&service), sink });
    OpenApiRouter::new()
        .routes(routes!(list_services))
        .routes(routes!(list_facets))
        .routes(routes!(get_service, patch_service))
        .routes(routes!(get_graph))
        .routes(routes!(list_entities))
        .routes(routes!(get_entity))
        .merge(import)
        .with_state(service)
}

/// Filters in the query string; a field that occurs several times means any of its values.
struct Filter(ServiceFilter);

impl<S: Send + Sync> FromRequestParts<S> for Filter {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        let mut seen = BTreeMap::new();
        let repeated = url::form_urlencoded::parse(query.as_bytes()).any(|(key, _)| seen.insert(key, ()).is_some());
        if repeated {
            let merged = merged(query);
            let uri = Uri::builder().path_and_query(format!("{}?{merged}", parts.uri.path())).build();
            parts.uri = uri.map_err(|_| AppError::field("", text!("the query string is too long")))?;
        }
        Query::from_request_parts(parts, state).await.map(|Query(filter)| Self(filter))
    }
}

fn merged(query: &str) -> String {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        fields.entry(key.into_owned()).or_default().push(value.into_owned());
    }
    let pairs = fields.into_iter().map(|(key, values)| (key, values.join(",")));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn json(body: impl Into<Bytes>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into()).into_response()
}

/// List services
#[utoipa::path(get, path = "/services", tag = "catalog",
    params(
        ("q" = Option<String>, Query, description = "Words that must all occur in key, title, description, owner, system or tags"),
        ("system" = Option<String>, Query, description = "`namespace/name`, or a name alone; several by commas or by repeating the field"),
        ("team" = Option<String>, Query, description = "The owning team, written like a system"),
        ("type" = Option<String>, Query), ("lifecycle" = Option<String>, Query), ("tag" = Option<String>, Query),
        ("environment" = Option<String>, Query, description = "Only services bound to this environment"),
        ("health" = Option<passerelle_contract::deployments::Health>, Query),
        ("sort" = Option<passerelle_contract::catalog::ServiceSort>, Query),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 200; 20 when absent"),
    ),
    responses((status = 200, body = Page<ServiceOut>), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn list_services(
    State(service): State<Arc<CatalogService>>,
    ctx: Ctx,
    Filter(filter): Filter,
) -> Result<Response> {
    service.list_services_json(&ctx, &filter).map(json)
}

/// Count services by the values of their fields
#[utoipa::path(get, path = "/services/facets", tag = "catalog",
    params(
        ("q" = Option<String>, Query), ("system" = Option<String>, Query), ("team" = Option<String>, Query),
        ("type" = Option<String>, Query), ("lifecycle" = Option<String>, Query), ("tag" = Option<String>, Query),
        ("environment" = Option<String>, Query), ("health" = Option<passerelle_contract::deployments::Health>, Query),
    ),
    responses((status = 200, body = ServiceFacets), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn list_facets(State(service): State<Arc<CatalogService>>, ctx: Ctx, Filter(filter): Filter) -> Result<Response> {
    service.facets_json(&ctx, &filter).map(json)
}

fn with_revision((body, revision): (Vec<u8>, i64)) -> Response {
    let mut response = json(body);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Read a service
#[utoipa::path(get, path = "/services/{namespace}/{name}", tag = "catalog",
    params(("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = EntityOut), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_service(
    State(service): State<Arc<CatalogService>>,
    ctx: Ctx,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Response> {
    service.entity_json(&ctx, "component", &namespace, &name).await.map(with_revision)
}

/// Edit a service
///
/// The edit lies over the imported document; an empty text gives a field back to it. `If-Match` takes the `ETag` of the service.
#[utoipa::path(patch, path = "/services/{namespace}/{name}", tag = "catalog",
    params(("namespace" = String, Path), ("name" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = ServicePatch,
    responses((status = 200, body = EntityOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn patch_service(
    State(service): State<Arc<CatalogService>>,
    ctx: Ctx,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    Json(patch): Json<ServicePatch>,
) -> Result<Response> {
    let if_match = headers.get(header::IF_MATCH).map(revision).transpose()?.flatten();
    service.patch_service(&ctx, &namespace, &name, &patch, if_match).await?;
    service.entity_json(&ctx, "component", &namespace, &name).await.map(with_revision)
}

fn revision(tag: &HeaderValue) -> Result<Option<i64>> {
    let text = tag.to_str().unwrap_or_default();
    if text == "*" {
        return Ok(None);
    }
    let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    number
        .map(Some)
        .ok_or_else(|| AppError::field("/headers/if-match", text!("must be the ETag of the service, in quotes")))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GraphQuery {
    depth: Option<u32>,
}

/// What a service depends on, and what depends on it
#[utoipa::path(get, path = "/services/{namespace}/{name}/graph", tag = "catalog",
    params(("namespace" = String, Path), ("name" = String, Path),
        ("depth" = Option<u32>, Query, description = "Steps each way, 1 to 3; 1 when absent")),
    responses((status = 200, body = GraphOut), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn get_graph(
    State(service): State<Arc<CatalogService>>,
    ctx: Ctx,
    Path((namespace, name)): Path<(String, String)>,
    Query(query): Query<GraphQuery>,
) -> Result<Json<GraphOut>> {
    service.graph(&ctx, &namespace, &name, query.depth).map(Json)
}

/// List entities of any kind
#[utoipa::path(get, path = "/entities", tag = "catalog",
    params(("kind" = Option<String>, Query, description = "For example `api`"), ("q" = Option<String>, Query),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = Page<EntityRow>), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn list_entities(
    State(service): State<Arc<CatalogService>>,
    ctx: Ctx,
    Query(filter): Query<EntityFilter>,
) -> Result<Json<Page<EntityRow>>> {
    service.list_entities(&ctx, &filter).map(Json)
}

/// Read an entity of any kind
#[utoipa::path(get, path = "/entities/{kind}/{namespace}/{name}", tag = "catalog",
    params(("kind" = String, Path), ("namespace" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = EntityOut), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_entity(
    State(service): State<Arc<CatalogService>>,
    ctx: Ctx,
    Path((kind, namespace, name)): Path<(String, String, String)>,
) -> Result<Response> {
    service.entity_json(&ctx, &kind, &namespace, &name).await.map(with_revision)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ImportQuery {
    dry_run: bool,
    source: Option<String>,
    prune: bool,
}

/// Import catalog documents
///
/// The body is one YAML stream, or `multipart/form-data` with one part per file whose file name is its relative path. In a stream a line
/// `# passerelle-file: PATH` begins a new file. Documents that are refused are listed by file, line and pointer; the others go in.
/// When every document is refused the answer is a problem that lists them.
#[utoipa::path(post, path = "/catalog/imports", tag = "catalog",
    params(("dry_run" = Option<bool>, Query, description = "Say what would change, change nothing"),
        ("source" = Option<String>, Query, description = "Name of what is imported; `upload` when absent"),
        ("prune" = Option<bool>, Query, description = "Archive what came from this source before and is not in it any more")),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = ImportReport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn import_catalog(
    State(Importing { catalog, sink }): State<Importing>,
    ctx: Ctx,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Json<ImportReport>> {
    let upload = upload(request).await?;
    let ImportQuery { dry_run, source, prune } = query;
    let options = ImportOptions { dry_run, prune, source: source.unwrap_or_else(|| ImportOptions::default().source) };
    let report = catalog.import_catalog(&ctx, upload, &options, &*sink).await?;
    if nothing_was_good(&report) { Err(AppError::Invalid(refusals(report))) } else { Ok(Json(report)) }
}

/// Documents came, and every one of them was refused: that is no import.
fn nothing_was_good(report: &ImportReport) -> bool {
    let ImportReport { created, updated, unchanged, archived, .. } = *report;
    created + updated + unchanged + archived == 0 && !report.errors.is_empty()
}

fn refusals(report: ImportReport) -> Vec<FieldError> {
    let told = |error: ImportError| {
        FieldError::new(
            error.pointer,
            text!(
                "{document}, line {line}: {message}",
                document = error.document,
                line = error.line,
                message = error.message
            ),
        )
    };
    report.errors.into_iter().map(told).collect()
}

async fn upload(request: Request) -> Result<Upload> {
    let too_large = || AppError::TooLarge { limit_bytes: MAX_UPLOAD_BYTES };
    let announced = header_text(&request, header::CONTENT_LENGTH).parse::<usize>().unwrap_or(0);
    if announced > MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD {
        return Err(too_large());
    }
    let multipart = header_text(&request, header::CONTENT_TYPE).starts_with("multipart/form-data");
    if multipart {
        return files(request).await;
    }
    let body = Bytes::from_request(request, &()).await.map_err(|_| too_large())?;
    if body.len() > MAX_UPLOAD_BYTES {
        return Err(too_large());
    }
    Upload::from_stream(&body).map_err(|error| AppError::Invalid(vec![error]))
}

fn header_text(request: &Request, name: header::HeaderName) -> &str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn files(request: Request) -> Result<Upload> {
    let broken = |error: MultipartError| match error.status().as_u16() {
        413 => AppError::TooLarge { limit_bytes: MAX_UPLOAD_BYTES },
        _ => AppError::field("", Text::verbatim(error.body_text())),
    };
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|error| AppError::field("", Text::verbatim(error.body_text())))?;
    let mut upload = Upload::default();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let path = part.file_name().or(part.name()).unwrap_or_default().to_owned();
        let body = part.bytes().await.map_err(broken)?;
        upload.push(&path, &body).map_err(|error| AppError::Invalid(vec![error]))?;
    }
    Ok(upload)
}
