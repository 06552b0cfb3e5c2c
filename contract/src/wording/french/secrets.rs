//! Of secrets at rest, and of where they may be.

super::texts! {
    "Vault answered {status}" => "Vault a répondu {status}";
    "Vault does not accept the token of the setting vault.token: it may have ended" => "Vault n’accepte pas le jeton du réglage vault.token : il a peut-être pris fin";
    "Vault does not let the portal read {path} (right: read on {place})" => "Vault ne laisse pas le portail lire {path} (droit : read sur {place})";
    "Vault does not let the portal sign in as the role {role} at {place}" => "Vault ne laisse pas le portail se connecter avec le rôle {role} à {place}";
    "Vault gave no token" => "Vault n’a pas donné de jeton";
    "Vault is sealed, or not ready" => "Vault est scellé, ou pas prêt";
    "another rotation of the sealing keys is under way" => "une autre rotation des clés de chiffrement est en cours";
    "authorization holds characters that no header can" => "authorization contient des caractères qu’aucun en-tête ne peut porter";
    "authorization: {why}" => "authorization : {why}";
    "does not open with the key of this installation; give the secret again" => "ne s’ouvre pas avec la clé de cette installation ; redonnez le secret";
    "must be PATH#FIELD, with letters, digits, - _ . and / in the path" => "doit être CHEMIN#CHAMP, avec des lettres, des chiffres, - _ . et / dans le chemin";
    "must lie below {folder}/ in Vault (setting {setting})" => "doit se trouver sous {folder}/ dans Vault (réglage {setting})";
    "names a file that may not be read; allowed is what lies below {allowed} (setting {setting})" => "nomme un fichier qui ne peut pas être lu ; est permis ce qui se trouve sous {allowed} (réglage {setting})";
    "names a file, and the setting {setting} allows none" => "nomme un fichier, et le réglage {setting} n’en permet aucun";
    "names a secret in Vault, and the setting {setting} names none" => "nomme un secret dans Vault, et le réglage {setting} n’en nomme aucun";
    "names a variable that may not be read; allowed is {allowed} (setting {setting})" => "nomme une variable qui ne peut pas être lue ; est permis {allowed} (réglage {setting})";
    "names a variable, and the setting {setting} allows none" => "nomme une variable, et le réglage {setting} n’en permet aucune";
    "the address of Vault is none" => "l’adresse de Vault n’en est pas une";
    "the newest version of {path} in Vault was deleted" => "la dernière version de {path} dans Vault a été supprimée";
    "the token for Vault is none" => "le jeton pour Vault n’en est pas un";
    "the token for Vault: {why}" => "le jeton pour Vault : {why}";
    "this Vault is a standby that does not answer by itself (status {status})" => "ce Vault est un nœud de réserve qui ne répond pas lui-même (statut {status})";
    "{field} of {path} in Vault is no text" => "{field} de {path} dans Vault n’est pas un texte";
    "{mount} in Vault is no KV engine of version 2" => "{mount} dans Vault n’est pas un moteur KV de version 2";
    "{path} in Vault has no field {field}; it has {known}" => "{path} dans Vault n’a pas de champ {field} ; il a {known}";
    "{path} is not in Vault, in {mount}" => "{path} n’est pas dans Vault, dans {mount}";
}
