"""`tocsin ledger`: what was published when, for people; whether the file is whole; making it whole."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from pipeline.actions.bookkeeping import mended, pending, verified
from pipeline.actions.project import read_ledger
from pipeline.commands.reader import as_json
from pipeline.commands.shell import DONE, WRONG, Shell
from pipeline.errors import CatalogueError, Problem, Severity
from pipeline.language import say_day
from pipeline.ledger import Facts, Ledger, Line, LineKind
from pipeline.phrases.changes import Change
from pipeline.phrases.history import fact_changes, kind_word, title_in


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `ledger`."""
    parser.add_argument(
        "verb", metavar="log|verify|diff|mend", choices=("log", "verify", "diff", "mend"),
        help="log: what was published when; verify: whether the file is whole; diff: what publishing would add; "
        "mend: repair what a merge or a crash has left",
    )  # fmt: skip
    parser.add_argument(
        "events", metavar="ID", nargs="*", default=[], help="only these events and newsletters (log, diff)"
    )


def run(shell: Shell) -> int:
    """Does what the verb says."""
    return {"log": _log, "verify": _verify, "diff": _diff, "mend": _mend}[shell.options.verb](shell)


# ------------------------------------------------------------------------------------------- log and diff


def _log(shell: Shell) -> int:
    histories = _histories(read_ledger(shell.project), shell)
    if shell.options.json:
        shell.say_json_list(entry for lines in histories for entry in _entries(lines, shell.language))
        return DONE
    if not histories:
        shell.say(shell.words("nothing was published yet"))
    for lines in histories:
        _say_history(shell, lines)
    return DONE


def _histories(ledger: Ledger, shell: Shell) -> list[Sequence[Line]]:
    """The lines of each event that was asked for, and each newsletter."""
    known = dict.fromkeys((*ledger.events, *(line.event for line in ledger.newsletters)))
    chosen = _chosen(shell, tuple(known))
    newsletters = [(line,) for line in ledger.newsletters if line.event in chosen]
    return [*(lines for event in chosen if (lines := ledger.of(event))), *newsletters]


def _say_history(shell: Shell, lines: Sequence[Line]) -> None:
    last = lines[-1]
    shell.say(f"{last.event} · {title_in(last.facts, shell.language)}")
    before = None
    for line in lines:
        shell.say(f"  {_moment(line, shell.language)}  {kind_word(line, shell.words)}")
        _say_changes(shell, fact_changes(before, line.facts, shell.language))
        before = line.facts


def _diff(shell: Shell) -> int:
    ledger, lines, gone = pending(shell.project, shell.clock.now())
    lines = (line for line in lines if not shell.options.events or line.event in shell.options.events)
    if shell.options.json:
        shell.say_json_list(_entry(_last_before(ledger, line), line, shell.language) for line in lines)
        return DONE
    line = None
    for line in lines:
        before = _last_before(ledger, line)
        said = kind_word(line, shell.words)
        name = f"{line.event} · {title_in(line.facts, shell.language)}"
        shell.say(shell.words("{name}: {what}").format(name=name, what=said))
        _say_changes(shell, fact_changes(before, line.facts, shell.language))
    for event in gone:
        shell.complain(
            shell.words("{event} was published and is gone; type: tocsin retire {event}").format(event=event)
        )
    if line is None and not gone:
        shell.say(shell.words("everything is published"))
    return WRONG if gone else DONE


def _last_before(ledger: Ledger, line: Line) -> Facts | None:
    """The facts that were published last of what a line tells of."""
    history = () if line.kind is LineKind.NEWSLETTER else ledger.of(line.event)
    return history[-1].facts if history else None


def _chosen(shell: Shell, known: Sequence[str]) -> Sequence[str]:
    for event in shell.options.events:
        if event not in known:
            name = shell.project.ledger.name
            raise CatalogueError([Problem(name, 0, f'event "{event}"', "it was never published", "check its id")])
    return shell.options.events or known


def _entries(lines: Iterable[Line], language: str) -> Iterator[dict[str, object]]:
    before = None
    for line in lines:
        yield _entry(before, line, language)
        before = line.facts


def _entry(before: Facts | None, line: Line, language: str) -> dict[str, object]:
    return {
        "newsletter" if line.kind is LineKind.NEWSLETTER else "event": line.event,
        "at": line.at.isoformat(),
        "kind": line.kind.value,
        "changed": sorted(line.changed),
        "facts": [change._asdict() for change in fact_changes(before, line.facts, language)],
    }


def _say_changes(shell: Shell, changes: Iterable[Change]) -> None:
    for change in changes:
        after = change.after or shell.words("(nothing)")
        said = f"{change.before} → {after}" if change.before else after
        shell.say("      " + shell.words("{name}: {what}").format(name=change.fact, what=said))


def _moment(line: Line, language: str) -> str:
    """When it was published, in the event's own zone."""
    name = line.facts.get("timezone")
    try:
        local = line.at.astimezone(ZoneInfo(name if isinstance(name, str) else "UTC"))
    except (ValueError, OSError, KeyError):
        local = line.at
    return f"{say_day(local.date(), language, 'short')}, {local:%H:%M}"


# ------------------------------------------------------------------------------------------- verify and mend


def _verify(shell: Shell) -> int:
    problems = verified(shell.project)
    errors = any(problem.severity is Severity.ERROR for problem in problems)
    if shell.options.json:
        shell.say_json({"valid": not errors, "problems": [as_json(problem, shell.words) for problem in problems]})
    else:
        shell.tell_problems(problems)
        if not problems:
            shell.say(shell.words("{file} is whole").format(file=shell.project.ledger.name))
    return WRONG if errors else DONE


def _mend(shell: Shell) -> int:
    done = mended(shell.project)
    if shell.options.json:
        shell.say_json([as_json(note, shell.words) for note in done])
        return DONE
    for note in done:
        shell.say(note.show(shell.words))
    if not done:
        shell.say(shell.words("{file} is whole").format(file=shell.project.ledger.name))
    return DONE
