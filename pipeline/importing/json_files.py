"""JSON: schema.org events, alone, in a list, in a graph or in a saved page, and our own `events.json`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.errors import N_, CatalogueError, Problem, Severity
from pipeline.importing.found import Found, Manner, Reading, Spot
from pipeline.importing.json_pieces import SHORT, Document, Piece
from pipeline.importing.our_json import is_ours, read_ours
from pipeline.importing.pages import scripts
from pipeline.importing.schema_org import event_of, is_event

MEDIA_TYPE = "application/ld+json"
MOST_OPENED = 8
"""How many lists and objects one in the other are opened; what lies deeper is parsed at once."""
_NOT_BELOW = frozenset({"superEvent", "location", "organizer", "performer", "offers", "eventSchedule"})
"""Where no event of this programme is described."""


Values = Iterable[tuple[int, Any]]
"""JSON values, each with its line."""


def read_json(data: bytes, file: str, manner: Manner) -> Reading:
    """The events of a JSON text in UTF-8; CatalogueError where there is none."""
    document = Document(data, file)
    if document.whole.length <= SHORT:
        value = document.value(document.whole)
        if is_ours(value):
            return read_ours(value, value["events"], file)
        return Reading(_events([(1, value)], file, manner))
    return _ours(document, file) or Reading(_events(_values(document, document.whole), file, manner))


def read_page(page: bytes, file: str, manner: Manner) -> Reading:
    """The events in the structured data of a saved web page in UTF-8; CatalogueError where there is none.

    Who saves a page can't mend one of its scripts: it is lost, and the events of the others count.
    """
    lost: list[Problem] = []

    def values() -> Iterator[tuple[int, Any]]:
        for start, end in scripts(page, MEDIA_TYPE):
            try:
                document = Document(page, file, start, end)
                yield from _values(document, document.whole)
            except CatalogueError as error:
                lost.extend(problem._replace(severity=Severity.WARNING) for problem in error.problems)

    return Reading(_events(values(), file, manner, lost), lost)


def _ours(document: Document, file: str) -> Reading | None:
    """The events of a long `events.json`; None where it is something else."""
    if not document.is_object(document.whole):
        return None
    members = dict(document.members(document.whole))
    if (events := members.pop("events", None)) is None or not document.is_list(events):
        return None
    head = {key: document.value(piece) for key, piece in members.items()}
    rows = map(document.value, document.items(events))
    return read_ours(head, rows, file) if is_ours({**head, "events": []}) else None


def _events(values: Values, file: str, manner: Manner, unread: Iterable[Problem] = ()) -> Iterator[Found]:
    """The events of all values, in the order in which they stand there, each once.

    Where there is none, what was `unread` is told.
    """
    found = False
    seen: set[str] = set()
    for line, value in values:
        nodes = _nodes(value)
        for described in _described(value):
            event = event_of(_resolved(described, nodes), Spot(file, line), manner)
            if not event.uid or event.uid not in seen:
                yield event
            seen.add(event.uid)
            found = True
    if not found:
        nothing = Spot(file, 1).problem(
            N_("no event is described in the file in a way that programs can read"),
            N_("it needs events of schema.org (JSON-LD), or our own events.json"),
        )
        raise CatalogueError([problem._replace(severity=Severity.ERROR) for problem in unread] or [nothing])


def _described(value: Any) -> Iterator[Mapping[str, Any]]:
    """The events in a value."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, Mapping):
            if is_event(value):
                yield value
            waiting += [item for key, item in reversed(list(value.items())) if key not in _NOT_BELOW]


def _nodes(value: Any) -> Mapping[str, Mapping[str, Any]]:
    """The places and people of a graph by the names under which its events point to them."""
    graph = value.get("@graph") if isinstance(value, Mapping) else value
    return {
        str(node["@id"]): node
        for node in (graph if isinstance(graph, list) else [])
        if isinstance(node, Mapping) and "@id" in node and len(node) > 1
    }


def _resolved(event: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """An event with the things themselves where it only points to them."""

    def thing(value: Any) -> Any:
        if isinstance(value, list):
            return [thing(item) for item in value]
        pointer = value.get("@id") if isinstance(value, Mapping) and value.keys() <= {"@id", "@type"} else None
        return nodes.get(pointer, value) if isinstance(pointer, str) else value

    return {key: thing(value) for key, value in event.items()}


def _values(document: Document, piece: Piece, opened: int = 0) -> Iterator[tuple[int, Any]]:
    """A piece as short values, in their order: of a long list its parts, of a long object what is short first."""
    is_list, is_object = document.is_list(piece), document.is_object(piece)
    if piece.length <= SHORT or opened == MOST_OPENED or not (is_list or is_object):
        yield document.line(piece.start), document.value(piece)
    elif is_list:
        for item in document.items(piece):
            yield from _values(document, item, opened + 1)
    else:
        short, long = _parted(document, piece)
        yield document.line(piece.start), short
        for member in long:
            yield from _values(document, member, opened + 1)


def _parted(document: Document, piece: Piece) -> tuple[dict[str, Any], list[Piece]]:
    """What of a long object is short or no table, parsed; and its long parts."""
    short: dict[str, Any] = {}
    long: list[Piece] = []
    room = SHORT
    for key, member in document.members(piece):
        is_table = document.is_list(member) or document.is_object(member)
        if is_table and member.length > room:
            long += [member] if key not in _NOT_BELOW else []
            continue
        room -= member.length if is_table else 0
        short[key] = document.value(member)
    return short, long
