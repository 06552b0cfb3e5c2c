//! Texts of the gates: verdicts, approvals, policies, freezes, waivers, reports and break-glass.

use super::messages;

messages! {
    nav_gates: "Gates", "Règles";
    nav_freezes: "Freezes", "Gels";
    nav_approvals: "Approvals", "Approbations";
    gate_promotion_order: "Order of environments", "Ordre des environnements";
    gate_preflight: "Pre-flight checks", "Vérifications préalables";
    gate_vulnerability: "Vulnerabilities", "Vulnérabilités";
    gate_error_budget: "Error budget", "Budget d’erreur";
    gate_freeze: "Freezes", "Gels";
    gate_approval: "Approval", "Approbation";
    gate_break_glass: "Broken glass", "Bris de glace";
    gate_active_deployment: "One deployment at a time", "Un seul déploiement à la fois";
    gate_frees(age): "Frees itself in {age}.", "Se libère dans {age}.";
    gate_progress(percent): "{percent} % of the time needed", "{percent} % du temps nécessaire";
    gate_waived(ids): "Waived: {ids}", "Dérogations : {ids}";
    deploy_ask(version, environment): "Ask for approval: {version} to {environment}", "Demander l’accord : {version} en {environment}";
    deploy_ask_why[n]: "It will wait until {n} other person has approved. Nothing changes before." | "It will wait until {n} other people have approved. Nothing changes before.", "Il attendra l’accord de {n} autre personne. Rien ne change avant." | "Il attendra l’accord de {n} autres personnes. Rien ne change avant.";
    deploy_past(version, environment): "Deploy {version} to {environment}, past the gates", "Déployer {version} en {environment}, malgré les règles";
    deploy_stopped(gates): "Not now. In the way: {gates}.", "Pas maintenant. Bloqué par : {gates}.";
    flash_awaits: "It waits for approval; nothing changes before.", "En attente d’accord ; rien ne change avant.";
    flash_blocked: "It was blocked; nothing was changed. See the rule that stopped it.", "Bloqué ; rien n’a été changé. Voyez la règle qui l’a arrêté.";
    approvals_of(given, needed): "Approvals: {given} of {needed}", "Approbations : {given} sur {needed}";
    approvals_none: "Nobody has said anything yet.", "Personne ne s’est encore prononcé.";
    approvals_until(age): "The request ends by itself in {age}.", "La demande prend fin d’elle-même dans {age}.";
    approved: "approved", "approuvé";
    rejected: "rejected", "refusé";
    approval_void(why): "does not count any more: {why}", "ne compte plus : {why}";
    approval_yours: "Your decision", "Votre décision";
    approval_asks(who, what): "{who} asks for {what}.", "{who} demande {what}.";
    approval_what(version, service, environment): "{version} of {service} to {environment}", "{version} de {service} en {environment}";
    approval_effect: "You approve exactly this artifact, this place and its configuration; when one of them changes, your word is void. The last approval needed starts the deployment, if no other gate stops it then.", "Vous approuvez exactement cet artefact, ce lieu et sa configuration ; si l’un d’eux change, votre accord est nul. Le dernier accord nécessaire lance le déploiement, si aucune autre règle ne l’arrête alors.";
    approval_reason_hint: "Needed to reject; goes into the audit.", "Nécessaire pour refuser ; écrit dans l’audit.";
    approve: "Approve", "Approuver";
    reject: "Reject", "Refuser";
    approval_own: "You asked for it, so another person has to approve.", "C’est vous qui le demandez : une autre personne doit approuver.";
    approval_said: "You have approved. It takes others now.", "Vous avez approuvé. C’est aux autres maintenant.";
    approval_not_you(why): "You cannot approve this: {why}. Whoever may deploy to this environment can.", "Vous ne pouvez pas approuver : {why}. Toute personne qui peut déployer vers cet environnement le peut.";
    flash_approved: "Your approval counts.", "Votre accord compte.";
    flash_approved_starts: "Approved: the deployment starts.", "Approuvé : le déploiement commence.";
    flash_approved_blocked: "Approved, but another gate stops it now.", "Approuvé, mais une autre règle l’arrête maintenant.";
    flash_rejected: "Rejected: nothing was changed.", "Refusé : rien n’a été changé.";
    change_title: "Change what is asked for", "Changer ce qui est demandé";
    change_effect: "What was approved so far is void, and you become the one who asks.", "Les accords déjà donnés sont nuls, et c’est vous qui demandez désormais.";
    change_version: "Release", "Version";
    change_one_of(version): "Release {version} is chosen too. Choose “another image” there, or empty this field.", "La version {version} est choisie aussi. Choisissez-y « une autre image », ou videz ce champ.";
    change_submit: "Change it", "Changer";
    change_same: "another image", "une autre image";
    flash_changed: "Changed. What was approved before is void.", "Changé. Les accords précédents sont nuls.";
    dep_next_awaiting: "Nothing has changed yet. It goes on by itself as soon as enough other people have approved.", "Rien n’a encore changé. Il continue de lui-même dès que assez d’autres personnes ont approuvé.";
    approvals_title: "Approvals", "Approbations";
    approvals_sub: "Deployments that wait for your decision. What you asked for yourself, and what you have approved, is not listed.", "Déploiements qui attendent votre décision. Ce que vous avez demandé vous-même, et ce que vous avez approuvé, n’est pas listé.";
    approvals_empty: "Nothing waits for you", "Rien n’attend votre décision";
    approvals_empty_text: "When somebody asks for a deployment that you may approve, it is listed here.", "Quand quelqu’un demande un déploiement que vous pouvez approuver, il apparaît ici.";
    approvals_waiting[n]: "{n} deployment waits for your approval" | "{n} deployments wait for your approval", "{n} déploiement attend votre accord" | "{n} déploiements attendent votre accord";
    approvals_look: "Look and decide", "Voir et décider";
    glass_title(service, environment): "Break the glass: {service} in {environment}", "Briser la glace : {service} en {environment}";
    glass_summary: "Emergency: break the glass", "Urgence : briser la glace";
    glass_effect(service, environment): "For at most 60 minutes your next deployment of {service} to {environment} skips the gates, once. It never skips access or the audit. Others who operate there see it on their home page at once, with your name and reason.", "Pendant 60 minutes au plus, votre prochain déploiement de {service} en {environment} passe outre les règles, une fois. Jamais les droits ni l’audit. Les autres personnes qui exploitent cet environnement le voient aussitôt sur leur page d’accueil, avec votre nom et votre motif.";
    glass_reason: "Why the gates must be skipped", "Pourquoi passer outre les règles";
    glass_reason_hint: "10 characters at least. Everybody reads it in the break-glass log.", "10 caractères au moins. Chacun le lit dans le journal des bris de glace.";
    glass_incident: "Incident", "Incident";
    glass_incident_hint: "An https address: where it is dealt with.", "Une adresse https : là où il est traité.";
    glass_minutes: "Minutes", "Minutes";
    glass_minutes_hint: "A whole number, 1 to 60.", "Un nombre entier, de 1 à 60.";
    glass_password: "Your password again", "Votre mot de passe, encore";
    glass_confirm_hint: "The name of the service.", "Le nom du service.";
    glass_submit(environment): "Break the glass for {environment}", "Briser la glace pour {environment}";
    glass_open(until): "You broke the glass until {until}: your next deployment here skips what stands in the way, once.", "Vous avez brisé la glace jusqu’au {until} : votre prochain déploiement ici passe outre ce qui s’y oppose, une fois.";
    glass_opened(environment): "The glass is broken: your next deployment to {environment} skips the gates, once.", "La glace est brisée : votre prochain déploiement en {environment} passe outre les règles, une fois.";
    glass_limited(seconds): "Too many tries with a wrong password. Wait {seconds} seconds.", "Trop d’essais avec un mauvais mot de passe. Attendez {seconds} secondes.";
    glass_told(who, service, environment, age): "{who} broke the glass for {service} in {environment}, {age}", "{who} a brisé la glace pour {service} en {environment}, {age}";
    glass_see_log: "Break-glass log", "Journal des bris de glace";
    glass_log_sub: "Who skipped the gates, when and why. The newest 200.", "Qui a passé outre les règles, quand et pourquoi. Les 200 derniers.";
    glass_none: "The glass was never broken", "La glace n’a jamais été brisée";
    glass_none_text: "In an emergency it can be done on the page of a blocked deployment; it is listed here from then on.", "En cas d’urgence, cela se fait sur la page d’un déploiement bloqué ; la liste est ici.";
    glass_unused: "not used", "non utilisé";
    glass_is_open(age): "open for {age} more", "ouverte encore {age}";
    col_used: "Used", "Utilisé";
}

impl super::T {
    /// The name of a gate as people read it; an unknown one keeps its own.
    #[must_use]
    pub fn gate_kind(self, kind: &str) -> String {
        use passerelle_contract::gates::kinds;
        match kind {
            kinds::PROMOTION_ORDER => self.gate_promotion_order().to_owned(),
            kinds::PREFLIGHT => self.gate_preflight().to_owned(),
            kinds::VULNERABILITY => self.gate_vulnerability().to_owned(),
            kinds::ERROR_BUDGET => self.gate_error_budget().to_owned(),
            kinds::FREEZE => self.gate_freeze().to_owned(),
            kinds::APPROVAL => self.gate_approval().to_owned(),
            kinds::BREAK_GLASS => self.gate_break_glass().to_owned(),
            kinds::ACTIVE_DEPLOYMENT => self.gate_active_deployment().to_owned(),
            other => other.replace('_', " "),
        }
    }
}
