//! Everything that can be done, and THE policy: who may do it at least.

use passerelle_contract::access::Role;
use passerelle_contract::environments::Tier;

/// Everything that can be done. The name is the `action` column of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    CatalogRead,
    CatalogEdit,
    CatalogImport,
    EnvironmentRead,
    EnvironmentEdit,
    ConnectionRead,
    ConnectionEdit,
    BindingRead,
    BindingEdit,
    ReleaseRead,
    ReleaseCreate,
    DeploymentRead,
    DeploymentCreate,
    DeploymentCancel,
    DeploymentRollBack,
    DeploymentRestart,
    DeploymentScale,
    BindingHold,
    BindingResume,
    /// Steps of the engine; the person was authorised when the deployment was made.
    DeploymentRun,
    /// Taking a delivery of GitHub or GitLab, whose sender has shown that it knows the secret.
    WebhookHear,
    AlertRead,
    /// What an Alertmanager does, with a token of its own.
    AlertReport,
    SloRead,
    SloEdit,
    /// Takes a stretch of time out of a budget.
    SloCorrect,
    /// Closing the task of a post-mortem.
    SloPostmortem,
    /// Approving and rejecting what others ask for.
    DeploymentApprove,
    /// Policies, freezes and decisions, which everybody may know.
    GateRead,
    GatePolicyEdit,
    FreezeEdit,
    WaiverEdit,
    /// Attaching a scanner's report to a release.
    ReleaseScan,
    /// Skipping the gates, once.
    BreakGlass,
    /// Channels, rules and the log of what was sent.
    NotificationRead,
    NotificationEdit,
    /// Sending once more what did not get there.
    NotificationRetry,
    /// Golden paths, which everybody may look at.
    TemplateRead,
    OnboardingRead,
    /// Making a service that belongs to a team or a system of one's own.
    OnboardingCreate,
    /// Having the files of such a service delivered, updated, or taken back.
    OnboardingDeliver,
    /// Steps of the worker; the person was authorised when the delivery was asked for.
    OnboardingRun,
    /// One's own unfinished form.
    OnboardingDraft,
    AuditRead,
    /// Moving old rows into a signed file.
    AuditArchive,
    AccessRead,
    AccessEdit,
    /// One's own tokens and sessions.
    OwnAccess,
    /// Signing in and out, and the first set-up: done by the portal for somebody who has just shown who they are.
    SignIn,
    /// Giving everything that is sealed a new key.
    SecretsRotate,
    /// Any write through REST; asked before the route, which asks again for its own action.
    ApiWrite,
}

impl Action {
    pub const ALL: [Self; 51] = [
        Self::CatalogRead,
        Self::CatalogEdit,
        Self::CatalogImport,
        Self::EnvironmentRead,
        Self::EnvironmentEdit,
        Self::ConnectionRead,
        Self::ConnectionEdit,
        Self::BindingRead,
        Self::BindingEdit,
        Self::ReleaseRead,
        Self::ReleaseCreate,
        Self::DeploymentRead,
        Self::DeploymentCreate,
        Self::DeploymentCancel,
        Self::DeploymentRollBack,
        Self::DeploymentRestart,
        Self::DeploymentScale,
        Self::BindingHold,
        Self::BindingResume,
        Self::DeploymentRun,
        Self::WebhookHear,
        Self::AlertRead,
        Self::AlertReport,
        Self::SloRead,
        Self::SloEdit,
        Self::SloCorrect,
        Self::SloPostmortem,
        Self::DeploymentApprove,
        Self::GateRead,
        Self::GatePolicyEdit,
        Self::FreezeEdit,
        Self::WaiverEdit,
        Self::ReleaseScan,
        Self::BreakGlass,
        Self::NotificationRead,
        Self::NotificationEdit,
        Self::NotificationRetry,
        Self::TemplateRead,
        Self::OnboardingRead,
        Self::OnboardingCreate,
        Self::OnboardingDeliver,
        Self::OnboardingRun,
        Self::OnboardingDraft,
        Self::AuditRead,
        Self::AuditArchive,
        Self::AccessRead,
        Self::AccessEdit,
        Self::OwnAccess,
        Self::SignIn,
        Self::SecretsRotate,
        Self::ApiWrite,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CatalogRead => "catalog.read",
            Self::CatalogEdit => "catalog.edit",
            Self::CatalogImport => "catalog.import",
            Self::EnvironmentRead => "environment.read",
            Self::EnvironmentEdit => "environment.edit",
            Self::ConnectionRead => "connection.read",
            Self::ConnectionEdit => "connection.edit",
            Self::BindingRead => "binding.read",
            Self::BindingEdit => "binding.edit",
            Self::ReleaseRead => "release.read",
            Self::ReleaseCreate => "release.create",
            Self::DeploymentRead => "deployment.read",
            Self::DeploymentCreate => "deployment.create",
            Self::DeploymentCancel => "deployment.cancel",
            Self::DeploymentRollBack => "deployment.roll_back",
            Self::DeploymentRestart => "deployment.restart",
            Self::DeploymentScale => "deployment.scale",
            Self::BindingHold => "binding.hold",
            Self::BindingResume => "binding.resume",
            Self::DeploymentRun => "deployment.run",
            Self::WebhookHear => "webhook.hear",
            Self::AlertRead => "alert.read",
            Self::AlertReport => "alert.report",
            Self::SloRead => "slo.read",
            Self::SloEdit => "slo.edit",
            Self::SloCorrect => "slo.correct",
            Self::SloPostmortem => "slo.postmortem",
            Self::DeploymentApprove => "deployment.approve",
            Self::GateRead => "gate.read",
            Self::GatePolicyEdit => "gate.policy_edit",
            Self::FreezeEdit => "freeze.edit",
            Self::WaiverEdit => "waiver.edit",
            Self::ReleaseScan => "release.scan",
            Self::BreakGlass => "gate.break_glass",
            Self::NotificationRead => "notification.read",
            Self::NotificationEdit => "notification.edit",
            Self::NotificationRetry => "notification.retry",
            Self::TemplateRead => "template.read",
            Self::OnboardingRead => "onboarding.read",
            Self::OnboardingCreate => "onboarding.create",
            Self::OnboardingDeliver => "onboarding.deliver",
            Self::OnboardingRun => "onboarding.run",
            Self::OnboardingDraft => "onboarding.draft",
            Self::AuditRead => "audit.read",
            Self::AuditArchive => "audit.archive",
            Self::AccessRead => "access.read",
            Self::AccessEdit => "access.edit",
            Self::OwnAccess => "access.own",
            Self::SignIn => "access.sign_in",
            Self::SecretsRotate => "secrets.rotate",
            Self::ApiWrite => "api.write",
        }
    }

    /// THE policy: the least role for each action, outside production and in it. `None`: the portal itself only.
    #[must_use]
    pub const fn least_role(self, tier: Option<Tier>) -> Option<Role> {
        Some(match self {
            Self::CatalogRead
            | Self::EnvironmentRead
            | Self::BindingRead
            | Self::ReleaseRead
            | Self::AlertRead
            | Self::SloRead
            | Self::DeploymentRead
            | Self::TemplateRead
            | Self::OnboardingRead
            | Self::GateRead => Role::Viewer,
            Self::OwnAccess => Role::Viewer,
            Self::ConnectionRead
            | Self::ReleaseCreate
            | Self::ReleaseScan
            | Self::AlertReport
            | Self::SloPostmortem
            | Self::OnboardingCreate
            | Self::OnboardingDeliver
            | Self::OnboardingDraft
            | Self::NotificationRead
            | Self::AuditRead
            | Self::ApiWrite => Role::Developer,
            Self::FreezeEdit | Self::WaiverEdit | Self::NotificationRetry => Role::Operator,
            Self::DeploymentCreate
            | Self::DeploymentCancel
            | Self::DeploymentRollBack
            | Self::DeploymentRestart
            | Self::DeploymentScale
            | Self::BindingHold
            | Self::BindingResume
            | Self::DeploymentApprove
            | Self::BreakGlass => match tier {
                Some(Tier::Development | Tier::Staging) => Role::Developer,
                Some(Tier::Production) | None => Role::Operator,
            },
            Self::SloEdit => Role::Operator,
            Self::SloCorrect
            | Self::CatalogEdit
            | Self::CatalogImport
            | Self::EnvironmentEdit
            | Self::ConnectionEdit
            | Self::BindingEdit
            | Self::GatePolicyEdit
            | Self::NotificationEdit
            | Self::AccessRead
            | Self::AccessEdit => Role::Admin,
            Self::DeploymentRun
            | Self::OnboardingRun
            | Self::WebhookHear
            | Self::SignIn
            | Self::SecretsRotate
            | Self::AuditArchive => return None,
        })
    }

    /// Only somebody who is signed in may do this: a token never approves and never breaks the glass.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::DeploymentApprove | Self::BreakGlass)
    }

    /// An open session alone is not enough for this after a while: whoever sits down at somebody's desk must reach neither production nor
    /// what guards it. What makes things safer (roll back, cancel, hold, freeze) is never held up.
    #[must_use]
    pub const fn needs_recent_proof(self, tier: Option<Tier>) -> bool {
        match self {
            Self::DeploymentCreate
            | Self::DeploymentRestart
            | Self::DeploymentScale
            | Self::DeploymentApprove
            | Self::BindingResume => matches!(tier, Some(Tier::Production)),
            Self::AccessEdit
            | Self::ConnectionEdit
            | Self::EnvironmentEdit
            | Self::BindingEdit
            | Self::GatePolicyEdit
            | Self::WaiverEdit
            | Self::SloCorrect => true,
            _ => false,
        }
    }

    /// A read leaves no audit row when it is refused.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(
            self,
            Self::CatalogRead
                | Self::EnvironmentRead
                | Self::ConnectionRead
                | Self::BindingRead
                | Self::ReleaseRead
                | Self::DeploymentRead
                | Self::AlertRead
                | Self::SloRead
                | Self::GateRead
                | Self::NotificationRead
                | Self::TemplateRead
                | Self::OnboardingRead
                | Self::AuditRead
                | Self::AccessRead
        )
    }
}
