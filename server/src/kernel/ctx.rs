//! Who acts, through which door, under which request id.

use super::{AppError, Result};
use passerelle_contract::access::RoleGrant;
use passerelle_contract::{Locale, Text};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use uuid::Uuid;

/// The door a request came through; a column of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    Page,
    Api,
    Cli,
    Job,
    /// A delivery that showed that its sender knows a connection's secret.
    Webhook,
}

impl Via {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Job => "job",
            Self::Webhook => "webhook",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// Nobody: may sign in, and nothing else.
    Anonymous,
    /// A person with a session.
    Session { id: Uuid, csrf: String, proof: Proof },
    /// A person or service user through an API token.
    Token { id: String },
    /// The portal itself: jobs, and the command line on the server's own machine.
    System,
}

/// When the person of a session last showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    pub at: OffsetDateTime,
    /// In an open session, on request; not by signing in.
    pub again: bool,
}

/// Somebody, with the roles that hold for this request.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    pub kind: PrincipalKind,
    pub user_id: Option<Uuid>,
    pub name: String,
    pub display_name: String,
    pub grants: Vec<RoleGrant>,
    /// What a token limits its owner's roles to; both must allow.
    pub cap: Option<RoleGrant>,
}

/// Goes as first argument into every use case.
#[derive(Debug, Clone)]
pub struct Ctx {
    pub principal: Arc<Principal>,
    pub via: Via,
    pub request_id: String,
    /// The language of whoever reads the answer.
    pub locale: Locale,
    /// After how long the person of a session has to show again who they are; none never asks.
    pub confirm_after: Option<Duration>,
}

impl Ctx {
    #[must_use]
    pub fn new(principal: Arc<Principal>, via: Via, request_id: String) -> Self {
        Self { principal, via, request_id, locale: Locale::En, confirm_after: None }
    }

    /// The same, for a person who is asked from time to time who they are.
    #[must_use]
    pub fn confirming_after(mut self, confirm_after: Option<Duration>) -> Self {
        self.confirm_after = confirm_after;
        self
    }

    /// Whether it is too long ago that the person showed who they are. Tokens and the portal itself are not asked.
    #[must_use]
    pub fn must_confirm(&self) -> bool {
        match (&self.principal.kind, self.confirm_after) {
            (PrincipalKind::Session { proof, .. }, Some(after)) => OffsetDateTime::now_utc() - proof.at > after,
            _ => false,
        }
    }

    /// Whether the person has shown again who they are, in this session and within this time.
    #[must_use]
    pub fn confirmed_within(&self, time: Duration) -> bool {
        match &self.principal.kind {
            PrincipalKind::Session { proof, .. } => proof.again && OffsetDateTime::now_utc() - proof.at <= time,
            _ => false,
        }
    }

    /// The same, answered in a language.
    #[must_use]
    pub fn speaking(mut self, locale: Locale) -> Self {
        self.locale = locale;
        self
    }

    /// A sentence for whoever reads the answer.
    #[must_use]
    pub fn say(&self, text: &Text) -> String {
        text.said(self.locale)
    }

    #[must_use]
    pub fn anonymous(via: Via, request_id: String) -> Self {
        let principal = Principal {
            kind: PrincipalKind::Anonymous,
            user_id: None,
            name: "anonymous".to_owned(),
            display_name: String::new(),
            grants: Vec::new(),
            cap: None,
        };
        Self::new(Arc::new(principal), via, request_id)
    }

    /// The portal acting by itself; `name` says which part, for example `deployments` or `cli`.
    #[must_use]
    pub fn system(via: Via, name: &str) -> Self {
        let principal = Principal {
            kind: PrincipalKind::System,
            user_id: None,
            name: format!("system:{name}"),
            display_name: "Passerelle".to_owned(),
            grants: Vec::new(),
            cap: None,
        };
        Self::new(Arc::new(principal), via, Uuid::now_v7().to_string())
    }

    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.principal.kind == PrincipalKind::Anonymous
    }

    /// The hidden field `csrf` of every form. Empty without a session, where there is nothing to protect.
    #[must_use]
    pub fn csrf_token(&self) -> String {
        match &self.principal.kind {
            PrincipalKind::Session { csrf, .. } => csrf.clone(),
            _ => String::new(),
        }
    }

    /// # Errors
    /// [`AppError::CrossSite`] when the field is not the one of this session.
    pub fn verify_csrf(&self, given: &str) -> Result<()> {
        match &self.principal.kind {
            PrincipalKind::Session { csrf, .. } if bool::from(csrf.as_bytes().ct_eq(given.as_bytes())) => Ok(()),
            PrincipalKind::Session { .. } => Err(AppError::CrossSite),
            _ => Ok(()),
        }
    }
}
