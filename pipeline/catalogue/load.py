"""TOML text in, a `Catalogue` out: or every problem at once, each with its file, line, key and remedy."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.guards import guard
from pipeline.catalogue.hints import hints
from pipeline.catalogue.models import Catalogue, Event
from pipeline.catalogue.places import Path, Places
from pipeline.catalogue.references import IsThere, anything_is_there
from pipeline.catalogue.refusals import finding_of
from pipeline.catalogue.remnant import remaining_findings
from pipeline.catalogue.syntax import endless_key, number_problem, syntax_problem
from pipeline.errors import CatalogueError, Problem, Severity

LISTS = ("venue", "organisation", "event", "reminder", "newsletter")
INCLUDED_KEYS = frozenset({"format", "group", "venue", "organisation", "event", "defaults"})
RESERVED = frozenset({"estimated_duration", "group"})

Included = Callable[[str], Sequence["Source"]]


@dataclass(frozen=True)
class Source:
    """One TOML file: its name as messages show it, and its text (a BOM already taken off)."""

    name: str
    text: str

    @cached_property
    def places(self) -> Places:
        """Where its keys stand; walked only when there is something to report."""
        return Places(self.text)


@dataclass(frozen=True)
class Loaded:
    """A valid catalogue, and what deserves a look: warnings and open questions in the order of the file."""

    catalogue: Catalogue
    remarks: tuple[Problem, ...] = ()


def nothing_included(_pattern: str) -> Sequence[Source]:
    """For a catalogue in one file."""
    return ()


def load(
    main: Source,
    included: Included = nothing_included,
    now: datetime | None = None,
    is_there: IsThere = anything_is_there,
) -> Loaded:
    """The catalogue of a text and of the files that it includes; CatalogueError holds every problem.

    `now`, an aware instant, is needed only for warnings about what is past; `is_there` knows the catalogue's folder.
    """
    draft = _Draft()
    draft.take_main(main, included)
    if draft.problems:
        raise CatalogueError(draft.problems)
    tables = draft.filled()
    try:
        catalogue = Catalogue.model_validate(tables, context=draft.context)
    except ValidationError as error:
        refused = [finding_of(item) for item in error.errors()]
        found = remaining_findings(tables, refused, draft.context, is_there)
        raise CatalogueError(draft.report((*refused, *found))) from None
    if errors := draft.report(guard(catalogue, is_there)):
        raise CatalogueError(errors)
    today = now.astimezone(catalogue.series.zone).date() if now else None
    return Loaded(catalogue, draft.report(hints(catalogue, today)))


@dataclass
class _Draft:
    """The merged tables of all files while they are being put together, and where each came from."""

    tables: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, tuple[Source, Path]] = field(default_factory=dict)
    defaults: dict[Path, tuple[Source, Mapping[str, Any]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    main: Source = field(default_factory=lambda: Source("events.toml", ""))

    # ------------------------------------------------------------------------------------ gathering

    def take_main(self, main: Source, included: Included) -> None:
        self.main = main
        if (raw := self._parse(main)) is None:
            return
        self.tables = {key: value for key, value in raw.items() if key not in (*LISTS, "defaults", "group")}
        if "group" in raw:
            self._complain(main, ("group",), "`[group]` opens an included file, not the main one", "move it there")
        self._take_lists(main, raw)
        patterns = raw.get("include", [])
        for pattern in patterns if isinstance(patterns, list) else []:
            try:
                sources = included(pattern) if isinstance(pattern, str) else ()
            except CatalogueError as error:
                self.problems += error.problems
                continue
            for source in sources:
                self._take_included(source)

    def _take_included(self, source: Source) -> None:
        if (raw := self._parse(source)) is None:
            return
        for key in raw.keys() - INCLUDED_KEYS:
            self._complain(source, (key,), "`{key}` belongs into the main file", "move it there", key=key)
        group = raw.get("group")
        if isinstance(group, dict):
            groups = self.tables.setdefault("group", [])
            self.origins["group", len(groups)] = source, ("group",)
            groups.append(group)
        self._take_lists(source, raw, group.get("id") if isinstance(group, dict) else None)

    def _take_lists(self, source: Source, raw: Mapping[str, Any], group: object = None) -> None:
        defaults = raw.get("defaults", {})
        if not isinstance(defaults, dict):
            self._complain(source, ("defaults",), "`defaults` is a table", "write [defaults] on a line of its own")
            defaults = {}
        for key in defaults.keys() - (Event.model_fields.keys() - RESERVED - {"id", "number"}) - {"except"}:
            self._complain(source, ("defaults", key), "`{key}` can't be a default", "delete it", key=key)
        for name in LISTS:
            rows = raw.get(name, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self._complain(source, (name,), "`{name}` is a list of tables", "write [[{name}]]", name=name)
                continue
            merged = self.tables.setdefault(name, [])
            for index, row in enumerate(rows):
                path = (name, len(merged))
                self.origins[path] = source, (name, index)
                self.defaults[path] = source, defaults
                merged.append({**row, "$group": group} if name == "event" and group else row)
        if "reminder" not in raw and not self.tables.get("reminder"):
            self.tables.pop("reminder", None)

    def _parse(self, source: Source) -> dict[str, Any] | None:
        if (endless := endless_key(source.name, source.text)) is not None:
            self.problems.append(endless)
            return None
        try:
            return tomllib.loads(source.text)
        except tomllib.TOMLDecodeError as error:
            self.problems.append(syntax_problem(source.name, source.text, str(error)))
        except ValueError:
            # Python reads no whole numbers of thousands of digits, and says so without a place.
            self.problems.append(number_problem(source.name, source.text))
        except RecursionError:
            self.problems.append(
                Problem(source.name, 1, "", "brackets are nested too deep", "a catalogue needs four levels")
            )
        return None

    def _complain(self, source: Source, path: Path, message: str, hint: str, **values: object) -> None:
        place = source.places.of(path)
        self.problems.append(
            Problem(
                source.name,
                place.line,
                _dotted(path),
                message,
                hint,
                values,
                column=place.column,
                text=source.places.line(place.line),
            )
        )

    # -------------------------------------------------------------------------------------- filling

    @property
    def context(self) -> dict[str, Any]:
        """What the text types need to know of the series."""
        series = self.tables.get("series")
        series = series if isinstance(series, dict) else {}
        default = series.get("default_language")
        default = default if isinstance(default, str) else "und"
        languages = series.get("languages")
        known = [name for name in languages if isinstance(name, str)] if isinstance(languages, list) else []
        return {"default_language": default, "languages": tuple(dict.fromkeys((default, *known)))}

    def filled(self) -> dict[str, Any]:
        """The tables, with what an event inherits written into each event."""
        series = self.tables.get("series")
        inherited = {
            into: series[key]
            for key, into in (("timezone", "timezone"), ("venue", "venue"), ("default_duration", "estimated_duration"))
            if isinstance(series, dict) and key in series
        }
        events = [
            _inherit(row, self.defaults["event", number][1], inherited)
            for number, row in enumerate(self.tables.get("event", []))
        ]
        return {**self.tables, "event": events}

    # ------------------------------------------------------------------------------------ reporting

    def report(self, findings: Iterable[Finding]) -> tuple[Problem, ...]:
        """The findings as problems with their places, each once, in the order of the files."""
        problems: list[Problem] = []
        seen: set[tuple[object, ...]] = set()
        for problem in map(self._problem, findings):
            place = (problem.file, problem.line, problem.column)
            # Branches of one choice are refused one by one; what many events inherit is wrong in one place only.
            same = {(*place, problem.key), (*place, problem.what())} if problem.severity is Severity.ERROR else set()
            if not same & seen:
                problems.append(problem)
            seen |= same
        return tuple(sorted(problems, key=lambda problem: problem.position))

    def _problem(self, finding: Finding) -> Problem:
        source, path = self._origin(finding.path)
        place = source.places.of(path)
        return Problem(
            source.name, place.line, self._label(finding.path), finding.message, finding.hint, finding.values,
            finding.severity, place.column, source.places.line(place.line),
        )  # fmt: skip

    def _origin(self, path: Path) -> tuple[Source, Path]:
        """The file and the path in it: the default's own line where an event only inherited the value."""
        source, start = self.origins.get(path[:2], (self.main, path[:2]))
        rest = path[2:]
        if path[:1] == ("event",) and rest:
            given = self.tables["event"][path[1]] if isinstance(path[1], int) else {}
            elsewhere, defaults = self.defaults.get(path[:2], (source, {}))
            if rest[0] not in given and rest[0] in defaults:
                return elsewhere, ("defaults", *rest)
            if rest[0] not in given and rest[0] in {"venue", "timezone"}:
                return self.main, ("series", *rest)
        return source, (*start, *rest)

    def _label(self, path: Path) -> str:
        if len(path) < 2 or path[0] not in LISTS:
            return _dotted(path)
        rows = self.tables.get(str(path[0]), [])
        row = rows[path[1]] if isinstance(path[1], int) and path[1] < len(rows) else {}
        name = row.get("id") or row.get("name")
        number = f"#{int(path[1]) + 1}"
        label = f'{path[0]} "{name[:70]}"' if isinstance(name, str) else f"{path[0]} {number}"
        return f"{label}: {_dotted(path[2:])}" if path[2:] else label


def _inherit(row: Mapping[str, Any], defaults: Mapping[str, Any], inherited: Mapping[str, Any]) -> dict[str, Any]:
    announced = row.get("tba", [])
    later = (
        set(announced) if isinstance(announced, list) and all(isinstance(name, str) for name in announced) else set()
    )
    given = {**inherited, **defaults}
    if row.get("all_day") is True:
        later |= {"time", "end_time", "duration"}
    # Its own way to say the end takes the place of an inherited one.
    later |= {other for key, other in (("end_time", "duration"), ("duration", "end_time")) if key in row}
    event = {key: value for key, value in given.items() if key not in later and key not in row}
    # What may not be typed is renamed, so that it is refused as any other unknown key.
    event |= {f"{key} " if key in RESERVED else key: value for key, value in row.items() if key != "$group"}
    if "$group" in row:
        event["group"] = row["$group"]
    return event


def _dotted(path: Path) -> str:
    dotted = ""
    for part in path:
        dotted += f" #{part + 1}" if isinstance(part, int) else f".{part[:70]}" if dotted else part[:70]
    return dotted
