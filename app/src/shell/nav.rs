//! The places one can go to. What does not exist yet is not listed.

use crate::i18n::T;

/// A place in the navigation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Section {
    #[default]
    None,
    Matrix,
    Services,
    Onboard,
    Systems,
    Deployments,
    Slos,
    Alerts,
    Approvals,
    Environments,
    Gates,
    Freezes,
    Connections,
    Bindings,
    Notifications,
    Import,
    Audit,
    Access,
    Api,
}

impl Section {
    pub const MAIN: [Self; 8] = [
        Self::Matrix,
        Self::Services,
        Self::Onboard,
        Self::Systems,
        Self::Deployments,
        Self::Slos,
        Self::Alerts,
        Self::Approvals,
    ];
    pub const OPERATE: [Self; 10] = [
        Self::Environments,
        Self::Gates,
        Self::Freezes,
        Self::Connections,
        Self::Bindings,
        Self::Notifications,
        Self::Import,
        Self::Audit,
        Self::Access,
        Self::Api,
    ];

    #[must_use]
    pub const fn href(self) -> &'static str {
        match self {
            Self::None | Self::Matrix => "/",
            Self::Services => "/services",
            Self::Onboard => "/onboard",
            Self::Systems => "/systems",
            Self::Deployments => "/deployments",
            Self::Slos => "/slos",
            Self::Alerts => "/alerts",
            Self::Approvals => "/approvals",
            Self::Gates => "/gates",
            Self::Freezes => "/freezes",
            Self::Environments => "/environments",
            Self::Connections => "/connections",
            Self::Bindings => "/bindings",
            Self::Notifications => "/notifications",
            Self::Import => "/catalog/import",
            Self::Audit => "/audit",
            Self::Access => "/access",
            Self::Api => "/docs/api",
        }
    }

    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::None | Self::Matrix => "matrix",
            Self::Services => "service",
            Self::Onboard => "path",
            Self::Systems => "system",
            Self::Deployments => "deploy",
            Self::Slos => "budget",
            Self::Alerts => "warn",
            Self::Approvals => "approve",
            Self::Gates => "gate",
            Self::Freezes => "freeze",
            Self::Environments => "env",
            Self::Connections => "plug",
            Self::Bindings => "bind",
            Self::Notifications => "bell",
            Self::Import => "import",
            Self::Audit => "audit",
            Self::Access => "key",
            Self::Api => "api",
        }
    }

    #[must_use]
    pub const fn text(self, t: T) -> &'static str {
        match self {
            Self::None | Self::Matrix => t.nav_matrix(),
            Self::Services => t.nav_services(),
            Self::Onboard => t.nav_onboard(),
            Self::Systems => t.nav_systems(),
            Self::Deployments => t.nav_deployments(),
            Self::Slos => t.nav_slos(),
            Self::Alerts => t.nav_alerts(),
            Self::Approvals => t.nav_approvals(),
            Self::Gates => t.nav_gates(),
            Self::Freezes => t.nav_freezes(),
            Self::Environments => t.nav_environments(),
            Self::Connections => t.nav_connections(),
            Self::Bindings => t.nav_bindings(),
            Self::Notifications => t.nav_notifications(),
            Self::Import => t.nav_import(),
            Self::Audit => t.nav_audit(),
            Self::Access => t.nav_access(),
            Self::Api => t.nav_api(),
        }
    }
}
