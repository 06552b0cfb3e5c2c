//! The words for states, roles and causes: one word per state everywhere.

use super::{T, messages};
use passerelle_contract::access::Role;
use passerelle_contract::audit::Outcome;
use passerelle_contract::deployments::{
    Cause, DeploymentState, Health, InstanceState, Operation, Severity, StepState, Verdict,
};
use passerelle_contract::environments::Tier;

messages! {
    state_requested: "requested", "demandé";
    state_blocked: "blocked", "bloqué";
    state_awaiting: "awaiting approval", "en attente d’accord";
    state_queued: "queued", "en file";
    state_running: "deploying", "en cours";
    state_verifying: "verifying", "vérification";
    state_succeeded: "succeeded", "réussi";
    state_failed: "failed", "échoué";
    state_rolled_back: "rolled back", "revenu en arrière";
    state_cancelled: "cancelled", "annulé";
    state_needs_person: "needs a person", "à examiner";
    op_deploy: "Deploy", "Déploiement";
    op_roll_back: "Roll back", "Retour arrière";
    op_restart: "Restart", "Redémarrage";
    op_scale: "Scale", "Mise à l’échelle";
    health_healthy: "healthy", "sain";
    health_progressing: "progressing", "en progression";
    health_unknown: "unknown", "inconnu";
    health_degraded: "degraded", "dégradé";
    health_failed: "failed", "en panne";
    inst_pending: "pending", "en attente";
    inst_starting: "starting", "démarre";
    inst_ready: "ready", "prête";
    inst_failing: "failing", "en échec";
    inst_stopping: "stopping", "s’arrête";
    step_pending: "not started", "pas commencé";
    step_running: "running", "en cours";
    step_succeeded: "done", "fait";
    step_failed: "failed", "échoué";
    step_skipped: "skipped", "sauté";
    tier_development: "development", "développement";
    tier_staging: "staging", "préproduction";
    tier_production: "production", "production";
    role_viewer: "viewer", "lecteur";
    role_developer: "developer", "développeur";
    role_operator: "operator", "opérateur";
    role_admin: "admin", "administrateur";
    outcome_intent: "intent", "intention";
    outcome_success: "success", "réussi";
    outcome_failure: "failure", "échec";
    outcome_denied: "denied", "refusé";
    verdict_pass: "passes", "passe";
    verdict_warn: "warns", "avertit";
    verdict_wait: "waits", "attend";
    verdict_block: "blocks", "bloque";
    severity_info: "note", "note";
    severity_warning: "warning", "attention";
    severity_error: "error", "erreur";
    cause_image_pull: "The image cannot be pulled", "L’image ne peut pas être téléchargée";
    cause_crash_loop: "The process crashes at start", "Le processus s’arrête au démarrage";
    cause_probe: "The health probe fails", "La sonde de santé échoue";
    cause_missing_config: "A configuration key is missing", "Une clé de configuration manque";
    cause_unschedulable: "No machine can take the instance", "Aucune machine ne peut accueillir l’instance";
    cause_quota: "A quota is reached", "Un quota est atteint";
    cause_deadline: "The deadline passed", "Le délai est dépassé";
    cause_migration: "The migration failed", "La migration a échoué";
    cause_job_failed: "A job of the pipeline failed", "Un job du pipeline a échoué";
    cause_dependency: "Something it depends on is not ready", "Une dépendance n’est pas prête";
    cause_error_ratio: "Too many requests fail", "Trop de requêtes échouent";
    cause_target_unreachable: "The target does not answer", "La cible ne répond pas";
    cause_refused: "The target refused the change", "La cible a refusé le changement";
    cause_unknown: "Unknown cause", "Cause inconnue";
}

impl T {
    #[must_use]
    pub const fn state(self, state: DeploymentState) -> &'static str {
        match state {
            DeploymentState::Requested => self.state_requested(),
            DeploymentState::Blocked => self.state_blocked(),
            DeploymentState::AwaitingApproval => self.state_awaiting(),
            DeploymentState::Queued => self.state_queued(),
            DeploymentState::Running => self.state_running(),
            DeploymentState::Verifying => self.state_verifying(),
            DeploymentState::Succeeded => self.state_succeeded(),
            DeploymentState::Failed => self.state_failed(),
            DeploymentState::RolledBack => self.state_rolled_back(),
            DeploymentState::Cancelled => self.state_cancelled(),
            DeploymentState::NeedsPerson => self.state_needs_person(),
        }
    }

    #[must_use]
    pub const fn operation(self, operation: Operation) -> &'static str {
        match operation {
            Operation::Deploy => self.op_deploy(),
            Operation::RollBack => self.op_roll_back(),
            Operation::Restart => self.op_restart(),
            Operation::Scale => self.op_scale(),
        }
    }

    #[must_use]
    pub const fn health(self, health: Health) -> &'static str {
        match health {
            Health::Healthy => self.health_healthy(),
            Health::Progressing => self.health_progressing(),
            Health::Unknown => self.health_unknown(),
            Health::Degraded => self.health_degraded(),
            Health::Failed => self.health_failed(),
        }
    }

    #[must_use]
    pub const fn instance(self, state: InstanceState) -> &'static str {
        match state {
            InstanceState::Pending => self.inst_pending(),
            InstanceState::Starting => self.inst_starting(),
            InstanceState::Ready => self.inst_ready(),
            InstanceState::Failing => self.inst_failing(),
            InstanceState::Stopping => self.inst_stopping(),
        }
    }

    #[must_use]
    pub const fn step_state(self, state: StepState) -> &'static str {
        match state {
            StepState::Pending => self.step_pending(),
            StepState::Running => self.step_running(),
            StepState::Succeeded => self.step_succeeded(),
            StepState::Failed => self.step_failed(),
            StepState::Skipped => self.step_skipped(),
        }
    }

    #[must_use]
    pub const fn tier(self, tier: Tier) -> &'static str {
        match tier {
            Tier::Development => self.tier_development(),
            Tier::Staging => self.tier_staging(),
            Tier::Production => self.tier_production(),
        }
    }

    #[must_use]
    pub const fn role(self, role: Role) -> &'static str {
        match role {
            Role::Viewer => self.role_viewer(),
            Role::Developer => self.role_developer(),
            Role::Operator => self.role_operator(),
            Role::Admin => self.role_admin(),
        }
    }

    #[must_use]
    pub const fn outcome(self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Intent => self.outcome_intent(),
            Outcome::Success => self.outcome_success(),
            Outcome::Failure => self.outcome_failure(),
            Outcome::Denied => self.outcome_denied(),
        }
    }

    #[must_use]
    pub const fn verdict(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Pass => self.verdict_pass(),
            Verdict::Warn => self.verdict_warn(),
            Verdict::Wait => self.verdict_wait(),
            Verdict::Block => self.verdict_block(),
        }
    }

    #[must_use]
    pub const fn severity(self, severity: Severity) -> &'static str {
        match severity {
            Severity::Info => self.severity_info(),
            Severity::Warning => self.severity_warning(),
            Severity::Error => self.severity_error(),
        }
    }

    #[must_use]
    pub const fn cause(self, cause: Cause) -> &'static str {
        match cause {
            Cause::ImagePull => self.cause_image_pull(),
            Cause::CrashLoop => self.cause_crash_loop(),
            Cause::Probe => self.cause_probe(),
            Cause::MissingConfig => self.cause_missing_config(),
            Cause::Unschedulable => self.cause_unschedulable(),
            Cause::Quota => self.cause_quota(),
            Cause::Deadline => self.cause_deadline(),
            Cause::Migration => self.cause_migration(),
            Cause::JobFailed => self.cause_job_failed(),
            Cause::Dependency => self.cause_dependency(),
            Cause::ErrorRatio => self.cause_error_ratio(),
            Cause::TargetUnreachable => self.cause_target_unreachable(),
            Cause::Refused => self.cause_refused(),
            Cause::Unknown => self.cause_unknown(),
        }
    }
}
