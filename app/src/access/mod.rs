//! `/access`: roles, users, one's tokens and sessions, why one may or may not do something, and who may.

mod roles;
mod scopes;
mod sessions;
mod sign_in;
mod simulate;
mod tokens;
mod user;
mod users;
mod who;
mod why;

use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Head, Tab, Tabs};
use crate::web::{AppState, Page, Req};
use axum::Router;
use axum::routing::{get, post};
use leptos::prelude::*;
use passerelle_contract::access::Role;
use passerelle_server::kernel::{Action, AppError, Object, decide};

/// Rows of one list on these pages.
const PAGE: u32 = 50;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/access", get(roles::show))
        .route("/access/roles", post(roles::give))
        .route("/access/roles/{id}/delete", post(roles::take))
        .route("/access/users", get(users::show).post(users::create))
        .route("/access/users/{name}", get(user::show).post(user::save))
        .route("/access/tokens", get(tokens::show).post(tokens::create))
        .route("/access/tokens/{id}/delete", post(tokens::revoke))
        .route("/access/sessions", get(sessions::show).post(sessions::end_all))
        .route("/access/sessions/{id}/delete", post(sessions::end))
        .route("/access/sign-in", get(sign_in::show))
        .route("/access/sign-in/{provider}", post(sign_in::link))
        .route("/access/why", get(why::show))
        .route("/access/simulate", get(simulate::show))
        .route("/access/who", get(who::show))
}

/// Which of the tabs a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Roles,
    Users,
    Tokens,
    Sessions,
    SignIn,
    Why,
    Simulate,
    Who,
}

impl Part {
    const ALL: [Self; 8] =
        [Self::Roles, Self::Users, Self::Tokens, Self::Sessions, Self::SignIn, Self::Why, Self::Simulate, Self::Who];

    /// Only those who may read everybody's access see it.
    const fn of_all(self) -> bool {
        matches!(self, Self::Users | Self::Simulate | Self::Who)
    }

    const fn href(self) -> &'static str {
        match self {
            Self::Roles => "/access",
            Self::Users => "/access/users",
            Self::Tokens => "/access/tokens",
            Self::Sessions => "/access/sessions",
            Self::SignIn => "/access/sign-in",
            Self::Why => "/access/why",
            Self::Simulate => "/access/simulate",
            Self::Who => "/access/who",
        }
    }

    const fn text(self, t: T) -> &'static str {
        match self {
            Self::Roles => t.access_roles(),
            Self::Users => t.access_users(),
            Self::Tokens => t.access_tokens(),
            Self::Sessions => t.access_sessions(),
            Self::SignIn => t.access_sign_in(),
            Self::Why => t.access_why(),
            Self::Simulate => t.access_simulate(),
            Self::Who => t.access_who(),
        }
    }
}

fn may_read(req: &Req) -> bool {
    decide(&req.ctx, Action::AccessRead, &Object::new("users", "all")).allowed
}

fn may_edit(req: &Req) -> bool {
    decide(&req.ctx, Action::AccessEdit, &Object::new("users", "all")).allowed
}

fn frame(req: &Req, part: Part) -> Page {
    req.page(format!("{} · {}", req.t.access_title(), part.text(req.t))).section(Section::Access)
}

/// Title and tabs; those about everybody are shown to those who may see them.
fn head(req: &Req, part: Part) -> impl IntoView + use<> {
    let (t, all) = (req.t, may_read(req));
    let tabs = Part::ALL
        .into_iter()
        .filter(|tab| all || !tab.of_all())
        .map(|tab| Tab { href: tab.href().to_owned(), text: tab.text(t).to_owned(), here: tab == part })
        .collect();
    view! {
        <Head title=t.access_title() sub=t.access_sub() />
        <Tabs label=t.access_title() tabs=tabs />
    }
}

/// Nobody has no access pages.
fn known(req: &Req) -> Result<(), AppError> {
    if req.ctx.is_anonymous() { Err(AppError::Unauthenticated) } else { Ok(()) }
}

fn role_choices(t: T) -> Vec<(String, String)> {
    Role::ALL.map(|role| (role.as_str().to_owned(), t.role(role).to_owned())).to_vec()
}
