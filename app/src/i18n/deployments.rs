//! Texts of releases, plans, deployments and the acts on what runs.

use super::messages;

messages! {
    deployments_title: "Deployments", "Déploiements";
    deployments_sub: "Every attempt, refused ones too, newest first.", "Chaque tentative, même refusée, la plus récente d’abord.";
    deployments_empty_title: "No deployment yet", "Aucun déploiement pour l’instant";
    deployments_empty_text: "Deploy a service from a cell of the matrix: every attempt is kept here.", "Déployez un service depuis une cellule de la matrice : chaque tentative est gardée ici.";
    col_operation: "What", "Quoi";
    col_state: "State", "État";
    col_by: "By", "Par";
    col_when: "When", "Quand";
    col_took: "Took", "Durée";
    col_reason: "Reason", "Motif";
    col_commit: "Commit", "Commit";
    col_runs_in: "Runs in", "Tourne en";
    col_image: "Image", "Image";
    filter_active: "Running now", "En cours";
    act_deploy: "Deploy", "Déployer";
    act_promote(version): "Promote {version}", "Promouvoir {version}";
    act_roll_back: "Roll back", "Revenir en arrière";
    act_restart: "Restart", "Redémarrer";
    act_scale: "Scale", "Mettre à l’échelle";
    act_hold: "Hold", "Suspendre";
    act_resume: "Resume", "Reprendre";
    act_cancel: "Cancel the deployment", "Annuler le déploiement";
    act_retry: "Deploy again", "Déployer à nouveau";
    deploy_title(name, environment): "Deploy {name} to {environment}", "Déployer {name} en {environment}";
    deploy_choose_env: "Where to?", "Vers où ?";
    deploy_choose_env_text: "Choose the environment; the plan is made before anything changes.", "Choisissez l’environnement ; le plan est fait avant tout changement.";
    deploy_choose_release: "Which release?", "Quelle version ?";
    deploy_other_image: "An image that is not a release", "Une image qui n’est pas une version";
    deploy_choose_other: "Another image, named below", "Une autre image, nommée ci-dessous";
    deploy_one_of(version): "You have chosen release {version} too. Choose “Another image, named below”, or empty this field.", "Vous avez aussi choisi la version {version}. Choisissez « Une autre image, nommée ci-dessous », ou videz ce champ.";
    deploy_image_hint: "Best with a digest: registry/name@sha256:…", "De préférence avec un condensat : registre/nom@sha256:…";
    deploy_no_release: "No release is known. The pipeline announces them with POST /api/v1/releases; until then, name an image.", "Aucune version n’est connue. Le pipeline les annonce par POST /api/v1/releases ; d’ici là, nommez une image.";
    deploy_show_plan: "Show the plan", "Montrer le plan";
    deploy_changes: "What changes", "Ce qui change";
    deploy_no_change: "Nothing changes: this is what runs already.", "Rien ne change : c’est déjà ce qui tourne.";
    deploy_now: "now", "maintenant";
    deploy_incoming: "incoming", "à venir";
    deploy_commits: "commits", "commits";
    deploy_compare: "What lies between", "Ce qui les sépare";
    deploy_gates: "May it go?", "Peut-il partir ?";
    deploy_no_gates: "No rule stands in the way.", "Aucune règle ne s’y oppose.";
    deploy_findings: "Noticed beforehand", "Remarqué avant d’agir";
    deploy_env: "Environment variables after the change", "Variables d’environnement après le changement";
    deploy_replicas: "Replicas", "Instances";
    deploy_incomplete(why): "The target did not answer, so parts are missing: {why}", "La cible n’a pas répondu, des parties manquent donc : {why}";
    deploy_blocked: "Blocked: see the rules above.", "Bloqué : voir les règles ci-dessus.";
    deploy_submit(version, environment): "Deploy {version} to {environment}", "Déployer {version} en {environment}";
    confirm_label(name): "Type {name} to confirm", "Tapez {name} pour confirmer";
    confirm_hint: "This is production.", "C’est la production.";
    confirm_wrong(name): "This is not “{name}”. Type the name of the service exactly.", "Ce n’est pas « {name} ». Tapez exactement le nom du service.";
    secret: "secret", "secret";
    rollback_title(name, environment): "Roll back {name} in {environment}", "Revenir en arrière sur {name} en {environment}";
    rollback_sub: "Goes back to what was applied then; Git is not read. Automation is held until somebody resumes it.", "Revient à ce qui avait été appliqué ; Git n’est pas lu. L’automatisation est suspendue jusqu’à la reprise.";
    rollback_to: "Back to", "Revenir à";
    rollback_last: "the last healthy version", "la dernière version saine";
    rollback_config: "With which configuration?", "Avec quelle configuration ?";
    rollback_config_release: "Its own", "La sienne";
    rollback_config_release_hint: "Image and configuration as they ran then.", "Image et configuration telles qu’elles tournaient.";
    rollback_config_current: "Today’s", "Celle d’aujourd’hui";
    rollback_config_current_hint: "Only the image goes back; today’s configuration stays.", "Seule l’image revient ; la configuration d’aujourd’hui reste.";
    rollback_instances_stay(count): "The number of instances stays as it is now ({count}); an autoscaler goes on deciding where there is one.", "Le nombre d’instances reste celui d’aujourd’hui ({count}) ; là où il y a un autoscaler, il continue de décider.";
    rollback_instances_then: "Put back the number of instances of that time too (with its own configuration)", "Remettre aussi le nombre d’instances d’alors (avec sa configuration)";
    rollback_none: "No earlier healthy deployment is recorded here, so there is nothing to go back to.", "Aucun déploiement sain antérieur n’est enregistré ici : il n’y a rien vers quoi revenir.";
    rollback_to_wrong: "Choose one of the versions above.", "Choisissez une des versions ci-dessus.";
    restart_title(name, environment): "Restart {name} in {environment}", "Redémarrer {name} en {environment}";
    restart_sub: "All instances are replaced one after the other, with the same version.", "Toutes les instances sont remplacées l’une après l’autre, avec la même version.";
    scale_title(name, environment): "Scale {name} in {environment}", "Mettre à l’échelle {name} en {environment}";
    scale_sub: "Changes the number of instances, nothing else.", "Change le nombre d’instances, rien d’autre.";
    scale_replicas: "Instances", "Instances";
    scale_hint: "0 to 1,000; 0 is refused in production.", "De 0 à 1 000 ; 0 est refusé en production.";
    scale_bad: "Give a whole number from 0 to 1,000.", "Donnez un nombre entier de 0 à 1 000.";
    hold_title(name, environment): "Hold {name} in {environment}", "Suspendre {name} en {environment}";
    hold_sub: "Automation changes nothing here until somebody resumes. People see the hold before they deploy; a roll back stays possible.", "L’automatisation ne change plus rien ici jusqu’à la reprise. Avant de déployer, chacun voit la suspension ; un retour arrière reste possible.";
    resume_title(name, environment): "Resume {name} in {environment}", "Reprendre {name} en {environment}";
    resume_sub: "Lifts the hold: automation may change things here again.", "Lève la suspension : l’automatisation peut de nouveau agir ici.";
    flash_started: "The deployment has started.", "Le déploiement a commencé.";
    flash_cancel: "The deployment is being cancelled.", "Le déploiement est en cours d’annulation.";
    flash_held(environment): "{environment} is on hold.", "{environment} est suspendu.";
    flash_resumed(environment): "{environment} is no longer on hold.", "{environment} n’est plus suspendu.";
    active_open: "Open the running one", "Ouvrir celui qui est en cours";
    dep_title(operation, name, environment): "{operation}: {name} in {environment}", "{operation} : {name} en {environment}";
    dep_steps: "Steps", "Étapes";
    dep_instances: "Instances", "Instances";
    dep_events: "Events", "Événements";
    dep_events_none: "No event yet.", "Aucun événement pour l’instant.";
    dep_elapsed: "Elapsed", "Écoulé";
    dep_requested_by(who): "asked by {who}", "demandé par {who}";
    dep_next: "What next?", "Et maintenant ?";
    dep_next_ok: "It runs. Watch it for a while; one click takes it back.", "Cela tourne. Surveillez un moment ; un clic suffit pour revenir.";
    dep_next_failed: "Read the cause, then deploy a corrected version, or go back to the last healthy one.", "Lisez la cause, puis déployez une version corrigée, ou revenez à la dernière saine.";
    dep_next_rolled_back: "The version before runs again. Correct the cause, then deploy again.", "La version d’avant tourne de nouveau. Corrigez la cause, puis redéployez.";
    dep_next_running: "You can leave this page: the deployment goes on by itself.", "Vous pouvez quitter cette page : le déploiement continue tout seul.";
    dep_next_blocked: "It changed nothing. See the rule that stopped it.", "Rien n’a été changé. Voyez la règle qui l’a arrêté.";
    dep_next_person: "The portal cannot tell what is right here: look at the target, then deploy or roll back.", "Le portail ne peut pas trancher : regardez la cible, puis déployez ou revenez en arrière.";
    dep_next_cancelled: "It was cancelled; what ran before is in place.", "Il a été annulé ; ce qui tournait avant est en place.";
    dep_last_logs(instance): "Last lines of {instance}", "Dernières lignes de {instance}";
    dep_logs: "Last lines of the log", "Dernières lignes du journal";
    dep_live: "live", "en direct";
    dep_stale(age): "stale since {age}, reconnecting", "périmé depuis {age}, reconnexion";
    dep_cancelling: "cancelling", "annulation en cours";
    dep_updated_of(updated, desired): "{updated} of {desired} updated", "{updated} sur {desired} à jour";
    dep_restarts[n]: "{n} restart" | "{n} restarts", "{n} redémarrage" | "{n} redémarrages";
    dep_new: "new", "nouvelle";
    dep_old: "old", "ancienne";
    step_preflight: "Pre-flight checks", "Vérifications préalables";
    step_wait: "Waiting for what it depends on", "Attente de ses dépendances";
    step_migrate: "Migration", "Migration";
    step_apply: "Change written to the target", "Changement écrit sur la cible";
    step_rollout: "Rollout", "Mise en place";
    step_verify: "Verification", "Vérification";
    step_roll_back: "Back to the version before", "Retour à la version précédente";
    col_message: "Message", "Message";
    releases_empty: "No release is known yet", "Aucune version n’est encore connue";
    releases_empty_text: "The pipeline announces a release with POST /api/v1/releases.", "Le pipeline annonce une version par POST /api/v1/releases.";
    build: "build", "construction";
}

impl super::T {
    /// The name of a step as people read it; an unknown step keeps its own name.
    #[must_use]
    pub fn step_name(self, name: &str) -> String {
        match name {
            "preflight" => self.step_preflight().to_owned(),
            "wait" => self.step_wait().to_owned(),
            "migrate" => self.step_migrate().to_owned(),
            "apply" => self.step_apply().to_owned(),
            "rollout" => self.step_rollout().to_owned(),
            "verify" => self.step_verify().to_owned(),
            "roll_back" => self.step_roll_back().to_owned(),
            other => other.to_owned(),
        }
    }
}
