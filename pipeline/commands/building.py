"""What `tocsin build` does: `out/` as a draft, and a note of all that it was made from for the next time."""

import gc
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from datetime import datetime
from io import StringIO

from pipeline.actions.build import Result, build
from pipeline.actions.project import Project
from pipeline.actions.verdict_memory import KEPT_OF_BUILD, Looked, memory
from pipeline.commands.check import question
from pipeline.commands.checking import day_around
from pipeline.commands.groups import tell_refused
from pipeline.commands.running import keep_for_good
from pipeline.commands.shell import Shell
from pipeline.commands.telling import tell_result
from pipeline.edition import Edition
from pipeline.errors import N_, FileError
from pipeline.files import write_whole
from pipeline.reminders.newsletters import leaves_at
from pipeline.rendering import shipped_templates
from pipeline.staging import Written

SELDOM = 150_000
"""After how many new values garbage is looked for: a build after an edit of ten thousand events makes fewer."""


def run(shell: Shell) -> int:
    """Builds and tells what publishing would change; the next time, nothing is done where nothing is different."""
    with shell.project.alone():
        # Until the note is there: it tells how the files of this build stand, not those of the next one.
        now, looked = shell.clock.now(), Looked()
        project = replace(shell.project, looked=looked)
        _look(project, looked)
        gc.disable()  # what is read holds no cycles
        gc.set_threshold(SELDOM)
        result = build(project, now, shell.options.day, remarks=shell.options.verbose, drawn=keep_for_good)
        with suppress(OSError, FileError):  # where nothing can be written, nothing is kept
            write_whole(shell.project.folder / KEPT_OF_BUILD, _memory(shell, result, looked, now))
    return _tell(shell, result)


def _look(project: Project, looked: Looked) -> None:
    """Notes the catalogue and what shapes the files, before they are read; the ledger is noted as it is read."""
    looked.at_file(project.folder, project.catalogue.name)
    for folder in (project.templates, shipped_templates()):
        looked.at_tree(folder)


def _tell(shell: Shell, result: Result) -> int:
    pending = (N_("not published yet, {count} change:"), N_("not published yet, {count} changes:"))
    tell_result(shell, result, pending, N_("everything is published"))
    return tell_refused(shell, result.draft.refused, result.draft.edition.catalogue)


def _memory(shell: Shell, result: Result, looked: Looked, now: datetime) -> bytes:
    """What to say where nothing is different from now."""
    edition, files = result.draft.edition, result.files
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = _tell(shell, replace(result, files=Written(kept=len(files.written) + files.kept)))
    holds = _until_the_next_newsletter(day_around(now, edition.series.zone), edition, now)
    if result.draft.pending:
        # Its stamps are those of publishing in this very second.
        holds = (now.timestamp() // 1, now.timestamp() // 1 + 1)
    made = shell.project.out.absolute()
    return memory(question(shell.options), looked, status, (out.getvalue(), err.getvalue()), holds, made, files.stands)


def _until_the_next_newsletter(day: tuple[float, float], edition: Edition, now: datetime) -> tuple[float, float]:
    """The part of the day in which no newsletter becomes a page: one does at the instant at which it leaves."""
    leaves = [leaves_at(edition, newsletter).timestamp() for newsletter in edition.catalogue.newsletters]
    past, to_come = [at for at in leaves if at <= now.timestamp()], [at for at in leaves if at > now.timestamp()]
    return max((day[0], *past)), min((day[1], *to_come))
