//! Texts of environments, connections and bindings.

use super::messages;

messages! {
    environments_title: "Environments", "Environnements";
    environments_sub: "The stages a version goes through, in order. The tier decides how much care an act asks for.", "Les étapes que traverse une version, dans l’ordre. Le niveau décide du soin qu’un acte demande.";
    environments_empty_title: "No environment yet", "Aucun environnement pour l’instant";
    environments_empty_text: "Make the first one, for example staging, then connect a platform and bind services to it.", "Créez le premier, par exemple staging, puis connectez une plateforme et rattachez-y des services.";
    environment_new: "New environment", "Nouvel environnement";
    environment_edit(name): "Edit {name}", "Modifier {name}";
    field_name: "Name", "Nom";
    field_name_hint: "1 to 40 characters: a-z, 0-9 and -, starting with a letter.", "De 1 à 40 caractères : a-z, 0-9 et -, en commençant par une lettre.";
    field_tier: "Tier", "Niveau";
    field_order: "Order", "Ordre";
    field_order_hint: "Position in the row of environments, from 1.", "Position dans la rangée, à partir de 1.";
    field_auto_rollback: "A failed rollout goes back by itself", "Une mise en place échouée revient d’elle-même";
    field_deadline: "Progress deadline, seconds", "Délai de progression, en secondes";
    field_deadline_hint: "10 to 3,600. After that a rollout that is not complete has failed.", "De 10 à 3 600. Au-delà, une mise en place incomplète a échoué.";
    col_order: "Order", "Ordre";
    col_tier: "Tier", "Niveau";
    col_auto: "Goes back by itself", "Revient d’elle-même";
    col_deadline: "Deadline", "Délai";
    col_bindings: "Bindings", "Rattachements";
    connections_title: "Connections", "Connexions";
    connections_sub: "Where deployments go: a cluster, an engine. Secrets are kept encrypted or by reference and are never shown.", "Là où vont les déploiements : une grappe, un moteur. Les secrets sont chiffrés ou référencés et ne sont jamais montrés.";
    connections_empty_title: "No connection yet", "Aucune connexion pour l’instant";
    connections_empty_text: "Connect a Kubernetes cluster or a Docker Swarm; then services can be bound to it.", "Connectez une grappe Kubernetes ou un Docker Swarm ; on peut ensuite y rattacher des services.";
    connection_new: "New connection", "Nouvelle connexion";
    connection_check: "Check", "Tester";
    connection_ok(name, message, ms): "{name} answers: {message} ({ms} ms)", "{name} répond : {message} ({ms} ms)";
    connection_bad(name, message): "{name} does not answer: {message}", "{name} ne répond pas : {message}";
    choose_kind: "Kind of platform", "Type de plateforme";
    col_name: "Name", "Nom";
    col_kind: "Kind", "Type";
    col_config: "Configuration", "Configuration";
    col_connection: "Connection", "Connexion";
    bindings_title: "Bindings", "Rattachements";
    bindings_sub: "A binding says where a service runs in an environment.", "Un rattachement dit où un service tourne dans un environnement.";
    bindings_empty_title: "No binding yet", "Aucun rattachement pour l’instant";
    bindings_empty_text: "Bind a service to an environment to see what runs and to deploy it.", "Rattachez un service à un environnement pour voir ce qui tourne et le déployer.";
    binding_new: "New binding", "Nouveau rattachement";
    binding_needs: "A binding needs a service, an environment and a connection; make those first.", "Un rattachement demande un service, un environnement et une connexion ; créez-les d’abord.";
    continue_: "Continue", "Continuer";
    secret_from: "Where the secret comes from", "D’où vient le secret";
    secret_value: "A value, kept encrypted", "Une valeur, gardée chiffrée";
    secret_env: "An environment variable of the portal", "Une variable d’environnement du portail";
    secret_file: "A file on the portal’s machine", "Un fichier sur la machine du portail";
    secret_set: "set", "défini";
    config_json: "As JSON", "En JSON";
    config_bad_json(why): "This is not JSON: {why}", "Ce n’est pas du JSON : {why}";
    flash_created(name): "{name} was created.", "{name} a été créé.";
    flash_saved(name): "{name} was saved.", "{name} a été enregistré.";
    not_a_number: "Give a whole number.", "Donnez un nombre entier.";
}
