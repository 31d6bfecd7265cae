"""How builds, publications and plans are told at the terminal."""

from collections.abc import Iterable

from pipeline.actions.build import Result
from pipeline.commands.shell import Shell, counted
from pipeline.ledger import Line, LineKind

VERBS = {
    LineKind.ANNOUNCED: "announced",
    LineKind.RETIRED: "retired",
    LineKind.CANCELLED: "cancelled",
    LineKind.POSTPONED: "postponed",
    LineKind.REINSTATED: "takes place after all",
    LineKind.CHANGED: "changed",
    LineKind.RECORDING: "has a recording",
    LineKind.EDITED: "text edited",
}


def told(line: Line) -> str:
    """One line of the ledger in words: `social-work: changed (time, venue)`."""
    changed = f" ({', '.join(sorted(line.changed))})" if line.changed else ""
    return f"{line.event}: {VERBS[line.kind]}{changed}"


def tell_result(shell: Shell, result: Result, pending: str, none: str) -> None:
    """What changed in the facts and on disk."""
    shell.tell_problems(result.draft.remarks if shell.options.verbose else ())
    if shell.options.json:
        shell.say_json(as_json(result))
        return
    lines = result.draft.pending
    shell.say(f"{pending}, {counted(len(lines), 'change')}:" if lines else none)
    for line in lines:
        shell.say(f"  {told(line)}")
    files = result.files
    shell.say(
        f"{shell.project.out}: {counted(len(files.written), 'file')} written, {len(files.removed)} removed, "
        f"{files.kept} unchanged"
    )


def as_json(result: Result) -> dict[str, object]:
    """The same for a program."""
    return {
        "changes": changes_as_json(result.draft.pending),
        "written": list(result.files.written),
        "removed": list(result.files.removed),
        "unchanged": result.files.kept,
    }


def changes_as_json(lines: Iterable[Line]) -> list[dict[str, object]]:
    """Ledger lines for a program, without the facts."""
    return [{"event": line.event, "kind": line.kind.value, "changed": sorted(line.changed)} for line in lines]
