//! Texts of notifications: channels, rules, deliveries, and the page behind the link in a message.

use super::{T, messages};
use passerelle_contract::notifications::{DeliveryState, EventKind};

messages! {
    nav_notifications: "Notifications", "Notifications";
    notify_title: "Notifications", "Notifications";
    notify_channels: "Channels", "Canaux";
    notify_rules: "Rules", "Règles d’envoi";
    notify_log: "Deliveries", "Envois";
    notify_channels_sub: "Where messages go: Slack, a webhook, e-mail. Rules say which ones.", "Où vont les messages : Slack, un webhook, le courriel. Les règles disent lesquels.";
    notify_rules_sub: "An event goes to each channel that one of these rules fits, once.", "Un événement va, une fois, à chaque canal auquel convient une de ces règles.";
    notify_log_sub: "What became of each message. One that fails is tried ten times, with growing pauses.", "Ce qu’est devenu chaque message. Un échec est retenté dix fois, à intervalles croissants.";
    channels_empty: "No channel yet", "Aucun canal pour l’instant";
    channels_empty_text: "Make one, try it with a test message, then say by a rule what it gets.", "Créez-en un, essayez-le avec un message d’essai, puis dites par une règle ce qu’il reçoit.";
    channel_new: "New channel", "Nouveau canal";
    channel_kind: "Where messages go", "Où vont les messages";
    channel_language: "Language of the messages", "Langue des messages";
    channel_enabled: "Send messages", "Envoyer des messages";
    channel_on: "sends", "envoie";
    channel_off: "stopped", "arrêté";
    channel_test: "Send a test message", "Envoyer un message d’essai";
    channel_test_ok(name, answer, ms): "{name}: delivered in {ms} ms. {answer}", "{name} : remis en {ms} ms. {answer}";
    channel_test_bad(name, answer): "{name}: not delivered. {answer}", "{name} : non remis. {answer}";
    channel_delete_effect: "Its rules go with it. What still waits for it is not sent; the log of deliveries stays.", "Ses règles partent avec lui. Ce qui l’attend encore n’est pas envoyé ; le journal des envois reste.";
    n_rules[n]: "{n} rule" | "{n} rules", "{n} règle" | "{n} règles";
    col_channel: "Channel", "Canal";
    col_rules: "Rules", "Règles";
    col_language: "Language", "Langue";
    rules_empty: "No rule yet", "Aucune règle pour l’instant";
    rules_empty_text: "Without a rule no channel gets anything.", "Sans règle, aucun canal ne reçoit rien.";
    rules_no_channel: "Make a channel first.", "Créez d’abord un canal.";
    rule_new: "New rule", "Nouvelle règle";
    rule_edit(channel): "Rule for {channel}", "Règle pour {channel}";
    rule_of(channel, what): "{channel}, {what}", "{channel}, {what}";
    rule_team: "Services of the team", "Services de l’équipe";
    rule_system: "Services of the system", "Services du système";
    rule_key_hint: "As namespace/name; empty for all.", "Sous la forme espace/nom ; vide pour tous.";
    rule_environment: "In the environment", "Dans l’environnement";
    rule_tier: "In environments of the tier", "Dans les environnements du niveau";
    rule_events: "Which events", "Quels événements";
    rule_events_hint: "None chosen means all of them.", "Aucun choisi signifie tous.";
    rule_enabled: "This rule counts", "Cette règle compte";
    rule_everything: "everything", "tout";
    rule_all_events: "all events", "tous les événements";
    rule_is_on: "counts", "active";
    rule_is_off: "stopped", "arrêtée";
    rule_delete_effect: "Events that only this rule fits are not told any more.", "Les événements auxquels seule cette règle convient ne sont plus signalés.";
    flash_rule_made: "The rule is made.", "La règle est créée.";
    flash_rule_saved: "The rule is changed.", "La règle est changée.";
    flash_rule_gone: "The rule is deleted.", "La règle est supprimée.";
    col_what: "What", "Quoi";
    col_where: "For", "Pour";
    deliveries_empty: "No message yet", "Aucun message pour l’instant";
    deliveries_empty_text: "When something happens that a rule fits, its messages are listed here; or the filters are too narrow.", "Quand survient un événement auquel convient une règle, ses messages sont listés ici ; ou les filtres sont trop étroits.";
    delivery_retry: "Send again", "Renvoyer";
    delivery_attempts[n]: "{n} attempt" | "{n} attempts", "{n} tentative" | "{n} tentatives";
    delivery_next(age): "next in {age}", "prochaine dans {age}";
    delivery_soon: "being sent", "envoi en cours";
    flash_retried: "It is sent again now; look here in a moment.", "Il est renvoyé maintenant ; regardez ici dans un instant.";
    col_answer: "Answer", "Réponse";
    col_event: "Event", "Événement";
    delivery_waiting: "waiting", "en attente";
    delivery_delivered: "delivered", "remis";
    delivery_failed: "not delivered", "non remis";
    event_started: "Deployment started", "Déploiement démarré";
    event_succeeded: "Deployment succeeded", "Déploiement réussi";
    event_failed: "Deployment failed", "Déploiement échoué";
    event_rolled_back: "Deployment rolled back", "Déploiement revenu en arrière";
    event_needs_person: "Deployment needs a person", "Déploiement à examiner";
    event_blocked: "Deployment blocked", "Déploiement bloqué";
    event_cancelled: "Deployment cancelled", "Déploiement annulé";
    event_requested: "Approval asked for", "Approbation demandée";
    event_given: "Approved or rejected", "Approuvé ou refusé";
    event_voided: "Approvals void", "Approbations annulées";
    event_expired: "Approval not given in time", "Approbation non donnée à temps";
    event_glass: "Glass broken", "Glace brisée";
    event_glass_used: "Deployed past the gates", "Déployé en passant outre les règles";
    event_freeze: "New freeze", "Nouveau gel";
    event_lifted: "Freeze lifted", "Gel levé";
    event_waiver: "Vulnerability waived", "Vulnérabilité dérogée";
    event_budget: "Error budget means something else", "Budget d’erreur : le verdict change";
    event_postmortem: "Post-mortem to write", "Post-mortem à rédiger";
    linked_title: "Asked for your approval", "Votre approbation est demandée";
    linked_closed(why): "Nothing can be decided through this link: {why}.", "Rien ne peut être décidé par ce lien : {why}.";
    linked_open: "Open the deployment", "Ouvrir le déploiement";
}

impl T {
    #[must_use]
    pub const fn event(self, kind: EventKind) -> &'static str {
        match kind {
            EventKind::DeploymentStarted => self.event_started(),
            EventKind::DeploymentSucceeded => self.event_succeeded(),
            EventKind::DeploymentFailed => self.event_failed(),
            EventKind::DeploymentRolledBack => self.event_rolled_back(),
            EventKind::DeploymentNeedsPerson => self.event_needs_person(),
            EventKind::DeploymentBlocked => self.event_blocked(),
            EventKind::DeploymentCancelled => self.event_cancelled(),
            EventKind::ApprovalRequested => self.event_requested(),
            EventKind::ApprovalGiven => self.event_given(),
            EventKind::ApprovalVoided => self.event_voided(),
            EventKind::ApprovalExpired => self.event_expired(),
            EventKind::BreakGlassOpened => self.event_glass(),
            EventKind::BreakGlassUsed => self.event_glass_used(),
            EventKind::FreezeCreated => self.event_freeze(),
            EventKind::FreezeLifted => self.event_lifted(),
            EventKind::WaiverCreated => self.event_waiver(),
            EventKind::BudgetChanged => self.event_budget(),
            EventKind::PostmortemOpened => self.event_postmortem(),
        }
    }

    #[must_use]
    pub const fn delivery(self, state: DeliveryState) -> &'static str {
        match state {
            DeliveryState::Waiting => self.delivery_waiting(),
            DeliveryState::Delivered => self.delivery_delivered(),
            DeliveryState::Failed => self.delivery_failed(),
        }
    }
}
