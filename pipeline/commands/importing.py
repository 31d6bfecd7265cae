"""`tocsin import`: events from a file of another program."""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.actions.importing import Imported, ImportOptions, import_file
from pipeline.commands.groups import tell_refused
from pipeline.commands.reader import as_json
from pipeline.commands.shell import DONE, Shell
from pipeline.errors import N_, SettingsError
from pipeline.importing.merging import Change, Outcome, Verdict
from pipeline.language import translations, words

_SAID = {
    Verdict.NEW: N_("{event}: added, {title}"),
    Verdict.LINKED: N_("{event}: was there already, and is known from now on"),
    Verdict.CHANGED: N_("{event}: changed at the source, not here; to take it over: --update"),
    Verdict.UPDATED: N_("{event}: changed as at the source"),
    Verdict.TAKEN_OUT: N_(
        "{event}: was taken out here and stays out; to import it anew delete its line in imported.jsonl"
    ),
}
LONGEST = 60


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `import`."""
    parser.add_argument("file", help="an .ics, a CSV, a schedule.xml, a JSON or a saved page with schema.org events")
    parser.add_argument("--map", metavar='"Titre=title,…"', default="", dest="columns",
                        help="which column of a CSV is which key; `Column=` leaves it out")  # fmt: skip
    parser.add_argument("--dates", choices=("dmy", "mdy"), default="", help="how 07/05/2026 is meant in a CSV")
    parser.add_argument(
        "--update", action="store_true", help="take over what changed at the source since the last time"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell what would come of it, change nothing")


def run(shell: Shell) -> int:
    """Imports, and tells what came of each event and what was not carried over."""
    options = shell.options
    wishes = ImportOptions(_columns(options.columns), options.dates, options.update, options.dry_run)
    result = import_file(shell.project, Path(options.file), wishes, shell.words, words)
    if options.json:
        _say_json(shell, result)
        return DONE
    if result.existing is not None:
        tell_refused(shell, result.existing.refused, result.existing.catalogue)
    if not options.quiet:
        shell.tell_problems(result.lost)
    for outcome in result.outcomes:
        _say_outcome(shell, outcome, by_hand=outcome.event in result.by_hand)
    _say_counts(shell, result)
    return DONE


def _columns(text: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        column, equals, key = pair.rpartition("=")
        if not equals or not column.strip():
            raise SettingsError('--map {pair!r}: write "Column=key", several of them with commas between', pair=pair)
        columns[column.strip()] = key.strip()
    return columns


def _say_outcome(shell: Shell, outcome: Outcome, *, by_hand: bool) -> None:
    pattern = _SAID.get(outcome.verdict)
    if pattern is None:
        return
    if by_hand:
        pattern = N_("{event}: changed at the source; it can't be changed here safely, do it by hand:")
    title = next(iter(outcome.fitted.facts.get("title", {}).values()), "–")
    shell.say("  " + shell.words(pattern).format(event=outcome.event, title=_short(title)))
    for change in outcome.changes:
        shell.say(f"    {change.key}: {_value(shell, change.before)} → {_value(shell, change.after)}")


def _value(shell: Shell, value: Any) -> str:
    if value is None:
        return shell.words(N_("nothing"))
    if isinstance(value, dict):
        return _short(", ".join(f"{key}: {_value(shell, item)}" for key, item in value.items()))
    if isinstance(value, list | tuple):
        return _short("; ".join(_value(shell, item) for item in value))
    return _short(str(value))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _say_counts(shell: Shell, result: Imported) -> None:
    count = Counter(outcome.verdict for outcome in result.outcomes)
    plural = translations(shell.language).ngettext
    known = count[Verdict.SAME] + count[Verdict.LINKED]
    parts = [
        plural("{count} event added", "{count} events added", count[Verdict.NEW]).format(count=count[Verdict.NEW]),
        plural("{count} was there", "{count} were there", known).format(count=known),
        plural("{count} changed at the source", "{count} changed at the source", count[Verdict.CHANGED]).format(
            count=count[Verdict.CHANGED]
        ),
        plural("{count} updated", "{count} updated", count[Verdict.UPDATED]).format(count=count[Verdict.UPDATED]),
    ]
    dry = f" ({shell.words(N_('dry run: nothing was changed'))})" if shell.options.dry_run else ""
    shell.say(f"{shell.project.catalogue}: " + ", ".join(parts) + dry)
    if result.venues:
        shell.say(shell.words(N_("new places: {venues}")).format(venues=", ".join(result.venues)))


def _say_json(shell: Shell, result: Imported) -> None:
    events = (
        {
            "event": outcome.event,
            "outcome": outcome.verdict.value,
            "by_hand": outcome.event in result.by_hand,
            "changes": [_change(change) for change in outcome.changes],
        }
        for outcome in result.outcomes
    )
    others = {
        "venues": list(result.venues),
        "not_carried_over": [as_json(problem, shell.words) for problem in result.lost],
        "dry_run": shell.options.dry_run,
    }
    shell.say_json_object("events", events, others)


def _change(change: Change) -> dict[str, object]:
    return {"key": change.key, "before": change.before, "after": change.after}
