"""Beginning a series: from six answers to an `events.toml` that explains itself and is valid right away."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pipeline.catalogue.load import Source, load
from pipeline.catalogue.schema import schema
from pipeline.catalogue.texts import proposed_slug
from pipeline.errors import CatalogueError, Problem
from pipeline.files import alone_in, write_whole
from pipeline.language import say_weekday
from pipeline.rendering import shipped_templates

IGNORED = ("/out/", "/var/", "/letters/", "/.env")
"""What git must not keep: what can be made again, people's addresses, secrets."""

SCHEMA = "events.schema.json"


@dataclass(frozen=True, slots=True)
class Answers:
    """What a new series needs to know. `languages`: the default one first; `sender`: empty while nobody writes."""

    title: str = "A series"
    organiser: str = "Somebody"
    url: str = "https://series.example/"
    timezone: str = "UTC"
    languages: Sequence[str] = ("en",)
    sender: str = ""


def refusal(answers: Answers, day: date) -> Problem | None:
    """Why no valid catalogue can be made of these answers, in words that say what to type; None where one can."""
    try:
        load(Source("events.toml", first_catalogue(answers, day)))
    except CatalogueError as error:
        return error.problems[0]
    return None


def refusal_of(key: str, value: object, day: date) -> Problem | None:
    """Why one answer can't be taken, whatever the others are."""
    return refusal(replace(Answers(), **{key: value}), day)  # type: ignore[arg-type]


def start(folder: Path, name: str, answers: Answers, day: date) -> list[str]:
    """Writes the files of a new series and returns their names; CatalogueError where there is a catalogue already.

    `day` is some day to come, for the example of an event.
    """
    text = first_catalogue(answers, day)
    load(Source(name, text))
    with alone_in(folder):
        refuse_to_overwrite(folder, name)
        write_whole(folder / name, text.encode())
        return [name, *_beside(folder)]


def refuse_to_overwrite(folder: Path, name: str) -> None:
    """CatalogueError where there is a catalogue of that name already."""
    if (folder / name).exists():
        raise CatalogueError(
            [Problem(name, 0, "", "there is a catalogue here already", "choose another folder: tocsin init DIR")]
        )


def _beside(folder: Path) -> Iterable[str]:
    described = json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"
    if write_whole(folder / SCHEMA, described.encode()):
        yield SCHEMA
    ignored = folder / ".gitignore"
    before = ignored.read_text(encoding="utf-8", errors="surrogateescape") if ignored.exists() else ""
    missing = [line for line in IGNORED if line not in before.splitlines()]
    if missing:
        gap = "" if not before or before.endswith("\n") else "\n"
        text = before + gap + "".join(f"{line}\n" for line in missing)
        write_whole(ignored, text.encode(errors="surrogateescape"))
        yield ".gitignore"


def copy_templates(folder: Path) -> tuple[list[str], list[str]]:
    """Copies the shipped templates into a folder, to be changed there; names those copied and those left."""
    ours = shipped_templates()
    copied, left = [], []
    for file in sorted(path for path in ours.rglob("*") if path.is_file()):
        name = file.relative_to(ours)
        if (folder / name).exists():
            left.append(str(name))
        else:
            write_whole(folder / name, file.read_bytes())
            copied.append(str(name))
    return copied, left


def zone_of_this_machine(environment: Mapping[str, str]) -> str:
    """The IANA name of the machine's time zone, UTC where it doesn't tell."""
    name = environment.get("TZ", "").removeprefix(":")
    if not name:
        try:
            name = str(Path("/etc/localtime").readlink()).rpartition("zoneinfo/")[2]
        except OSError:
            name = ""
    return name if name and refusal_of("timezone", name, date(2026, 5, 7)) is None else "UTC"


# ------------------------------------------------------------------------------------------- the file


def first_catalogue(answers: Answers, day: date) -> str:
    """The text of a new `events.toml`. A line that begins with `#` and no space is an example to be used."""
    first, *others = answers.languages or ("en",)
    titles = f"title.{first} = {_quoted(answers.title)}" if others else f"title = {_quoted(answers.title)}"
    values = {
        "id": proposed_slug(answers.title),
        "titles": "\n".join([titles, *(f'#title.{language} = "…"' for language in others)]),
        "organiser": _quoted(answers.organiser),
        "timezone": _quoted(answers.timezone),
        "language": _quoted(first),
        "languages": "[" + ", ".join(map(_quoted, answers.languages)) + "]",
        "url": _quoted(answers.url),
        "sender": f"from = {_quoted(answers.sender)}" if answers.sender else '#from = "Name <name@example.org>"',
        "date": day.isoformat(),
        "weekday": _quoted(say_weekday(day, first)),
    }
    return re.sub("«(\\w+)»", lambda field: values[field[1]], _TEMPLATE)


def _quoted(text: str) -> str:
    # A basic string of TOML has the escapes of JSON, but DEL has no place in it.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


_TEMPLATE = """\
#:schema ./events.schema.json
#
# EN  Every public fact of the series, written once: calendars, feeds, pages and mails all come from here.
#     `tocsin check` finds mistakes, `tocsin build` shows a draft in out/, `tocsin publish` announces.
#     A line that begins with # and no space is an example: delete the # to use it.
# FR  Chaque fait public du cycle, écrit une seule fois : agendas, flux, pages et courriels en viennent.
#     `tocsin check` trouve les erreurs, `tocsin build` montre un brouillon dans out/, `tocsin publish` annonce.
#     Une ligne qui commence par # sans espace est un exemple : supprimez le # pour l’employer.

format = 1

[series]
# EN  Permanent: calendars recognise the events by it. Never change it once something is published.
# FR  Définitif : les agendas reconnaissent les événements par lui. Ne le changez plus après une publication.
id = "«id»"
# EN  Any text may be written once, or per language: title.en = "…", title.fr = "…".
# FR  Tout texte s’écrit une fois, ou par langue : title.en = "…", title.fr = "…".
«titles»
#subtitle = "…"
organiser = «organiser»
#partners = ["…"]
# EN  Dates and hours are meant in this zone.
# FR  Les dates et les heures s’entendent dans ce fuseau.
timezone = «timezone»
default_language = «language»
languages = «languages»
# EN  The place of every event that names no other; it is described below.
# FR  Le lieu de tout événement qui n’en nomme pas d’autre ; il est décrit plus bas.
#venue = "hall"
#default_duration = "2h"
# EN  A long text stands between three quotes; an empty line begins a paragraph. Markdown may be used.
# FR  Un long texte se met entre trois guillemets ; une ligne vide commence un paragraphe. Markdown est permis.
#description = '''
#…
#'''

[site]
# EN  Where the folder out/ will be served.
# FR  L’adresse où le dossier out/ sera servi.
url = «url»

[mail]
# EN  Who writes to the subscribers. Nothing leaves before you type `tocsin arm`.
# FR  Qui écrit aux abonnés. Rien ne part avant que vous ne tapiez `tocsin arm`.
«sender»
#reply_to = "name@example.org"
#quiet = ["22:00", "08:00"]

# EN  A place. `access` tells visitors what they need to know: true, false, or left out while it is not known.
# FR  Un lieu. `access` dit aux visiteurs ce qu’il leur faut savoir : true, false, ou rien tant qu’on ne le sait pas.
#[[venue]]
#id = "hall"
#name = "…"
#street = "1, …"
#postal_code = "75001"
#city = "…"
#country = "FR"
#access = { step_free = true }

# EN  The first event. What is not known is not guessed: its name stands in `tba`, and people read “to be announced”.
#     Fill a key in, and take its name out of `tba`. `todo` is for you: nothing publishes it.
# FR  Le premier événement. Ce qu’on ignore ne s’invente pas : son nom est dans `tba`, et on lira « à annoncer ».
#     Remplissez une clé, puis retirez son nom de `tba`. `todo` est pour vous : rien ne le publie.
[[event]]
id = "event-1"
tba = ["title", "date", "time"]
todo = ["Fill in this event. / Remplissez cet événement."]

# EN  An event about which all is known.
# FR  Un événement dont on sait tout.
#[[event]]
#id = "event-2"
#number = 2
#title = "…"
#date = «date»
# EN  A guard: the file is refused if the date is not on that day.
# FR  Un garde-fou : le fichier est refusé si la date ne tombe pas ce jour-là.
#weekday = «weekday»
#time = "19:00"
#duration = "1h30"
#speakers = [{ name = "…", role = "…" }, { group = "…" }]
#registration = { url = "https://…", capacity = 40 }
#online = "https://…"
#price = "…"
#tags = ["for-families"]
#abstract = '''
#…
#'''
# EN  Once published, an event is not deleted but cancelled, with a word of explanation.
# FR  Une fois publié, un événement ne se supprime pas : on l’annule, avec un mot d’explication.
#status = "cancelled"
#notice = "…"

# EN  When mail about an event leaves. Without any [[reminder]]: when announced, 14 and 2 days before, on the morning,
#     when something changes, and 2 days after where there is a recording.
# FR  Quand part le courrier d’un événement. Sans aucun [[reminder]] : à l’annonce, 14 et 2 jours avant, le matin même,
#     quand quelque chose change, et 2 jours après s’il y a un enregistrement.
#[[reminder]]
#id = "two-days-before"
#when = "2 days before at 10:00"
"""
