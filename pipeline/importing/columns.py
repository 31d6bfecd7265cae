"""Which column of a table is which fact: the names that people give them, in English and French."""

import re
import unicodedata

KEYS = frozenset(
    {
        "id", "uid", "number", "title", "start", "end", "date", "time", "end_date", "end_time", "duration", "all_day",
        "timezone",
        "status", "notice", "kind", "abstract", "speakers", "role", "affiliation", "venue", "street", "postal_code",
        "city", "country", "online", "registration", "resources", "recordings", "tags", "spoken", "price",
    }
)  # fmt: skip
"""What a column can hold; texts with a language too, as in `title.fr`."""

_NAMES = {
    "id": "id|identifiant|slug|code",
    "uid": "uid|guid",
    "number": "number|no|n|numero|num|#",
    "title": "title|titre|name|nom|event|evenement|intitule|subject|objet|summary|sujet",
    "start": "start|debut|starts|starts at|start at|dtstart|date et heure|date heure|date and time|date time|"
    "date de debut et heure|start datetime|begin",
    "end": "end|fin|ends|ends at|end at|dtend|end datetime",
    "date": "date|day|jour|start date|date de debut|date debut|le",
    "time": "time|heure|hour|horaire|horaires|start time|heure de debut|heure debut|hours|heures",
    "end_date": "end date|date de fin|date fin",
    "end_time": "end time|heure de fin|heure fin",
    "duration": "duration|duree|length",
    "all_day": "all day|all day event|journee entiere|toute la journee",
    "timezone": "timezone|time zone|fuseau|fuseau horaire",
    "status": "status|statut|etat",
    "notice": "notice|avis",
    "kind": "kind|type|format|genre",
    "abstract": "abstract|description|resume|texte|text|details|presentation|content|contenu",
    "speakers": "speaker|speakers|speaker s|"
    "intervenant|intervenants|intervenante|intervenantes|intervenant e s|intervenant e|"
    "orateur|orateurs|oratrice|invite|invites|guest|guests|presenter|presenters|avec",
    "role": "role|fonction|job title",
    "affiliation": "affiliation|organisation|organization|institution",
    "venue": "venue|place|location|lieu|room|salle|where|endroit",
    "street": "street|address|adresse|rue",
    "postal_code": "postal code|postcode|zip|zip code|code postal|cp",
    "city": "city|town|ville|commune",
    "country": "country|pays",
    "online": "online|en ligne|visio|visioconference|stream|live|lien visio|zoom",
    "registration": "registration|register|inscription|inscriptions|tickets|billetterie|booking|reservation|"
    "lien d inscription|registration link|registration url|lien inscription",
    "resources": "resources|ressources|url|link|lien|links|liens|web|website|site",
    "recordings": "recording|recordings|enregistrement|enregistrements|video|replay|captation",
    "tags": "tags|tag|categories|category|categorie|keywords|mots cles|themes|theme",
    "spoken": "spoken|language|langue|langues|languages",
    "price": "price|prix|tarif|tarifs|cost|fee",
}
_OF_THE_EVENT = re.compile(r"^event (?=.)| (?:de l evenement|of the event)(?= |$)")
"""What goes without saying: `Event date`, `Titre de l'événement`."""
_BY_NAME = {name: key for key, names in _NAMES.items() for name in names.split("|")}
_LANGUAGE = re.compile(r"(?P<name>.+?) (?P<language>en|fr|de|es|it|nl|pt)")


def key_of(column: str) -> str:
    """The key of a column by its name; empty where it isn't recognised. `Titre (fr)` is `title.fr`."""
    if column.strip().partition(".")[0] in KEYS:
        return column.strip()
    name = _OF_THE_EVENT.sub("", _simplified(column))
    if (key := _BY_NAME.get(name)) is not None:
        return key
    if (match := _LANGUAGE.fullmatch(name)) is not None:
        key = _BY_NAME.get(match["name"], "")
        return f"{key}.{match['language']}" if key in {"title", "abstract", "kind", "price", "notice"} else ""
    return ""


def _simplified(column: str) -> str:
    plain = unicodedata.normalize("NFKD", column.replace("’", " ")).encode("ascii", "ignore").decode().casefold()
    return " ".join(re.sub(r"[^a-z0-9#]+", " ", plain).split())
