//! Of webhooks that tell of builds, and of what lies between releases.

super::texts! {
    "events of this kind make no release" => "les événements de ce type ne font pas de version";
    "it is not about something that was built well" => "il ne s’agit pas de quelque chose qui a été construit avec succès";
    "it names no tag" => "il ne nomme pas d’étiquette";
    "it only asks whether somebody is there" => "il demande seulement s’il y a quelqu’un";
    "its images are named by commits, and the event names none" => "ses images sont nommées d’après les commits, et l’événement n’en nomme pas";
    "its images are named by tags, and the event names none" => "ses images sont nommées d’après les étiquettes, et l’événement n’en nomme pas";
    "must be a commit or a tag" => "doit être un commit ou une étiquette";
    "must be the https address of a repository" => "doit être l’adresse https d’un dépôt";
    "must name the delivery in 1 to {max} characters" => "doit nommer la livraison en 1 à {max} caractères";
    "no service of the portal comes out of {repository}" => "aucun service du portail ne provient de {repository}";
    "the body is not JSON: {error}" => "le corps n’est pas du JSON : {error}";
    "the image has no tag" => "l’image n’a pas d’étiquette";
    "the image is not the one of {service}" => "l’image n’est pas celle de {service}";
    "the pipeline has deployed; what it deployed is a release already" => "le pipeline a déployé ; ce qu’il a déployé est déjà une version";
    "the run is not of the workflow that builds {service}" => "l’exécution n’est pas du workflow qui construit {service}";
    "{service} is built on {wanted}, and the run is of {branch}" => "{service} se construit sur {wanted}, et l’exécution est de {branch}";
}
