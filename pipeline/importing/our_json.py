"""Our own `events.json`, back again: every fact that it holds."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any

from pipeline.catalogue.models import Event
from pipeline.errors import N_, Problem
from pipeline.importing.fitting import TEXTS
from pipeline.importing.found import Found, Gathering, Reading, Spot

_DAYS = frozenset({"date", "end_date"})
_TIMES = frozenset({"time", "end_time"})
_DERIVED = frozenset(
    {
        "id", "uid", "sequence", "created", "updated", "retired", "when", "times", "url", "calendar", "fallbacks",
        "venue", "estimated_duration",
    }
)  # fmt: skip
_KEYS = frozenset({field.alias or name for name, field in Event.model_fields.items()}) - {"group", "todo", "weekday"}


def is_ours(value: Any) -> bool:
    """Whether a JSON value is an `events.json` of tocsin."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("format"), int)
        and isinstance(value.get("events"), list)
        and isinstance(value.get("series"), Mapping)
    )


def read_ours(head: Mapping[str, Any], rows: Iterable[Any], file: str) -> Reading:
    """The events of an `events.json` in `rows`, what else it says in `head`; retired ones are named and left out."""
    language = str(head.get("language") or "")
    lost: list[Problem] = []
    organisations = [row for row in _several(head.get("organisations")) if isinstance(row, Mapping)]
    return Reading(
        _events(rows, file, language, lost), lost, tuple(_organisation(row, language) for row in organisations)
    )


def _events(rows: Iterable[Any], file: str, language: str, lost: list[Problem]) -> Iterator[Found]:
    for number, row in enumerate(rows, start=1):
        spot = Spot(file, 0, f'event "{row.get("id")}"' if isinstance(row, Mapping) else f"event #{number}")
        if not isinstance(row, Mapping):
            lost.append(spot.lost("event", row))
        elif row.get("retired") is True:
            lost.append(spot.lost("event", row.get("id"), N_("it was retired")))
        else:
            yield _event(row, spot, language)


def _event(row: Mapping[str, Any], spot: Spot, language: str) -> Found:
    gathering = Gathering(spot)
    said_in = _Languages(row.get("fallbacks"), language)
    for key, value in row.items():
        if key in _DERIVED:
            continue
        if key not in _KEYS:
            gathering.lose(key, value)
        elif key in TEXTS and isinstance(value, str):
            gathering.put_text(key, value, said_in.of(key))
        elif key in _DAYS | _TIMES:
            gathering.put(key, _moment(key, value))
        elif key in {"except", "moved"}:
            gathering.put(key, _dates(value))
        elif key == "online" and isinstance(value, Mapping) and "url" not in value:
            gathering.lose(key, ", ".join(map(str, value.values())) or "?", N_("its address was never published"))
        else:
            gathering.put(key, said_in.texts(value, key))
    _put_place(gathering, row, language)
    return gathering.found(str(row.get("uid") or ""), str(row.get("id") or ""))


def _put_place(gathering: Gathering, row: Mapping[str, Any], language: str) -> None:
    place, later = row.get("venue"), row.get("tba")
    if isinstance(place, Mapping):
        gathering.put("venue", _place(place, language))
    elif place is not None:
        gathering.lose("venue", place)
    elif not (isinstance(later, list) and "venue" in later):
        # Where it isn't to be announced, no place means that there is none.
        gathering.put("venue", False)


class _Languages:
    """In which language each text of an object really is: `fallbacks` names those that aren't translated."""

    def __init__(self, fallbacks: Any, language: str) -> None:
        self._fallbacks = fallbacks if isinstance(fallbacks, Mapping) else {}
        self._language = language

    def of(self, path: str) -> str:
        """The language of the text at a dotted path."""
        return str(self._fallbacks.get(path, self._language))

    def texts(self, value: Any, path: str) -> Any:
        """A value with its texts under their languages."""
        if isinstance(value, Mapping):
            return {
                key: {self.of(f"{path}.{key}"): item}
                if key in _TEXTS_BELOW.get(path.partition(".")[0], ()) and isinstance(item, str)
                else self.texts(item, f"{path}.{key}")
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.texts(item, f"{path}.{number}") for number, item in enumerate(value)]
        return value


_TEXTS_BELOW: Mapping[str, frozenset[str]] = {
    "speakers": frozenset({"role", "unnamed", "title"}), "online": frozenset({"label"}),
    "registration": frozenset({"note"}), "access": frozenset({"note"}), "resources": frozenset({"title", "kind"}),
    "recordings": frozenset({"title", "kind"}), "venue": frozenset({"name", "note", "directions"}),
    "organisation": frozenset({"kind", "about"}),
}  # fmt: skip


def _place(place: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The keys of a place; its fallbacks count from the place itself."""
    own = place.get("fallbacks")
    fallbacks = {f"venue.{key}": said for key, said in own.items()} if isinstance(own, Mapping) else {}
    texts = _Languages(fallbacks, language).texts(place, "venue")
    return {key: value for key, value in texts.items() if key != "fallbacks"}


def _organisation(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    own = row.get("fallbacks")
    fallbacks = {f"organisation.{key}": said for key, said in own.items()} if isinstance(own, Mapping) else {}
    texts = _Languages(fallbacks, language).texts(row, "organisation")
    return {key: value for key, value in texts.items() if key != "fallbacks"}


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _moment(key: str, value: Any) -> Any:
    try:
        return date.fromisoformat(value) if key in _DAYS else time.fromisoformat(value)
    except (ValueError, TypeError):
        return value


def _dates(value: Any) -> Any:
    """Days of exceptions and of moved times."""
    if isinstance(value, list):
        return [_dates(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _moment("date", item) if key in {"from", "date"} else item for key, item in value.items()}
    return _moment("date", value)
