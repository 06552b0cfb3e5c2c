//! Texts of what runs at this moment.

use super::messages;

messages! {
    tab_live: "Live", "En direct";
    live_incomplete(why): "The target did not answer: {why}", "La cible n’a pas répondu : {why}";
    live_autoscaler: "Autoscaler", "Autoscaler";
    live_scaler(name, min, max, current, desired): "{name}: {min} to {max} instances, {current} now, {desired} wanted", "{name} : de {min} à {max} instances, {current} en ce moment, {desired} voulues";
    live_routes: "Addresses", "Adresses";
    live_host: "Address", "Adresse";
    live_class: "Class", "Classe";
    live_address: "Served by", "Servie par";
    live_no_address: "no controller serves it", "aucun contrôleur ne la sert";
    live_certificates: "Certificates", "Certificats";
    live_certificate: "Certificate", "Certificat";
    live_expires: "Ends", "Fin";
    live_expired: "expired", "expiré";
    live_expires_soon: "ends soon", "se termine bientôt";
    live_not_ready: "not ready", "pas prêt";
    live_valid: "valid", "valide";
    live_quotas: "Quotas", "Quotas";
    live_quota: "Quota", "Quota";
    live_resource: "Resource", "Ressource";
    live_used_title: "Used", "Utilisé";
    live_used(used, hard): "{used} of {hard}", "{used} sur {hard}";
    live_events: "Events of the cluster", "Événements du cluster";
    live_event: "Event", "Événement";
    live_drift: "Differs from what was deployed", "Diffère de ce qui a été déployé";
    live_drift_by(field, by): "{field}, by {by}", "{field}, par {by}";
    live_field: "Field", "Champ";
    live_deployed: "Deployed", "Déployé";
    live_runs: "Runs", "Tourne";
    live_by: "By", "Par";
    live_unknown_writer: "unknown", "inconnu";
}
