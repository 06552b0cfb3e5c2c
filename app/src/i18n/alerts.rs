//! Texts of alerts.

use super::{T, messages};
use passerelle_contract::alerts::AlertState;

messages! {
    nav_alerts: "Alerts", "Alertes";
    alerts_sub: "What the Alertmanagers of this portal’s connections told, the newest first.", "Ce que les Alertmanagers des connexions ont signalé, du plus récent au plus ancien.";
    alerts_empty: "No alert", "Aucune alerte";
    alerts_of_none: "No alert was told for this service.", "Aucune alerte n’a été signalée pour ce service.";
    alerts_empty_text: "An Alertmanager tells of them by its webhook, with an API token; the description of the API has the address.", "Un Alertmanager les signale par son webhook, avec un jeton d’API ; la description de l’API en donne l’adresse.";
    alert_firing: "firing", "en cours";
    alert_resolved: "resolved", "résolue";
    alert_silent: "not repeated since", "non répétée depuis";
    alert_source: "in Prometheus", "dans Prometheus";
    alert_runbook: "runbook", "procédure";
    alert_no_service: "no service of the catalog", "aucun service du catalogue";
    alert_mark(name, at, state): "{name} since {at}: {state}", "{name} depuis {at} : {state}";
    alert_legend: "alert", "alerte";
    alerts_in_period: "Alerts in the period", "Alertes de la période";
    col_alert: "Alert", "Alerte";
    col_since: "Since", "Depuis";
    tab_alerts: "Alerts", "Alertes";
}

impl T {
    #[must_use]
    pub const fn alert_state(self, state: AlertState) -> &'static str {
        match state {
            AlertState::Firing => self.alert_firing(),
            AlertState::Resolved => self.alert_resolved(),
        }
    }
}
