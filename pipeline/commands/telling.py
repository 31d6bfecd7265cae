"""How builds, publications and plans are told at the terminal."""

import re
from collections.abc import Iterable

from pipeline.actions.build import Result
from pipeline.commands.groups import refused_as_json
from pipeline.commands.shell import Shell
from pipeline.ledger import Line
from pipeline.phrases.history import kind_word

LISTED = 30
"""How many changes are named; who imports a whole programme knows what came in."""

NAMED = 4
"""How many calendars and feeds that are gone are named."""

_FOLLOWED = re.compile(
    r"(?:[a-z]{2,3}(?:-\w+)*/)?(?:(?:alarms|tags|venues|groups/[^/]+)/)?[^/]*(?:\.ics|atom\.xml|rss\.xml|feed\.json)"
)
"""Where in the tree of a language calendars and feeds stand. A group may bear the name of any other folder."""


def told(shell: Shell, line: Line) -> str:
    """One line of the ledger in words: `social-work: changed (time, venue)`."""
    changed = f" ({', '.join(sorted(line.changed))})" if line.changed else ""
    return shell.words("{name}: {what}").format(name=line.event, what=kind_word(line, shell.words)) + changed


def tell_result(shell: Shell, result: Result, pending: tuple[str, str], none: str) -> None:
    """What changed in the facts and on disk; `pending` heads what did, as a pattern for one change and one for many."""
    shell.tell_problems(result.draft.remarks if shell.options.verbose else ())
    if shell.options.json:
        shell.say_json(as_json(result) | {"refused": refused_as_json(shell, result.draft.refused)})
        return
    lines = (*result.draft.pending, *result.draft.newsletters)
    shell.say(shell.count(*pending, len(lines)) if lines else shell.words(none))
    listed = lines if shell.options.verbose else lines[:LISTED]
    for line in listed:
        shell.say(f"  {told(shell, line)}")
    if len(listed) < len(lines):
        more = shell.words("and {count} more; --verbose names all").format(count=len(lines) - len(listed))
        shell.say(f"  {more}")
    files = result.files
    said = shell.words("{folder}: {written}, {removed} removed, {kept} unchanged")
    written = shell.count("{count} file written", "{count} files written", len(files.written))
    shell.say(said.format(folder=shell.project.out, written=written, removed=len(files.removed), kept=files.kept))
    _tell_unfollowed(shell, files.removed)


def _tell_unfollowed(shell: Shell, removed: Iterable[str]) -> None:
    """Warns of calendars and feeds that are no longer there: whoever follows them hears nothing more, and not why."""
    gone = sorted(filter(_is_followed, removed), key=lambda path: (path.count("/"), path))
    if gone:
        said = shell.count(
            "warning: {count} calendar or feed that people may follow is gone; redirect its address, or tell them:",
            "warning: {count} calendars and feeds that people may follow are gone; redirect their addresses, or tell "
            "them:",
            len(gone),
        )
        named = gone[:NAMED] if len(gone) <= NAMED else [*gone[:NAMED], "…"]
        shell.complain(f"{said} {', '.join(named)}")


def _is_followed(path: str) -> bool:
    """Whether it is an address that `subscribe/` gives: calendars of one event and archives are none."""
    return _FOLLOWED.fullmatch(path) is not None


def as_json(result: Result) -> dict[str, object]:
    """The same for a program."""
    return {
        "changes": changes_as_json(result.draft.pending),
        "newsletters": [line.event for line in result.draft.newsletters],
        "written": list(result.files.written),
        "removed": list(result.files.removed),
        "unchanged": result.files.kept,
    }


def changes_as_json(lines: Iterable[Line]) -> list[dict[str, object]]:
    """Ledger lines for a program, without the facts."""
    return [{"event": line.event, "kind": line.kind.value, "changed": sorted(line.changed)} for line in lines]
