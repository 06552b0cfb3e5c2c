//! Texts of services that are adopted.

use super::{Locale, T, messages};
use passerelle_contract::adoption::{Practice, Standing};

messages! {
    adopt_open: "Adopt a service that is there", "Adopter un service existant";
    adopt_title(template): "Adopt a service: {template}", "Adopter un service : {template}";
    adopt_sub: "Its repository is read and nothing in it is changed. You tick what it should get; that is proposed on a branch.", "Son dépôt est lu et rien n’y est modifié. Vous cochez ce qu’il doit recevoir ; c’est proposé sur une branche.";
    adopt_where: "The repository of the service", "Le dépôt du service";
    adopt_runs: "What runs already", "Ce qui tourne déjà";
    adopt_runs_text: "Choose where it runs and look: the portal lists what is there, takes over what it tells, and binds the service to it.", "Choisissez où il tourne et regardez : le portail liste ce qui s’y trouve, reprend ce qui est connu et y lie le service.";
    adopt_runs_none: "nothing runs yet", "rien ne tourne encore";
    adopt_runs_connection: "Connection", "Connexion";
    adopt_runs_group: "Namespace or stack", "Namespace ou stack";
    adopt_runs_group_hint: "All that the connection may list, when empty.", "Vide : tout ce que la connexion peut lister.";
    adopt_runs_environment: "Environment", "Environnement";
    adopt_runs_name: "What runs", "Ce qui tourne";
    adopt_runs_choose: "choose…", "choisir…";
    adopt_runs_nothing: "Nothing runs there that a service could be bound to.", "Rien n’y tourne à quoi lier un service.";
    adopt_look: "Look", "Regarder";
    adopt_look_again: "Look again", "Regarder à nouveau";
    adopt_practices: "What the golden path has, and this service", "Ce que le parcours type apporte, et ce service";
    adopt_brought_by(files): "brought by {files}", "apporté par {files}";
    adopt_files: "Files that it would get", "Fichiers qu’il recevrait";
    adopt_files_text: "Missing files are ticked. A ticked file that differs is replaced: read the difference first.", "Les fichiers manquants sont cochés. Un fichier différent, une fois coché, est remplacé : lisez d’abord la différence.";
    adopt_code[n]: "Code of an application: {n} file" | "Code of an application: {n} files", "Code d’une application : {n} fichier" | "Code d’une application : {n} fichiers";
    adopt_code_text: "The service has its own code; these stay away unless you tick them.", "Le service a son propre code ; ces fichiers restent à l’écart sauf si vous les cochez.";
    adopt_same[n]: "{n} file is there already in the same form" | "{n} files are there already in the same form", "{n} fichier est déjà là à l’identique" | "{n} fichiers sont déjà là à l’identique";
    adopt_difference: "Show the difference", "Montrer la différence";
    adopt_answers: "Answers", "Réponses";
    adopt_answers_text: "What was found stands in the fields. Change what is not right, then look again.", "Ce qui a été trouvé est dans les champs. Corrigez ce qui est faux, puis regardez à nouveau.";
    adopt_answers_missing: "Some answers were not found. Give them, then look again to see the files.", "Certaines réponses n’ont pas été trouvées. Donnez-les, puis regardez à nouveau pour voir les fichiers.";
    adopt_found: "Found", "Trouvé";
    adopt_deliver: "Propose the ticked files to the repository", "Proposer les fichiers cochés au dépôt";
    adopt_submit(service): "Adopt {service}", "Adopter {service}";
    adopt_known(service): "The catalog has {service} already: it stays as it is there, and gets its tie to the golden path.", "Le catalogue connaît déjà {service} : il y reste tel quel et est rattaché au parcours type.";
    adopt_done(service): "{service} is adopted.", "{service} est adopté.";
}

impl T {
    #[must_use]
    pub const fn standing(self, standing: Standing) -> &'static str {
        match (standing, self.0) {
            (Standing::There, Locale::En) => "there",
            (Standing::There, Locale::Fr) => "présent",
            (Standing::Missing, Locale::En) => "missing",
            (Standing::Missing, Locale::Fr) => "manquant",
            (Standing::Differs, Locale::En) => "differs",
            (Standing::Differs, Locale::Fr) => "différent",
        }
    }

    #[must_use]
    pub const fn practice(self, practice: Practice) -> &'static str {
        match (practice, self.0) {
            (Practice::Container, _) => "Dockerfile",
            (Practice::PinnedImage, Locale::En) => "Base images pinned by digest",
            (Practice::PinnedImage, Locale::Fr) => "Images de base fixées par empreinte",
            (Practice::NonRoot, Locale::En) => "Runs without root",
            (Practice::NonRoot, Locale::Fr) => "Tourne sans root",
            (Practice::Probes, Locale::En) => "Health is asked for",
            (Practice::Probes, Locale::Fr) => "Sondes de santé",
            (Practice::ContainerIgnore, _) => ".dockerignore",
            (Practice::Catalog, Locale::En) => "Described for the catalog",
            (Practice::Catalog, Locale::Fr) => "Décrit pour le catalogue",
            (Practice::Objectives, Locale::En) => "Objectives (SLO)",
            (Practice::Objectives, Locale::Fr) => "Objectifs (SLO)",
            (Practice::Rules, Locale::En) => "Alert rules",
            (Practice::Rules, Locale::Fr) => "Règles d’alerte",
            (Practice::Runbook, _) => "Runbook",
            (Practice::Pipeline, Locale::En) => "Pipeline",
            (Practice::Pipeline, Locale::Fr) => "Pipeline",
            (Practice::Checks, Locale::En) => "Checks before a commit",
            (Practice::Checks, Locale::Fr) => "Contrôles avant commit",
            (Practice::Autoscaler, _) => "Autoscaler",
            (Practice::DisruptionBudget, Locale::En) => "Disruption budget",
            (Practice::DisruptionBudget, Locale::Fr) => "Budget de perturbation",
            (Practice::NetworkPolicy, Locale::En) => "Network policy",
            (Practice::NetworkPolicy, Locale::Fr) => "Politique réseau",
        }
    }
}
