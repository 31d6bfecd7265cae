"""What is left of a catalogue when its refused parts are taken out: so that every problem is found in one go.

The remnant is never published; it only lets the guards speak about all that was well-formed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.guards import guard
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.places import Path
from pipeline.catalogue.references import IsThere
from pipeline.catalogue.refusals import finding_of

STAND_INS: Mapping[str, Mapping[str, Any]] = {
    "series": {"id": "x", "title": "x", "timezone": "UTC", "default_language": "en", "organiser": "x"},
    "site": {"url": "https://x.example/"},
    "event": {"timezone": "UTC"},
}
"""For what must be there and was refused; nothing is said about them."""


def remaining_findings(
    tables: Mapping[str, Any], refused: Iterable[Finding], context: Any, is_there: IsThere
) -> Iterator[Finding]:
    """What the guards say of the parts that were not refused."""
    gone = {_part(finding.path) for finding in refused}
    for _attempt in range(2):
        remnant, rows = without(tables, gone)
        try:
            catalogue = Catalogue.model_validate(remnant, context=context)
        except ValidationError as error:
            # A key without which its row means nothing is gone: then the whole row goes.
            bare = {path[:2] for item in error.errors() if len(path := finding_of(item).path) > 1}
            gone |= {(name, rows[str(name)][int(index)]) for name, index in bare if name in rows}
        else:
            yield from _of_the_rest(guard(catalogue, is_there), gone, rows)
            return


def without_consequences(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings but for keys that are only missing since they, or the key that excuses them, are misspelt."""
    known = tuple(findings)
    excused: set[Path] = set()
    for finding in known:
        if isinstance(meant := finding.values.get("meant"), str):
            excused |= {(*finding.path[:-1], meant), (*finding.path[:2], meant)}
        if finding.path[2:] in {("tba",), ("all_day",)}:
            excused |= {(*finding.path[:2], key) for key in ("title", "date", "time")}
        if finding.path[:1] == ("event",) and finding.path[2:] == ("timezone",):
            # An event without one inherits that of the series, which is told to be missing itself.
            excused.add(finding.path)
    return (finding for finding in known if finding.message != "`{key}` is missing" or finding.path not in excused)


def _of_the_rest(
    findings: Iterable[Finding], gone: Collection[Path], rows: Mapping[str, list[int]]
) -> Iterator[Finding]:
    lists = {path[0] for path in gone if len(path) == 2 or path[2:] == ("id",)}
    for finding in findings:
        path = _in_the_file(finding.path, rows)
        if not any(path[: len(part)] == part for part in gone) and not _is_consequence(finding, lists):
            yield finding._replace(path=path)


def without(tables: Mapping[str, Any], gone: Collection[Path]) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """The tables less the keys and rows at those paths, and for each list the original numbers of its rows."""
    remnant: dict[str, Any] = {"series": STAND_INS["series"], "site": STAND_INS["site"]}
    rows: dict[str, list[int]] = {}
    for name, value in tables.items():
        if isinstance(value, list):
            rows[name] = [index for index in range(len(value)) if (name, index) not in gone]
            remnant[name] = [_keys_left(value[index], (name, index), gone) for index in rows[name]]
        elif (name,) not in gone:
            remnant[name] = _keys_left(value, (name,), gone)
    return {**remnant, "format": 1}, rows


def _part(path: Path) -> Path:
    """The key of a table, or of a row of a list, in which something was refused."""
    return path[:3] if len(path) > 1 and isinstance(path[1], int) else path[:2]


def _keys_left(value: Any, path: Path, gone: Collection[Path]) -> Any:
    if not isinstance(value, dict):
        return value
    left = {key: item for key, item in value.items() if (*path, key) not in gone}
    # Each event needs an id of its own, or nothing could be said of the rest of it.
    name = {"id": f"stand-in-{path[1]}"} if path[0] == "event" and len(path) > 1 else {}
    return {**STAND_INS.get(str(path[0]), {}), **name, **left}


def _in_the_file(path: Path, rows: Mapping[str, list[int]]) -> Path:
    if len(path) > 1 and isinstance(path[0], str) and path[0] in rows and isinstance(path[1], int):
        return (path[0], rows[path[0]][path[1]], *path[2:])
    return path


def _is_consequence(finding: Finding, lists: Collection[object]) -> bool:
    """A reference to a row that was taken out isn't wrong by itself."""
    return any(f"[[{name}]]" in finding.message for name in lists)
