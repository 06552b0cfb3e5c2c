//! Texts of the pages of error budgets, and the words for verdicts, states and causes.

use super::{Locale, T, messages};
use passerelle_contract::deployments::Exemption;
use passerelle_contract::slo::{BudgetVerdict, SloCause, SloState};

messages! {
    slos_title: "Error budgets", "Budgets d’erreur";
    slos_none_sub: "How much each service may still fail, and what that means for deployments.", "Ce que chaque service peut encore se permettre d’échecs, et ce que cela change pour les déploiements.";
    slos_empty_title: "No objective yet", "Aucun objectif pour l’instant";
    slos_empty_text: "Import a file of objectives, or write one. Measuring begins within 15 seconds, with the whole period of history.", "Importez un fichier d’objectifs ou écrivez-en un. La mesure commence en 15 secondes, avec l’historique de toute la période.";
    slos_no_match: "No objective fits these filters.", "Aucun objectif ne correspond à ces filtres.";
    n_slos[n]: "{n} objective" | "{n} objectives", "{n} objectif" | "{n} objectifs";
    n_spent[n]: "{n} exhausted or blocking" | "{n} exhausted or blocking", "{n} épuisé ou bloquant" | "{n} épuisés ou bloquants";
    n_low[n]: "{n} low" | "{n} low", "{n} bas" | "{n} bas";
    n_unmeasured[n]: "{n} not measured yet" | "{n} not measured yet", "{n} pas encore mesuré" | "{n} pas encore mesurés";
    slo_import: "Import a file", "Importer un fichier";
    slo_new: "New objective", "Nouvel objectif";
    slo_rules: "Prometheus rules", "Règles Prometheus";
    slo_policies: "Thresholds", "Seuils";
    slo_verdict: "For deployments", "Pour les déploiements";
    col_slo: "Objective", "Objectif";
    col_budget_left: "Budget left", "Budget restant";
    col_target: "Target", "Cible";
    col_burn_1h: "Burn 1 h", "Conso. 1 h";
    col_burn_6h: "6 h", "6 h";
    col_burn_3d: "3 d", "3 j";
    col_measured: "Data", "Données";
    slo_all_environments: "all environments", "tous les environnements";
    slo_left(percent): "{percent} left", "reste {percent}";
    slo_gone(percent): "exhausted, {percent}", "épuisé, {percent}";
    slo_unmeasured: "not measured yet", "pas encore mesuré";
    slo_spark(first, last): "Budget left over the period, from {first} to {last}", "Budget restant sur la période, de {first} à {last}";
    slo_simulated: "simulated source", "source simulée";
    slo_simulated_why: "The figures are measured by the real code, from a simulated Prometheus on this machine.", "Les chiffres sont mesurés par le vrai code, auprès d’un Prometheus simulé sur cette machine.";
    slo_budget: "Budget", "Budget";
    slo_num_left: "left", "restant";
    slo_num_burn: "burn, last hour", "consommation, dernière heure";
    slo_num_of(budget): "of {budget} bad events used", "événements en échec utilisés sur {budget}";
    slo_num_of_slices(budget): "of {budget} bad slices used", "tranches en échec utilisées sur {budget}";
    slo_sum_events(total, bad, allowed, target): "{total} events were counted, {bad} of them bad. {target} allows {allowed} bad ones.", "{total} événements comptés, dont {bad} en échec. {target} en autorise {allowed}.";
    slo_sum_slices(total, bad, allowed, target): "{total} slices of time were judged, {bad} of them bad. {target} allows {allowed} bad ones.", "{total} tranches de temps jugées, dont {bad} en échec. {target} en autorise {allowed}.";
    slo_sum_short(bad, allowed): "{bad} bad of {allowed} allowed", "{bad} en échec sur {allowed} autorisés";
    slo_sum_left(left, share, exact): "{left} are left: {share} (exactly {exact}).", "Il en reste {left} : {share} (exactement {exact}).";
    slo_sum_over(over, share, exact): "That is {over} too many: {share} (exactly {exact}).", "C’est {over} de trop : {share} (exactement {exact}).";
    slo_sum_time(time): "For events that come evenly, the whole budget is {time} of total outage.", "Pour des événements réguliers, le budget entier vaut {time} de panne totale.";
    slo_down: "Budget over the period", "Budget sur la période";
    slo_down_desc(from, to, first, last, marks): "The share of the budget that was left, from {from} to {to}: it went from {first} to {last}. {marks} deployments are marked.", "La part du budget restante, du {from} au {to} : elle passe de {first} à {last}. {marks} déploiements y sont marqués.";
    slo_rate: "Burn rate, hour by hour", "Vitesse de consommation, heure par heure";
    slo_rate_desc(highest): "How many times faster than evenly the budget was spent in each hour, on a logarithmic scale; at most {highest}. Dashed: the thresholds of the alerts.", "Combien de fois plus vite qu’à un rythme régulier le budget a été dépensé chaque heure, en échelle logarithmique ; au plus {highest}. En tirets : les seuils des alertes.";
    slo_table: "The same as a table", "Les mêmes données en tableau";
    slo_table_day: "Day", "Jour";
    slo_table_left: "Left at its end", "Restant à la fin";
    slo_table_bad: "Bad", "En échec";
    slo_table_total: "All", "Total";
    slo_table_worst: "Highest burn in an hour", "Consommation max. en une heure";
    slo_marks: "Deployments in the period", "Déploiements de la période";
    slo_mark(version, environment, state, at): "{version} to {environment}: {state}, {at}", "{version} en {environment} : {state}, {at}";
    slo_legend_deploy: "deployment", "déploiement";
    slo_legend_failed: "failed or gone back", "échoué ou revenu en arrière";
    slo_legend_threshold: "threshold", "seuil";
    slo_legend_correction: "taken out by a correction", "retiré par une correction";
    slo_no_history: "Nothing was measured yet. The first pass reads the whole period; come back in a minute.", "Rien n’a encore été mesuré. Le premier passage lit toute la période ; revenez dans une minute.";
    slo_alerts: "Alert windows", "Fenêtres d’alerte";
    slo_alert_severity: "Severity", "Gravité";
    slo_alert_windows: "Windows", "Fenêtres";
    slo_alert_factor: "Fires above", "Au-dessus de";
    slo_alert_long: "Long", "Longue";
    slo_alert_short: "Short", "Courte";
    slo_alert_state: "Now", "Maintenant";
    slo_alert_firing: "firing", "déclenchée";
    slo_alert_quiet: "quiet", "calme";
    slo_alert_never: "cannot fire", "ne peut pas se déclencher";
    slo_alert_never_why: "Even a total outage does not burn so fast.", "Même une panne totale ne consomme pas si vite.";
    slo_alert_page: "page", "astreinte";
    slo_alert_ticket: "ticket", "ticket";
    slo_means: "What it means for deployments", "Ce que cela change pour les déploiements";
    slo_means_nowhere: "The service is bound to no environment that this objective counts for, so it stops nothing.", "Le service n’est rattaché à aucun environnement où cet objectif compte : il n’arrête donc rien.";
    slo_not_asked: "not asked there", "non demandé";
    slo_rollback_free: "A roll back is never stopped by a budget.", "Un retour arrière n’est jamais arrêté par un budget.";
    slo_blocked: "Deployments it stopped", "Déploiements arrêtés";
    slo_blocked_none: "No deployment was stopped by it lately.", "Il n’a arrêté aucun déploiement récemment.";
    slo_forecast: "Forecast", "Prévision";
    slo_exhausts: "Exhausted, at the present rate", "Épuisé, au rythme actuel";
    slo_exhausts_relief: "The same, with what leaves the window", "De même, avec ce qui sort de la fenêtre";
    slo_frees: "Free again, at the present rate", "Libre de nouveau, au rythme actuel";
    slo_projected: "At the end of the period", "À la fin de la période";
    slo_never: "not in sight", "pas en vue";
    slo_already: "it is already", "il l’est déjà";
    slo_in(age, moment): "in {age} ({moment})", "dans {age} ({moment})";
    slo_facts: "About it", "À propos";
    slo_source: "Source", "Source";
    slo_connection: "Read from", "Lu depuis";
    slo_period: "Period", "Période";
    slo_coverage: "Coverage of the period", "Couverture de la période";
    slo_age: "Newest data", "Dernières données";
    slo_drift: "Differs from the source’s own count by", "Écart avec le décompte de la source";
    slo_source_error(why): "The last reading failed: {why}", "La dernière lecture a échoué : {why}";
    slo_download: "Download the file", "Télécharger le fichier";
    slo_format_openslo: "OpenSLO v1", "OpenSLO v1";
    slo_format_five: "five-line format", "format en cinq lignes";
    slo_chip(title, left): "Budget of {title}: {left}", "Budget de {title} : {left}";
    slo_around: "Budgets before and after", "Budgets avant et après";
    slo_around_before: "Before it", "Avant";
    slo_around_after: "After it", "Après";
    slo_around_change: "Change", "Écart";
    slo_around_note: "After it: now, or an hour after its end. Others spend too; the chart of the objective shows when.", "Après : maintenant, ou une heure après sa fin. D’autres dépensent aussi ; le graphique de l’objectif montre quand.";
    exempt_label: "Kind of change", "Type de changement";
    exempt_hint: "An error budget only warns of a fix. The class and the reason stand with the deployment and in the audit.", "Un budget d’erreur n’arrête pas un correctif, il avertit. La classe et le motif restent avec le déploiement et dans l’audit.";
    exempt_none: "An ordinary change", "Un changement ordinaire";
    exempt_security: "Security fix", "Correctif de sécurité";
    exempt_p0: "P0 fix: it ends an outage", "Correctif P0 : il met fin à une panne";
    tab_slos: "Error budgets", "Budgets d’erreur";
    slos_of_none: "This service has no objective yet.", "Ce service n’a pas encore d’objectif.";
    verdict_ok: "passes", "passe";
    verdict_needs_approval: "needs an approval", "demande un accord";
    data_ok: "measured", "mesuré";
    data_no_traffic: "no traffic", "sans trafic";
    data_partial: "partial", "partiel";
    data_none: "no data", "sans données";
    why_left: "enough budget is left", "il reste assez de budget";
    why_low: "little budget is left", "il reste peu de budget";
    why_exhausted: "the budget is exhausted", "le budget est épuisé";
    why_no_traffic: "there was no traffic", "il n’y a pas eu de trafic";
    why_no_data: "there is no data", "il n’y a pas de données";
    why_stale: "the data is older than 5 minutes", "les données ont plus de 5 minutes";
    why_partial: "data is missing in the period", "des données manquent sur la période";
}

impl T {
    /// What a budget says of a deployment.
    #[must_use]
    pub const fn budget_verdict(self, verdict: BudgetVerdict) -> &'static str {
        match verdict {
            BudgetVerdict::Ok => self.verdict_ok(),
            BudgetVerdict::Warn => self.verdict_warn(),
            BudgetVerdict::Approval => self.verdict_needs_approval(),
            BudgetVerdict::Block => self.verdict_block(),
        }
    }

    #[must_use]
    pub const fn slo_state(self, state: SloState) -> &'static str {
        match state {
            SloState::Ok => self.data_ok(),
            SloState::NoTraffic => self.data_no_traffic(),
            SloState::Partial => self.data_partial(),
            SloState::NoData => self.data_none(),
        }
    }

    #[must_use]
    pub const fn slo_cause(self, cause: SloCause) -> &'static str {
        match cause {
            SloCause::BudgetLeft => self.why_left(),
            SloCause::BudgetLow => self.why_low(),
            SloCause::BudgetExhausted => self.why_exhausted(),
            SloCause::NoTraffic => self.why_no_traffic(),
            SloCause::NoData => self.why_no_data(),
            SloCause::Stale => self.why_stale(),
            SloCause::Partial => self.why_partial(),
        }
    }

    #[must_use]
    pub const fn exemption(self, class: Exemption) -> &'static str {
        match class {
            Exemption::SecurityFix => self.exempt_security(),
            Exemption::P0Fix => self.exempt_p0(),
        }
    }

    /// `72.0 % left`, or `exhausted, −12.0 %`.
    #[must_use]
    pub fn budget_left(self, share: f64) -> String {
        let percent = self.percent(share, 1);
        if share > 0.0 { self.slo_left(percent) } else { self.slo_gone(percent) }
    }

    /// A count for people: no parts of an event where there are hundreds.
    #[must_use]
    pub fn events(self, count: f64) -> String {
        if count.abs() >= 100.0 { self.decimal(count, 0) } else { self.amount(count) }
    }

    /// Exact digits as the language writes them.
    #[must_use]
    pub fn digits(self, exact: &str) -> String {
        match self.0 {
            Locale::En => exact.to_owned(),
            Locale::Fr => exact.replace('.', ","),
        }
    }
}
