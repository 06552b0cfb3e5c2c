//! Of gates.

super::texts! {
    "BYHOUR, BYMINUTE and BYSECOND are not allowed: starts_at says the time of day" => "BYHOUR, BYMINUTE et BYSECOND ne sont pas autorisés : starts_at donne l’heure";
    "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY" => "FREQ doit valoir DAILY, WEEKLY, MONTHLY ou YEARLY";
    "UNTIL must have a time, such as UNTIL=20261231T225959Z" => "UNTIL doit comporter une heure, comme UNTIL=20261231T225959Z";
    "a recurring window without an end" => "une fenêtre récurrente sans fin";
    "a window of a freeze that recurs lasts at most 31 days" => "la fenêtre d’un gel récurrent dure au plus 31 jours";
    "has more than {max} findings" => "contient plus de {max} constats";
    "has {bad} HIGH and CRITICAL vulnerabilities; at most {max} are read" => "contient {bad} vulnérabilités HIGH et CRITICAL ; {max} au plus sont lues";
    "is about another artifact than this release, whose digest is {digest}" => "porte sur un autre artefact que cette version, dont le condensat est {digest}";
    "is missing: the run found no result at all" => "manque : l’analyse n’a donné aucun résultat";
    "is no environment" => "n’est pas un environnement";
    "is not JSON: {error}" => "n’est pas du JSON : {error}";
    "its scope changed in this moment; try again" => "sa portée vient de changer ; réessayez";
    "more than {max} occurrences since it began" => "plus de {max} occurrences depuis le début";
    "must be a Trivy JSON report (with SchemaVersion and Results) or SARIF 2.1.0 (with runs)" => "doit être un rapport JSON de Trivy (avec SchemaVersion et Results) ou du SARIF 2.1.0 (avec runs)";
    "must be a time that the recurrence names; it names none" => "doit être un moment de la récurrence ; elle n’en désigne aucun";
    "must be a time that the recurrence names; its first one from there is {first}" => "doit être un moment de la récurrence ; le premier à partir de là est {first}";
    "must be after starts_at" => "doit être après starts_at";
    "must be an IANA time zone such as Europe/Paris" => "doit être un fuseau horaire IANA tel que Europe/Paris";
    "must be an identifier such as CVE-2024-3094" => "doit être un identifiant tel que CVE-2024-3094";
    "must be given for a freeze that recurs" => "doit être indiqué pour un gel récurrent";
    "must be in the future, 90 days from now at most" => "doit être dans le futur, à 90 jours au plus";
    "must be one RFC 5545 rule of at most {max} characters, such as FREQ=WEEKLY;BYDAY=FR" => "doit être une règle RFC 5545 de {max} caractères au plus, telle que FREQ=WEEKLY;BYDAY=FR";
    "must have a run: without one nothing was looked at" => "doit contenir une analyse (run) : sans elle, rien n’a été examiné";
    "the glass is broken already for {place}" => "la glace est déjà brisée pour {place}";
    "this freeze is lifted already" => "ce gel est déjà levé";
    "this freeze is lifted; make a new one" => "ce gel est levé ; créez-en un nouveau";
    "this waiver is revoked already" => "cette dérogation est déjà révoquée";
    "tier {tier} (development, staging, production)" => "le niveau {tier} (development, staging, production)";
    "unknown time zone {zone}" => "fuseau horaire inconnu {zone}";
    "you have said so already; one person counts once" => "vous vous êtes déjà prononcé ; une personne ne compte qu’une fois";
    "{time} is out of range" => "{time} est hors limites";
}
