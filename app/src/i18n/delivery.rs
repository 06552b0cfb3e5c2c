//! Texts of deliveries and updates of a service's files.

use super::{T, messages};
use passerelle_contract::delivery::{DeliveryInto, DeliveryStep, DeliveryStepState, FileDeliveryState, UpdateOutcome};

messages! {
    deliver_title: "Deliver the files", "Livrer les fichiers";
    deliver_text: "All files arrive in one commit: in a new repository, or on a branch with a request to take it in.", "Tous les fichiers arrivent en un seul commit : dans un nouveau dépôt, ou sur une branche avec une demande d’intégration.";
    deliver_to: "Where", "Où";
    deliver_folder: "Folder on the portal’s machine", "Dossier sur la machine du portail";
    deliver_repository: "Repository", "Dépôt";
    deliver_repository_hint: "For example acme/orders; groups of GitLab are separated by / too.", "Par exemple acme/commandes ; les groupes de GitLab sont aussi séparés par /.";
    deliver_into: "Kind", "Type";
    deliver_base: "Branch it is proposed for", "Branche visée";
    deliver_base_hint: "For an existing repository; its default branch when empty.", "Pour un dépôt existant ; sa branche par défaut si vide.";
    deliver_private: "A new repository is private", "Un nouveau dépôt est privé";
    deliver_submit: "Deliver", "Livrer";
    deliver_asked: "The files are on their way.", "Les fichiers sont en route.";
    deliver_retry: "Try the failed step again", "Réessayer l’étape en échec";
    deliver_undo: "Take back", "Annuler la livraison";
    deliver_undo_text: "The request is closed and our branch deleted while our commit is its newest; a repository that was made goes only while it holds nothing else.", "La demande est fermée et notre branche supprimée tant que notre commit est le dernier ; un dépôt créé ne disparaît que s’il ne contient rien d’autre.";
    deliver_undo_asked: "It is being taken back.", "L’annulation est en cours.";
    deliver_open_proposal: "Open the request", "Ouvrir la demande";
    deliver_open_repository: "Open the repository", "Ouvrir le dépôt";
    update_title: "Update by the golden path", "Mise à jour par le parcours type";
    update_sub(template, before, after): "{template}: from {before} to {after}", "{template} : de {before} à {after}";
    update_available(version): "Version {version} of the golden path is there", "La version {version} du parcours type est disponible";
    update_available_text: "Your changes are kept: the update is proposed to the repository, three-way, and nothing is taken in by itself.", "Vos modifications sont gardées : la mise à jour est proposée au dépôt, en comparant trois versions, et rien n’est intégré tout seul.";
    update_look: "Look at the update", "Voir la mise à jour";
    update_where: "The repository as it is now", "Le dépôt tel qu’il est";
    update_changes: "What would change", "Ce qui changerait";
    update_nothing: "Nothing: the repository has it already. Proposing only notes the version.", "Rien : le dépôt l’a déjà. Proposer ne fait que noter la version.";
    update_propose: "Propose the update", "Proposer la mise à jour";
    update_asked: "The update is on its way.", "La mise à jour est en route.";
    update_conflicts_text: "Both sides changed the same lines. They arrive between markers on the branch; decide there before it is taken in.", "Les deux côtés ont modifié les mêmes lignes. Elles arrivent entre marqueurs sur la branche ; décidez-y avant l’intégration.";
    update_behind: "Behind their golden path", "En retard sur leur parcours type";
    n_conflicts[n]: "{n} file in conflict" | "{n} files in conflict", "{n} fichier en conflit" | "{n} fichiers en conflit";
    deliver_nowhere: "No place to deliver to", "Aucun lieu de livraison";
    deliver_nowhere_text: "An administrator opens one: by the field deliver_to of a connection to GitHub or GitLab, or by the setting onboarding.repositories. Until then there is the zip.", "Un administrateur en ouvre un : par le champ deliver_to d’une connexion à GitHub ou GitLab, ou par le réglage onboarding.repositories. D’ici là, il y a le zip.";
}

impl T {
    #[must_use]
    pub const fn delivery_into(self, into: DeliveryInto) -> &'static str {
        match (into, self.0) {
            (DeliveryInto::New, super::Locale::En) => "new repository",
            (DeliveryInto::New, super::Locale::Fr) => "nouveau dépôt",
            (DeliveryInto::Existing, super::Locale::En) => "existing repository, by a branch",
            (DeliveryInto::Existing, super::Locale::Fr) => "dépôt existant, par une branche",
        }
    }

    #[must_use]
    pub const fn update_outcome(self, outcome: UpdateOutcome) -> &'static str {
        match (outcome, self.0) {
            (UpdateOutcome::Added, super::Locale::En) => "new",
            (UpdateOutcome::Added, super::Locale::Fr) => "nouveau",
            (UpdateOutcome::Updated, super::Locale::En) => "updated",
            (UpdateOutcome::Updated, super::Locale::Fr) => "mis à jour",
            (UpdateOutcome::Merged, super::Locale::En) => "merged with your changes",
            (UpdateOutcome::Merged, super::Locale::Fr) => "fusionné avec vos modifications",
            (UpdateOutcome::Conflict, super::Locale::En) => "in conflict",
            (UpdateOutcome::Conflict, super::Locale::Fr) => "en conflit",
            (UpdateOutcome::Removed, super::Locale::En) => "goes",
            (UpdateOutcome::Removed, super::Locale::Fr) => "disparaît",
            (UpdateOutcome::KeptChanged, super::Locale::En) => "would go, but you changed it: it stays",
            (UpdateOutcome::KeptChanged, super::Locale::Fr) => "disparaîtrait, mais vous l’avez modifié : il reste",
            (UpdateOutcome::KeptDeleted, super::Locale::En) => "changed, but you deleted it: it stays away",
            (UpdateOutcome::KeptDeleted, super::Locale::Fr) => "modifié, mais vous l’avez supprimé : il reste absent",
        }
    }

    #[must_use]
    pub const fn delivery_state(self, state: FileDeliveryState) -> &'static str {
        match (state, self.0) {
            (FileDeliveryState::Running, super::Locale::En) => "under way",
            (FileDeliveryState::Running, super::Locale::Fr) => "en cours",
            (FileDeliveryState::Done, super::Locale::En) => "delivered",
            (FileDeliveryState::Done, super::Locale::Fr) => "livré",
            (FileDeliveryState::Failed, super::Locale::En) => "failed",
            (FileDeliveryState::Failed, super::Locale::Fr) => "en échec",
            (FileDeliveryState::Undone, super::Locale::En) => "taken back",
            (FileDeliveryState::Undone, super::Locale::Fr) => "annulé",
        }
    }

    #[must_use]
    pub const fn delivery_step(self, step: DeliveryStep) -> &'static str {
        match (step, self.0) {
            (DeliveryStep::Repository, super::Locale::En) => "Repository",
            (DeliveryStep::Repository, super::Locale::Fr) => "Dépôt",
            (DeliveryStep::Commit, super::Locale::En) => "Commit",
            (DeliveryStep::Commit, super::Locale::Fr) => "Commit",
            (DeliveryStep::Proposal, super::Locale::En) => "Request to take it in",
            (DeliveryStep::Proposal, super::Locale::Fr) => "Demande d’intégration",
            (DeliveryStep::Merge, super::Locale::En) => "Taken in by its people",
            (DeliveryStep::Merge, super::Locale::Fr) => "Intégration par ses responsables",
            (DeliveryStep::Undo, super::Locale::En) => "Taking back",
            (DeliveryStep::Undo, super::Locale::Fr) => "Annulation",
        }
    }

    #[must_use]
    pub const fn delivery_step_state(self, state: DeliveryStepState) -> &'static str {
        match (state, self.0) {
            (DeliveryStepState::Pending, super::Locale::En) => "pending",
            (DeliveryStepState::Pending, super::Locale::Fr) => "en attente",
            (DeliveryStepState::Running, super::Locale::En) => "under way",
            (DeliveryStepState::Running, super::Locale::Fr) => "en cours",
            (DeliveryStepState::Done, super::Locale::En) => "done",
            (DeliveryStepState::Done, super::Locale::Fr) => "fait",
            (DeliveryStepState::Failed, super::Locale::En) => "failed",
            (DeliveryStepState::Failed, super::Locale::Fr) => "en échec",
        }
    }
}
