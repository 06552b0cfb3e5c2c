//! REST of access, to be nested under `/api/v1`.

use super::{Client, IdentityService, SignIn};
use crate::kernel::web::{Json, Path, Query};
use crate::kernel::{Action, Ctx, Directory, Object, Result};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use passerelle_contract::access::{
    AccessFilter, ConfirmationIn, HolderFilter, HolderOut, MeOut, PermissionFilter, PermissionOut, RoleBindingIn,
    RoleBindingOut, SessionOut, SignInIn, SimulationFilter, SimulationOut, TokenCreated, TokenIn, TokenOut, UserIn,
    UserOut, UserPatch,
};
use passerelle_contract::paging::Page;
use passerelle_contract::problem::Problem;
use passerelle_contract::text;
use std::sync::Arc;
use tower_sessions::Session;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

#[derive(Debug, Clone)]
struct Access {
    identity: IdentityService,
    directory: Arc<dyn Directory>,
}

/// The directory tells `/me/permissions` which team, system and tier an object belongs to.
pub fn routes(identity: IdentityService, directory: Arc<dyn Directory>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(permissions))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
        .routes(routes!(list_role_bindings, create_role_binding))
        .routes(routes!(delete_role_binding))
        .routes(routes!(list_users, create_user))
        .routes(routes!(change_user))
        .routes(routes!(simulate))
        .routes(routes!(holders))
        .routes(routes!(list_sessions, sign_in, end_sessions))
        .routes(routes!(end_session))
        .routes(routes!(confirm))
        .with_state(Access { identity, directory })
}

/// Who is asking.
#[utoipa::path(get, path = "/me", tag = "access", responses((status = 200, body = MeOut), (status = 401, body = Problem)))]
async fn me(State(access): State<Access>, ctx: Ctx) -> Result<Json<MeOut>> {
    access.identity.me(&ctx).map(Json)
}

/// What the caller can do with a service, an environment, or the portal, and why.
#[utoipa::path(get, path = "/me/permissions", tag = "access", params(PermissionFilter),
    responses((status = 200, body = Vec<PermissionOut>), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn permissions(
    State(access): State<Access>,
    ctx: Ctx,
    Query(filter): Query<PermissionFilter>,
) -> Result<Json<Vec<PermissionOut>>> {
    access.identity.me(&ctx)?;
    let object = access.directory.object(filter.service.as_deref(), filter.environment.as_deref()).await?;
    if object.service.is_some() {
        ctx.permit(Action::CatalogRead, &object)?;
    }
    Ok(Json(access.identity.permissions(&ctx, &object)))
}

/// The caller's tokens; administrators may name another user.
#[utoipa::path(get, path = "/tokens", tag = "access", params(AccessFilter),
    responses((status = 200, body = Page<TokenOut>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_tokens(
    State(access): State<Access>,
    ctx: Ctx,
    Query(filter): Query<AccessFilter>,
) -> Result<Json<Page<TokenOut>>> {
    access.identity.list_tokens(&ctx, &filter).await.map(Json)
}

/// A new token of the caller; its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/tokens", tag = "access", request_body = TokenIn,
    responses((status = 201, body = TokenCreated), (status = 422, body = Problem)))]
async fn create_token(
    State(access): State<Access>,
    ctx: Ctx,
    Json(new): Json<TokenIn>,
) -> Result<(StatusCode, Json<TokenCreated>)> {
    let created = access.identity.create_token(&ctx, &new).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Ends a token at once.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "access", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn revoke_token(State(access): State<Access>, ctx: Ctx, Path(id): Path<String>) -> Result<StatusCode> {
    access.identity.revoke_token(&ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who has which role where.
#[utoipa::path(get, path = "/role-bindings", tag = "access", params(AccessFilter),
    responses((status = 200, body = Page<RoleBindingOut>), (status = 403, body = Problem)))]
async fn list_role_bindings(
    State(access): State<Access>,
    ctx: Ctx,
    Query(filter): Query<AccessFilter>,
) -> Result<Json<Page<RoleBindingOut>>> {
    access.identity.list_role_bindings(&ctx, &filter).await.map(Json)
}

/// Gives a user a role; it acts at once.
#[utoipa::path(post, path = "/role-bindings", tag = "access", request_body = RoleBindingIn,
    responses((status = 201, body = RoleBindingOut), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_role_binding(
    State(access): State<Access>,
    ctx: Ctx,
    Json(new): Json<RoleBindingIn>,
) -> Result<(StatusCode, Json<RoleBindingOut>)> {
    let created = access.identity.create_role_binding(&ctx, &new).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Takes a role away; it acts at once. The last administrator stays.
#[utoipa::path(delete, path = "/role-bindings/{id}", tag = "access", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete_role_binding(State(access): State<Access>, ctx: Ctx, Path(id): Path<String>) -> Result<StatusCode> {
    access.identity.delete_role_binding(&ctx, parse_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All users.
#[utoipa::path(get, path = "/users", tag = "access", params(AccessFilter),
    responses((status = 200, body = Page<UserOut>), (status = 403, body = Problem)))]
async fn list_users(
    State(access): State<Access>,
    ctx: Ctx,
    Query(filter): Query<AccessFilter>,
) -> Result<Json<Page<UserOut>>> {
    access.identity.list_users(&ctx, &filter).await.map(Json)
}

/// A person who signs in with a password; roles are given by role bindings.
#[utoipa::path(post, path = "/users", tag = "access", request_body = UserIn,
    responses((status = 201, body = UserOut), (status = 422, body = Problem)))]
async fn create_user(
    State(access): State<Access>,
    ctx: Ctx,
    Json(new): Json<UserIn>,
) -> Result<(StatusCode, Json<UserOut>)> {
    let created = access.identity.create_user(&ctx, &new).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Changes a user's name, password or whether it may act at all.
#[utoipa::path(patch, path = "/users/{name}", tag = "access", params(("name" = String, Path)), request_body = UserPatch,
    responses((status = 200, body = UserOut), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change_user(
    State(access): State<Access>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(patch): Json<UserPatch>,
) -> Result<Json<UserOut>> {
    access.identity.change_user(&ctx, &name, &patch).await.map(Json)
}

/// What a user can do with a service, an environment or the portal, and what another set of roles would change.
#[utoipa::path(get, path = "/users/{name}/permissions", tag = "access", params(("name" = String, Path), SimulationFilter),
    responses((status = 200, body = SimulationOut), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn simulate(
    State(access): State<Access>,
    ctx: Ctx,
    Path(name): Path<String>,
    Query(filter): Query<SimulationFilter>,
) -> Result<Json<SimulationOut>> {
    ctx.permit(Action::AccessRead, &Object::new("users", "all"))?;
    let object = access.directory.object(filter.service.as_deref(), filter.environment.as_deref()).await?;
    access.identity.simulate(&ctx, &name, &object, &filter).await.map(Json)
}

/// Who can do something with a service, in an environment or with the portal, and by which role.
#[utoipa::path(get, path = "/permissions/holders", tag = "access", params(HolderFilter),
    responses((status = 200, body = Page<HolderOut>), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn holders(
    State(access): State<Access>,
    ctx: Ctx,
    Query(filter): Query<HolderFilter>,
) -> Result<Json<Page<HolderOut>>> {
    ctx.permit(Action::AccessRead, &Object::new("users", "all"))?;
    let object = access.directory.object(filter.service.as_deref(), filter.environment.as_deref()).await?;
    access.identity.holders(&ctx, &object, &filter).await.map(Json)
}

/// The caller's sessions; administrators may name another user.
#[utoipa::path(get, path = "/sessions", tag = "access", params(AccessFilter),
    responses((status = 200, body = Page<SessionOut>), (status = 403, body = Problem)))]
async fn list_sessions(
    State(access): State<Access>,
    ctx: Ctx,
    Query(filter): Query<AccessFilter>,
) -> Result<Json<Page<SessionOut>>> {
    access.identity.list_sessions(&ctx, &filter).await.map(Json)
}

/// Signs in with user name and password; the answer sets the session cookie.
#[utoipa::path(post, path = "/sessions", tag = "access", request_body = SignInIn, security(()),
    responses((status = 204), (status = 401, body = Problem), (status = 429, body = Problem)))]
async fn sign_in(
    State(access): State<Access>,
    ctx: Ctx,
    session: Session,
    client: Client,
    Json(given): Json<SignInIn>,
) -> Result<Response> {
    let attempt = SignIn { user: given.user, password: given.password, client };
    let device = access.identity.sign_in(&ctx, &session, &attempt).await?;
    Ok(device.on(StatusCode::NO_CONTENT.into_response()))
}

/// Shows again who the person of this session is; changing production asks for it from time to time. The answer sets a new session cookie.
#[utoipa::path(post, path = "/sessions/current/confirmation", tag = "access", request_body = ConfirmationIn,
    responses((status = 204), (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn confirm(
    State(access): State<Access>,
    ctx: Ctx,
    session: Session,
    Json(given): Json<ConfirmationIn>,
) -> Result<StatusCode> {
    access.identity.confirm(&ctx, &session, &given.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every session of the caller, the one that asks included; administrators may name another user.
#[utoipa::path(delete, path = "/sessions", tag = "access", params(AccessFilter),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn end_sessions(
    State(access): State<Access>,
    ctx: Ctx,
    Query(filter): Query<AccessFilter>,
) -> Result<StatusCode> {
    access.identity.end_sessions(&ctx, &filter).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session at once; `current` is the one that asks.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "access", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn end_session(
    State(access): State<Access>,
    ctx: Ctx,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response> {
    if id == "current" {
        access.identity.sign_out(&ctx, &session).await?;
        return Ok((StatusCode::NO_CONTENT, forget_everything()).into_response());
    }
    access.identity.end_session(&ctx, parse_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Signing out leaves nothing of the person in the browser: neither pages in its cache, nor what scripts stored. The session's cookie goes
/// by itself. The word `cookies` is not among them: it would also take the one by which the browser is known again ([`super::device`]), and
/// those of every other site below the same domain.
#[must_use]
pub fn forget_everything() -> [(HeaderName, HeaderValue); 1] {
    let what = HeaderValue::from_static(r#""cache", "storage""#);
    [(HeaderName::from_static("clear-site-data"), what)]
}

fn parse_id(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| crate::kernel::AppError::field("/id", text!("is not a UUID")))
}
