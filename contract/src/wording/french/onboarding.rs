//! Of golden paths and what is made from them.

super::texts! {
    "goes into {file}, line {line}, where $ and ` would be run" => "va dans {file}, ligne {line}, où $ et ` seraient exécutés";
    "goes into {file}, line {line}, where only letters, digits and . _ / @ : + - may stand" => "va dans {file}, ligne {line}, où seuls des lettres, des chiffres et . _ / @ : + - sont possibles";
    "holds {opener}, which tools that read the files would run; take it out" => "contient {opener}, que les outils qui lisent les fichiers exécuteraient ; retirez-le";
    "is bound to {owner} already" => "est déjà lié à {owner}";
    "is needed" => "est nécessaire";
    "is needed: {name} runs in several" => "est nécessaire : {name} tourne dans plusieurs";
    "is no file of this golden path with these answers" => "n’est pas un fichier de ce parcours type avec ces réponses";
    "is not asked by this golden path; it asks {known}" => "n’est pas demandé par ce parcours type ; il demande {known}";
    "it describes no Component" => "il ne décrit aucun Component";
    "it has a binding in {environment}, which stays as it is" => "il a un lien dans {environment}, qui reste tel quel";
    "makes the path {path}, which cannot be: {message}" => "donne le chemin {path}, qui est impossible : {message}";
    "must be a host name such as shop.example.com" => "doit être un nom d’hôte tel que shop.example.com";
    "must be a text" => "doit être un texte";
    "must be a whole number" => "doit être un nombre entier";
    "must be an address that begins with https:// or http://" => "doit être une adresse qui commence par https:// ou http://";
    "must be at least {min} of {choices}, each once" => "doit comporter au moins {min} valeur(s) parmi {choices}, chacune une fois";
    "must be from {min} to {max}" => "doit être compris entre {min} et {max}";
    "must be given: files are delivered to the repository that is there" => "doit être donné : les fichiers sont livrés dans le dépôt existant";
    "must be on one line" => "doit tenir sur une ligne";
    "must be one of {choices}" => "doit être l’une des valeurs {choices}";
    "must be written like {pattern}" => "doit s’écrire selon {pattern}";
    "not tried yet" => "pas encore essayé";
    "nothing asks whether it is ready, only whether it lives" => "rien ne demande s’il est prêt, seulement s’il vit";
    "nothing of the name {name} runs there" => "rien du nom de {name} n’y tourne";
    "the catalog has it already; the tie to its golden path is kept" => "le catalogue le connaît déjà ; le lien avec son parcours type est enregistré";
    "the catalog knows no system {given}" => "le catalogue ne connaît aucun système {given}";
    "the catalog knows no team {given}" => "le catalogue ne connaît aucune équipe {given}";
    "the documents hold no Component, so there is no service" => "les documents ne contiennent aucun Component, donc aucun service";
    "the image runs as root" => "l’image tourne en root";
    "the service and its files are kept" => "le service et ses fichiers sont enregistrés";
    "there is a service {key} already" => "il y a déjà un service {key}";
    "there is no file to deliver: the service was adopted with its own" => "il n’y a pas de fichier à livrer : le service a été adopté avec les siens";
    "there is no golden path {template}" => "il n’y a pas de parcours type {template}";
    "this golden path cannot compute {name}: {error}" => "ce parcours type ne peut pas calculer {name} : {error}";
    "this golden path has a fault there: {fault}" => "ce parcours type a là un défaut : {fault}";
    "what runs in {environment} is bound to it" => "ce qui tourne dans {environment} lui est lié";
    "your roles do not reach services of {team}" => "vos rôles n’atteignent pas les services de {team}";
    "{count} documents about where it runs were applied" => "documents sur le lieu d’exécution appliqués : {count}";
    "{count} objectives are measured" => "objectifs mesurés : {count}";
    "{image} has no digest: it is another image tomorrow" => "{image} n’a pas d’empreinte : demain ce sera une autre image";
}
