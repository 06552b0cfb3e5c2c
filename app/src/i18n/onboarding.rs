//! Texts of golden paths: the list, the form, what was made.

use super::{T, messages};
use passerelle_contract::onboarding::{OnboardingState, OnboardingStep, OnboardingStepState};

messages! {
    nav_onboard: "New service", "Nouveau service";
    onboard_title: "New service", "Nouveau service";
    onboard_sub: "Choose a golden path. A few answers make all its files, and the service is in the catalog at once.", "Choisissez un parcours type. Quelques réponses donnent tous ses fichiers, et le service est aussitôt dans le catalogue.";
    onboard_none: "No golden path", "Aucun parcours type";
    onboard_none_text: "The program brings some along; a folder of your own is named by the setting onboarding.templates.", "Le programme en apporte ; un dossier à vous se nomme par le réglage onboarding.templates.";
    onboard_start: "Start", "Commencer";
    onboard_better: "What it does better", "Ce qu’il fait mieux";
    onboard_recent: "Made by golden paths", "Créés par un parcours type";
    onboard_recent_none: "No service was made yet.", "Aucun service n’a encore été créé.";
    onboard_step_of(at, of): "Step {at} of {of}", "Étape {at} sur {of}";
    onboard_steps: "Steps", "Étapes";
    onboard_look: "Look and create", "Regarder et créer";
    onboard_back: "Back", "Retour";
    onboard_next: "Next", "Suivant";
    onboard_restart: "Start over", "Recommencer";
    onboard_restart_text: "All that was answered so far is forgotten.", "Tout ce qui a été répondu jusqu’ici est oublié.";
    onboard_restarted: "Your answers are forgotten.", "Vos réponses sont oubliées.";
    onboard_kept: "Your answers are kept: you can leave and come back.", "Vos réponses sont gardées : vous pouvez partir et revenir.";
    onboard_more: "Your answers ask for something more.", "Vos réponses en demandent d’autres.";
    onboard_choose: "Choose", "Choisissez";
    onboard_files: "Files", "Fichiers";
    onboard_files_text: "Open a file to read it. Nothing is made yet.", "Ouvrez un fichier pour le lire. Rien n’est encore créé.";
    onboard_create(service): "Create {service}", "Créer {service}";
    onboard_made(service): "{service} is in the catalog.", "{service} est dans le catalogue.";
    onboard_from(template, version): "{template}, version {version}", "{template}, version {version}";
    onboard_template: "Golden path", "Parcours type";
    onboard_archive: "Download the files (zip)", "Télécharger les fichiers (zip)";
    onboard_archive_text: "Put them into a new repository and push: the pipeline is among them.", "Mettez-les dans un nouveau dépôt et poussez : le pipeline est parmi eux.";
    onboard_open: "Open the service", "Ouvrir le service";
    onboard_answer_open: "Still to be answered.", "Encore à répondre.";
    onboard_answers_open: "Some questions are still open. Answer them, then look again.", "Certaines questions sont encore ouvertes. Répondez-y, puis regardez à nouveau.";
    onboard_what: "What was done", "Ce qui a été fait";
    onboard_answers: "Answers", "Réponses";
    onboard_retry: "Try again", "Réessayer";
    onboard_retry_text: "What waits needs somebody first, for example an administrator who makes a connection.", "Ce qui attend a d’abord besoin de quelqu’un, par exemple d’un administrateur qui crée une connexion.";
    onboard_retried: "Done.", "C’est fait.";
    onboard_waits_still: "Something still waits.", "Quelque chose attend encore.";
    onboard_by: "By", "Par";
    n_files[n]: "{n} file" | "{n} files", "{n} fichier" | "{n} fichiers";
    onboard_size(kb): "{kb} kB", "{kb} ko";
    onboard_executable: "executable", "exécutable";
}

impl T {
    #[must_use]
    pub const fn onboarding_step(self, step: OnboardingStep) -> &'static str {
        match (step, self.0) {
            (OnboardingStep::Catalog, super::Locale::En) => "In the catalog",
            (OnboardingStep::Catalog, super::Locale::Fr) => "Dans le catalogue",
            (OnboardingStep::Objectives, super::Locale::En) => "Objectives",
            (OnboardingStep::Objectives, super::Locale::Fr) => "Objectifs",
            (OnboardingStep::Bindings, super::Locale::En) => "Bound to where it runs",
            (OnboardingStep::Bindings, super::Locale::Fr) => "Rattaché au lieu d’exécution",
        }
    }

    #[must_use]
    pub const fn onboarding_step_state(self, state: OnboardingStepState) -> &'static str {
        match (state, self.0) {
            (OnboardingStepState::Done, super::Locale::En) => "done",
            (OnboardingStepState::Done, super::Locale::Fr) => "fait",
            (OnboardingStepState::Waiting, super::Locale::En) => "waits",
            (OnboardingStepState::Waiting, super::Locale::Fr) => "attend",
        }
    }

    #[must_use]
    pub const fn onboarding_state(self, state: OnboardingState) -> &'static str {
        match (state, self.0) {
            (OnboardingState::Done, super::Locale::En) => "complete",
            (OnboardingState::Done, super::Locale::Fr) => "complet",
            (OnboardingState::Incomplete, super::Locale::En) => "something waits",
            (OnboardingState::Incomplete, super::Locale::Fr) => "quelque chose attend",
        }
    }
}
