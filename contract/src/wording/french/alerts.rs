//! Of alerts.

super::texts! {
    "has a name of more than {name} or a value of more than {value} bytes" => "a un nom de plus de {name} octets ou une valeur de plus de {value} octets";
    "must be 1 to {max} characters 0-9 and a-f" => "doit comporter de 1 à {max} caractères 0-9 et a-f";
    "must be 4, the version of the message of a webhook" => "doit valoir 4, la version du message d’un webhook";
    "must be given: it is the name of the alert" => "doit être indiqué : c’est le nom de l’alerte";
    "must be {max} at most" => "doit être au plus {max}";
    "must not be before startsAt" => "ne doit pas être avant startsAt";
    "must not be in the future" => "ne doit pas être dans le futur";
}
