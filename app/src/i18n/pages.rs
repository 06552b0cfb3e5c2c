//! Texts of the pages for signing in, of the matrix and of the catalog that no other table has.

use super::messages;

messages! {
    sign_in_limited(seconds): "Too many tries. Wait {seconds} seconds.", "Trop d’essais. Attendez {seconds} secondes.";
    sign_in_first: "Nobody can sign in yet: open the set-up link that the server printed when it started, or print a new one with passerelle admin setup-token.", "Personne ne peut encore se connecter : ouvrez le lien de mise en place affiché au démarrage du serveur, ou affichez-en un nouveau avec passerelle admin setup-token.";
    set_up_submit: "Make the administrator", "Créer l’administrateur";
    matrix_deploy_label(service, environment): "Deploy {service} to {environment}", "Déployer {service} en {environment}";
    matrix_promote_label(version, service, environment): "Promote {version} of {service} to {environment}", "Promouvoir {version} de {service} en {environment}";
    matrix_simulated: "Every platform on this page is a simulator on this machine.", "Toutes les plateformes de cette page sont des simulateurs sur cette machine.";
    matrix_roll_back_label(service, environment): "Roll back {service} in {environment}", "Revenir en arrière sur {service} en {environment}";
    matrix_bind_label(service, environment): "Bind {service} to {environment}", "Rattacher {service} à {environment}";
    facets_label: "Narrow the list", "Restreindre la liste";
    service_no_owner: "no owner", "sans propriétaire";
    graph_depth(depth): "Steps: {depth}", "Pas : {depth}";
    entity_unknown: "not in the catalog", "pas dans le catalogue";
    relations_none: "It has no relation.", "Il n’a aucune relation.";
    audit_none: "Nothing was done here yet.", "Rien n’a encore été fait ici.";
    see_all: "See all", "Tout voir";
    seen_at(age): "Seen {age}.", "Vu {age}.";
}
