"""What pydantic refuses, said as an organiser would want to hear it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.catalogue.findings import Finding, nearest, unknown
from pipeline.catalogue.hours import NOT_KNOWN
from pipeline.catalogue.models import (
    RESERVED,
    Access,
    Catalogue,
    Event,
    EventAccess,
    Group,
    Link,
    Mail,
    MailingList,
    Moved,
    Newsletter,
    Online,
    Organisation,
    Organiser,
    Proof,
    Registration,
    Rule,
    Series,
    Site,
    Speaker,
    Venue,
    Work,
)
from pipeline.catalogue.places import Path
from pipeline.catalogue.texts import quoted, shown
from pipeline.errors import N_

_ID_OF_VENUE = N_("write the `id` of one of the [[venue]] tables")
TABLES: Mapping[str, tuple[type[BaseModel], ...]] = {
    "": (Catalogue,), "series": (Series,), "site": (Site,), "mail": (Mail,), "venue": (Venue,), "event": (Event,),
    "organisation": (Organisation,), "group": (Group,), "reminder": (Rule,), "newsletter": (Newsletter,),
    "organiser": (Organiser,), "access": (EventAccess, Access), "speakers": (Speaker,), "work": (Work,),
    "online": (Online,), "registration": (Registration,), "resources": (Link,), "recordings": (Link,),
    "moved": (Moved,), "lists": (MailingList,), "proof": (Proof,),
}  # fmt: skip
HEADERS = {"event": "[[event]]", "series": "[series]", "site": "[site]", "mail": "[mail]", "venue": "[[venue]]"}
"""Below which lines most keys stand."""
_REFERENCES: Mapping[int | str, str] = {"venue": "venue", "events": "event", "corrects": "newsletter"}
"""The keys that name a table by its id, and the list of these tables."""
NEVER_TYPED = {*RESERVED, "kept"}


def finding_of(error: ErrorDetails) -> Finding:
    """One error of pydantic's as a finding in our words."""
    *upper, last = error["loc"] or ("",)
    path: Path = tuple(part for part in upper if not _is_branch(part))
    # The last part is the organiser's own word where a key is unknown or missing.
    path += () if error["type"] not in {"missing", "extra_forbidden"} and _is_branch(last) else (last,)
    values = error.get("ctx", {})
    if error["type"] == "tocsin":
        table = _REFERENCES.get(_last_key(path), "") if "proposal" in values["values"] else ""
        hint = _ID_OF_VENUE if table == "venue" else values["hint"]
        if hint == NOT_KNOWN and not (path[0] == "event" and len(path) == len(("event", 0, "date"))):
            hint = N_("delete the line while it is not known")
        told = {"key": _last_key(path), **values["values"]}
        # A text is refused whole; the language that is none of the series has a key of its own.
        path += (told["language"],) if "languages" in told else ()
        return Finding(path, values["message"], hint, {**told, "word": told["value"]} if table else told, table=table)
    if (form := _FORMS.get(str(_last_key(path)))) is not None and error["type"] in _OF_SHAPE:
        return Finding(path, "{given} is not what stands here", form, {"given": shown(error["input"])})
    say = _SAY.get(error["type"])
    if say is not None:
        return say(path, error)
    if error["type"].startswith(("date", "time")):
        return _DATE(path, error)
    return Finding(path, "this can't be read: {what}", "", {"what": error["msg"]})


LONGEST_OFFER = 100
"""Characters of a text that is offered again as a list."""
MOST_IN_A_TABLE = 100
"""Nobody corrects more at once, and to find the place of each in a list of a hundred thousand takes long."""
MOST_MISTAKES = 10_000
"""A catalogue with more was made by a program gone astray."""


def findings_of(error: ValidationError, above: Path = ()) -> Iterator[Finding]:
    """The errors of pydantic's as findings, a hundred of each table at most; `above` is where what it judged stands."""
    told = Counter[Path]()
    for item in error.errors(include_url=False):
        loc = (*above, *item["loc"])
        table = loc[:2] if len(loc) > 1 and isinstance(loc[1], int) else loc[:1]
        told[table] += 1
        if told[table] <= MOST_IN_A_TABLE:
            yield finding_of({**item, "loc": loc})
        elif told[table] == MOST_IN_A_TABLE + 1:
            yield _too_many(table, MOST_IN_A_TABLE)


def no_more(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """The first ten thousand findings, and that there are more; the others aren't even looked for."""
    told = tuple(islice(findings, MOST_MISTAKES + 1))
    return told if len(told) <= MOST_MISTAKES else (*told[:-1], _too_many(told[-1].path[:2], MOST_MISTAKES))


def _too_many(path: Path, most: int) -> Finding:
    hint = N_("correct those that are told; the others are told then")
    return Finding(path, N_("there are more than {most} mistakes here"), hint, {"most": most})


def _last_key(path: Path) -> int | str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _is_branch(part: int | str) -> bool:
    """Whether a part of pydantic's path names a branch of a union and not a key."""
    return isinstance(part, str) and (any(mark in part for mark in "[]()") or part in _BRANCHES)


_BRANCHES = {"str", "bool", "datetime", "constrained-str"}


def known_keys(path: Path) -> set[str]:
    """The keys that may stand in the table at that path."""
    table = next((part for part in reversed(path) if isinstance(part, str)), "")
    keys: set[str] = set()
    for model in (Access,) if table == "access" and path[0] == "venue" else TABLES.get(table, ()):
        keys |= {info.alias or name for name, info in model.model_fields.items()}
    if not path:
        keys |= {"defaults"}
        keys.discard("group")
    return keys - NEVER_TYPED


_HEADER = N_("write [{key}] on a line of its own, and its keys below")
_A_DAY = N_("write {key} = 2026-05-07")
_MISSING = {
    "series": _HEADER, "site": _HEADER, "format": N_("write format = 1"), "date": _A_DAY, "from": _A_DAY,
    "send": N_("write {key} = 2026-05-07T10:00:00"), "when": N_('write {key} = "2 days before at 10:00"'),
}  # fmt: skip
"""What to type for keys that hold no text, or one of some forms."""


def _missing(path: Path, error: ErrorDetails) -> Finding:
    if isinstance(path[-1], int):
        return _too_short(path[:-1], error)
    key = str(path[-1])
    return Finding(path, "`{key}` is missing", _MISSING.get(key, N_('write {key} = "…"')), {"key": key})


def _extra(path: Path, _error: ErrorDetails) -> Finding:
    key = str(path[-1]).rstrip(" ")
    keys = known_keys(path[:-1])
    parent = key.partition(".")[0]
    if parent != key and parent in keys:
        values = {"word": key, "meant": parent}
        return Finding((*path[:-1], key), "there is no key `{word}` here", N_("write {word} without quotes"), values)
    homes = [header for table, header in HEADERS.items() if table != path[0] and key in known_keys((table,))]
    what, hint = "there is no key `{word}` here", N_("write it below a line {headers}")
    if homes and len(path) == 1:
        return Finding(path, what, hint, {"word": key, "headers": ", ".join(homes)})
    if not homes or len(path) > len(("event", 0, "key")):
        hint = "the keys here are {keys}"
    return unknown((*path[:-1], key), key, keys, what, hint, keys=", ".join(sorted(keys)), headers=", ".join(homes))


def _one_of(path: Path, error: ErrorDetails) -> Finding:
    expected = str(error.get("ctx", {}).get("expected", ""))
    choices = [choice.strip(" '") for choice in expected.replace(" or ", ",").split(",")]
    given = error["input"]
    meant = nearest(given, choices) if isinstance(given, str) else None
    hint = N_("did you mean {meant!r}?") if meant else ""
    # A number between quotes; all other choices are texts.
    hint = N_("write {number}, without quotes") if meant is not None and meant.isdecimal() else hint
    values = {"given": shown(given), "expected": ", ".join(choices), "meant": meant, "number": meant}
    return Finding(path, "{given} is not one of {expected}", hint, values)


def _wanted(message: str, form: str) -> Callable[[Path, ErrorDetails], Finding]:
    def say(path: Path, error: ErrorDetails) -> Finding:
        return Finding(path, message, form, {"given": shown(error["input"])})

    return say


def _limits(message: str) -> Callable[[Path, ErrorDetails], Finding]:
    def say(path: Path, error: ErrorDetails) -> Finding:
        limit = next(iter(error.get("ctx", {}).values()), "")
        return Finding(path, "{given} is out of range", message, {"given": shown(error["input"]), "limit": limit})

    return say


def _too_short(path: Path, error: ErrorDetails) -> Finding:
    # What is missing at a place in a list that isn't the first: it is a pair.
    return Finding(path, "the list is too short", "write both" if error["loc"][-1] == 1 else "write at least one", {})


def _too_long(path: Path, error: ErrorDetails) -> Finding:
    limit = error.get("ctx", {}).get("max_length", "")
    return Finding(path, "the list is too long", "{limit} at most", {"limit": limit})


def _pattern(path: Path, error: ErrorDetails) -> Finding:
    return Finding(
        path,
        "{given} is not the name of an environment variable",
        'write "TOCSIN_ROOM"',
        {"given": shown(error["input"])},
    )


def _text(path: Path, error: ErrorDetails) -> Finding:
    given = error["input"]
    hint = _ID_OF_VENUE if path[-1] == "venue" and isinstance(given, dict) else quoted(given)
    return Finding(path, "{given} is not a text", hint, {"given": shown(given)})


def _whole_number(path: Path, error: ErrorDetails) -> Finding:
    given = error["input"]
    written = given.strip() if isinstance(given, str) else ""
    hint = N_("write {number}, without quotes") if written.isdecimal() else "write it without quotes: 12"
    return Finding(path, "{given} is not a whole number", hint, {"given": shown(given), "number": written[:20]})


def _list(path: Path, error: ErrorDetails) -> Finding:
    given = error["input"]
    pieces = [given] if path[-1] == "todo" else str(given).split(",")
    is_plain = isinstance(given, str) and len(given) <= LONGEST_OFFER and '"' not in given
    offer = ", ".join(f'"{piece.strip()}"' for piece in pieces if piece.strip()) if is_plain else ""
    values = {"given": shown(given), "offer": offer or '"…"'}
    return Finding(path, "{given} is not a list", N_("write it between brackets: [{offer}]"), values)


def _table(path: Path, error: ErrorDetails) -> Finding:
    given = error["input"]
    if len(path) == 1 and isinstance(given, list | tuple):
        return Finding(path, N_("`{key}` is one table and not a list"), N_("write [{key}]"), {"key": path[0]})
    hint = "write {{ key = … }}, or a table of its own"
    return Finding(path, "{given} is not a table", hint, {"given": shown(given)})


_OF_SHAPE = frozenset({"tuple_type", "model_type", "model_attributes_type", "dict_type", "too_long", "too_short"})
_FORMS = {
    "speakers": N_('write [{{ name = "…" }}]; of several, each between braces, with commas between'),
    "registration": N_('write "https://…", or {{ url = "https://…" }}'),
    "online": N_('write "https://…", or {{ url = "https://…" }}'),
    "access": N_("write {{ step_free = true }}, or what else is known"),
    "quiet": N_('write two hours: ["22:00", "08:00"]'),
    "geo": N_("write latitude and longitude with points: [48.85, 2.35]"),
}
"""How keys are written whose shape people often guess wrong."""
_NUMBER = _wanted("{given} is not a number", "write it without quotes: 2.5")
_DATE = _wanted("{given} is not a date", "write 2026-05-07, without quotes")
_SAY: Mapping[str, Callable[[Path, ErrorDetails], Finding]] = {
    "missing": _missing,
    "extra_forbidden": _extra,
    "literal_error": _one_of,
    "enum": _one_of,
    "string_type": _text,
    "string_unicode": _text,
    "int_type": _whole_number,
    "bool_type": _wanted("{given} is not yes or no", "write true or false, without quotes"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "tuple_type": _list,
    "dict_type": _table,
    "model_type": _table,
    "model_attributes_type": _table,
    "greater_than_equal": _limits("it is at least {limit}"),
    "less_than_equal": _limits("it is at most {limit}"),
    "greater_than": _limits("it is more than {limit}"),
    "too_short": _too_short,
    "too_long": _too_long,
    "string_pattern_mismatch": _pattern,
}
