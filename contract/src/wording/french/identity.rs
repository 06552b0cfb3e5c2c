//! Of people, tokens and the audit.

super::texts! {
    "a service user has no password" => "un utilisateur de service n’a pas de mot de passe";
    "at the provider you are somebody who has a user of their own here" => "chez le fournisseur, vous êtes une personne qui a déjà son propre utilisateur ici";
    "does not fit" => "ne correspond pas";
    "holds a hash that is none" => "contient une empreinte qui n’en est pas une";
    "holds no row, so there is nothing to verify" => "ne contient aucune ligne, il n’y a donc rien à vérifier";
    "is disabled" => "est désactivé";
    "is more than you may do yourself, or holds further; ask for a lower role or a narrower scope" => "dépasse vos propres droits, ou s’étend plus loin ; demandez un rôle moindre ou une portée plus étroite";
    "is not a UUID" => "n’est pas un UUID";
    "is not an exported row: {error}" => "n’est pas une ligne exportée : {error}";
    "is taken by another user" => "est déjà pris par un autre utilisateur";
    "must be 1 to 63 characters a-z, 0-9, '.', '_' and '-', starting with a letter or a digit" => "doit comporter de 1 à 63 caractères a-z, 0-9, « . », « _ » et « - », en commençant par une lettre ou un chiffre";
    "must be development, staging or production" => "doit valoir development, staging ou production";
    "must be everything, team:namespace/name, system:namespace/name or tier:name" => "doit être everything, team:espace/nom, system:espace/nom ou tier:nom";
    "must be {min_chars} to {max_chars} characters long, and has {count}" => "doit comporter de {min_chars} à {max_chars} caractères, et en comporte {count}";
    "must not be the user name" => "ne doit pas être le nom d’utilisateur";
    "only somebody who is signed in can show again who they are" => "seule une personne connectée peut montrer de nouveau qui elle est";
    "role binding {id}" => "l’attribution de rôle {id}";
    "role binding {key}" => "l’attribution de rôle {key}";
    "says where a role holds; name the role too" => "dit où vaut un rôle ; nommez aussi le rôle";
    "session {id}" => "la session {id}";
    "sign-in provider {id}" => "le fournisseur de connexion {id}";
    "the portal is set up already; an administrator can add people" => "le portail est déjà installé ; un administrateur peut ajouter des personnes";
    "the portal itself has no tokens" => "le portail lui-même n’a pas de jetons";
    "there is no user {name}" => "il n’y a pas d’utilisateur {name}";
    "this link was used or is older than 30 minutes; print a new one with `passerelle admin setup-token`" => "ce lien a déjà servi ou date de plus de 30 minutes ; obtenez-en un nouveau avec « passerelle admin setup-token »";
    "this role comes from the group {group} at {provider}; take the person out of the group, or the group out of the configuration" => "ce rôle vient du groupe {group} chez {provider} ; retirez la personne du groupe, ou le groupe de la configuration";
    "token {id}" => "le jeton {id}";
    "user {name}" => "l’utilisateur {name}";
    "you have none here: confirm who you are at your provider" => "vous n’en avez pas ici : confirmez qui vous êtes chez votre fournisseur";
    "{name} has no such role" => "{name} n’a pas ce rôle";
    "{name} is disabled" => "{name} est désactivé";
    "{name} is the last administrator; make another one first" => "{name} est le dernier administrateur ; nommez-en d’abord un autre";
}
