//! Of environments, connections and bindings.

super::texts! {
    "SLOs are measured through this connection: delete or move them first" => "des SLO sont mesurés par cette connexion : supprimez-les ou déplacez-les d’abord";
    "an address changed; give the secret again, or it could be sent elsewhere" => "une adresse a changé ; redonnez le secret, sinon il pourrait être envoyé ailleurs";
    "another service" => "un autre service";
    "connection {name}" => "la connexion {name}";
    "connection {name} is of kind {kind}, which cannot become {other}" => "la connexion {name} est de type {kind}, qui ne peut pas devenir {other}";
    "environment {name}" => "l’environnement {name}";
    "is not an environment; known are: {names}" => "n’est pas un environnement ; connus : {names}";
    "is {kind}, but connection {name} is of kind {other}" => "vaut {kind}, mais la connexion {name} est de type {other}";
    "it was changed since you read it; read it again and repeat the edit" => "l’objet a été modifié depuis votre lecture ; relisez-le et refaites la modification";
    "its tier changed in this moment; try again" => "son niveau vient de changer ; réessayez";
    "must be an object" => "doit être un objet";
    "must be the ETag of the object as it was read" => "doit être l’ETag de l’objet tel qu’il a été lu";
    "no secret is stored here; give it as value, env or file" => "aucun secret n’est conservé ici ; donnez-le par value, env ou file";
    "services are bound through this connection" => "des services sont rattachés par cette connexion";
    "the binding of this service in this environment" => "le rattachement de ce service dans cet environnement";
    "the binding of {service} in {environment}" => "le rattachement de {service} en {environment}";
    "the connection {name} of the binding" => "la connexion {name} du rattachement";
    "there is no connection {name}" => "il n’y a pas de connexion {name}";
    "there is no service {service}; import it first" => "il n’y a pas de service {service} ; importez-le d’abord";
    "{names} and {more} more" => "{names} et {more} autres";
    "{name} is bound to the same object of this connection already" => "{name} est déjà rattaché au même objet de cette connexion";
    "{services} is bound through connection {name}: delete those bindings first" => "{services} : rattaché par la connexion {name} ; supprimez d’abord ces rattachements";
    "{service} in {environment}" => "{service} en {environment}";
    "{service} in {environment} is not on hold" => "{service} en {environment} n’est pas suspendu";
    "{service} in {environment} is on hold already" => "{service} en {environment} est déjà suspendu";
    "{unknown}, {kind}" => "{unknown}, {kind}";
}
