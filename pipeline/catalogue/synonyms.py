"""The words that organisers type for our keys, in French or out of habit, where spelling alone doesn't tell."""

import unicodedata

_MEANT = {
    "title": "titre nom intitule summary name label",
    "date": "jour day quand when",
    "time": "heure horaire debut start start_time hour",
    "end_time": "fin end heure_fin heure_de_fin",
    "end_date": "date_fin date_de_fin",
    "duration": "duree length",
    "venue": "lieu salle endroit place location where room",
    "weekday": "jour_semaine jour_de_la_semaine",
    "speakers": "intervenants intervenantes intervenant invites orateurs conferenciers guests speaker",
    "abstract": "resume description texte presentation text about",
    "status": "statut etat state",
    "price": "prix tarif cout cost fee",
    "registration": "inscription inscriptions reservation tickets booking signup",
    "online": "en_ligne visio link lien url",
    "tags": "etiquettes categories mots_cles keywords",
    "number": "numero no",
    "notice": "avis motif raison reason message",
    "name": "nom",
    "role": "fonction metier job",
    "street": "rue adresse address",
    "postal_code": "code_postal cp zip",
    "city": "ville town",
    "country": "pays",
    "organiser": "organisateur organisatrice organizer host",
    "timezone": "fuseau fuseau_horaire zone",
    "languages": "langues langue language",
    "default_language": "langue_par_defaut",
    "spoken": "langue_parlee langues_parlees",
    "recordings": "enregistrements enregistrement video videos recording replay",
    "resources": "ressources liens links documents",
    "url": "lien adresse site web link href",
    "event": "evenement evenements events rencontre rencontres seance seances soiree",
    "series": "serie cycle",
    "cancelled": "annule annulee canceled",
    "postponed": "reporte reportee",
    "confirmed": "confirme confirmee",
    "tentative": "provisoire a_confirmer",
}


def meant_by(word: str, known: frozenset[str] | set[str] | None = None) -> str | None:
    """The word of ours that is meant, of those that are known there (None: of all)."""
    letters = unicodedata.normalize("NFKD", word.casefold()).encode("ascii", "ignore").decode()
    folded = letters.strip().replace(" ", "_").replace("-", "_")
    return next(
        (ours for ours, words in _MEANT.items() if folded in words.split() and (known is None or ours in known)), None
    )
