"""`tocsin post`: from a pipeline without a server, what is due to the mailing lists of `[mail] lists`."""

import argparse
import secrets

from pipeline.actions.mailing import Office
from pipeline.actions.posting import Posted, Run, journal_of, settle_doubt
from pipeline.actions.project import read_catalogue, read_ledger
from pipeline.actions.send import BRAKE
from pipeline.commands.sending import keys_of, server_of
from pipeline.commands.shell import DONE, OUTSIDE, WRONG, Shell
from pipeline.delivery.connection import connect
from pipeline.edition import Edition, as_of
from pipeline.errors import SettingsError
from pipeline.reminders.posted import Line, Stage, due_posts
from pipeline.rendering import Renderer
from pipeline.repository import SharedFile
from pipeline.testing import crash_point

JOURNAL = "sent.jsonl"
SIGNED = b"posts to lists carry no token that could be guessed"
"""Only names things: a letter to a list holds no link that is a secret of its reader."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `post`."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be posted, post nothing")
    parser.add_argument("--remote", default="origin", metavar="NAME", help="where the journal is pushed (origin)")
    parser.add_argument("--branch", default="tocsin-sent", metavar="NAME",
                        help=f"the branch that holds the journal {JOURNAL} and nothing else (tocsin-sent)")  # fmt: skip
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--resend", metavar="KEY", help="post a mailing again of which nobody knows if it arrived")
    either.add_argument("--drop", metavar="KEY", help="leave such a mailing as it is, and say no more of it")


def run(shell: Shell) -> int:
    """Posts, and tells what came of it."""
    file = SharedFile(shell.project.folder, shell.options.remote, shell.options.branch, JOURNAL)
    _refuse_options(shell)
    edition = _published(shell)
    if (key := shell.options.drop or shell.options.resend) is not None:
        return _settled(shell, file, key)
    if edition.catalogue.mail.hold:
        shell.complain(shell.words("nothing was posted: {reason}").format(reason=shell.words(BRAKE)))
        return WRONG
    if shell.options.dry_run:
        return _foretold(shell, edition, file)
    server = server_of(shell)
    key_of_marks = (shell.settings.secret or "").encode() or SIGNED
    office = Office(Renderer(shell.project.own_templates), key_of_marks, shell.settings.variables, keys_of(shell))
    checkpoint = crash_point()
    name = secrets.token_hex(8)
    done = Run(edition, office, file, lambda: connect(server, checkpoint), shell.clock, name, checkpoint).post_due()
    return _told(shell, done)


def _refuse_options(shell: Shell) -> None:
    """A name that git would take for an option is none."""
    for name in (shell.options.remote, shell.options.branch):
        if name.startswith("-") or not name.strip():
            raise SettingsError("{name!r} can't be meant: write --remote origin --branch tocsin-sent", name=name)


def _published(shell: Shell) -> Edition:
    """The edition that the committed ledger holds: an edit reaches nobody before it is published."""
    now = shell.clock.now()
    catalogue, ledger = read_catalogue(shell.project, now).catalogue, read_ledger(shell.project)
    return as_of(Edition(catalogue, ledger, now.astimezone(catalogue.series.zone).date()), now)


def _settled(shell: Shell, file: SharedFile, key: str) -> int:
    stage = Stage.DROPPED if shell.options.drop else Stage.WAITING
    lines = settle_doubt(file, key, stage, shell.clock)
    if not lines:
        said = shell.words("no mailing {key!r} is in doubt; see them with: tocsin post --dry-run")
        shell.complain(said.format(key=key))
        return WRONG
    for line in lines:
        shell.say(f"{line.stage.value}  {line.to}  {line.mail}")
    return DONE


def _foretold(shell: Shell, edition: Edition, file: SharedFile) -> int:
    journal, now = journal_of(file), shell.clock.now()
    found = due_posts(edition, journal, now)
    if shell.options.json:
        shell.say_json([{"mail": post.occasion.key, "to": post.mailing_list.address} for post in found])
    else:
        for post in found:
            shell.say(f"{post.mailing_list.address}  {post.occasion.key}")
        shell.say(shell.count("{count} would be posted now", "{count} would be posted now", len(found)))
    _tell_doubt(shell, journal.doubtful(now))
    return DONE


def _told(shell: Shell, done: Posted) -> int:
    if shell.options.json:
        shell.say_json(
            {
                "posts": [_as_json(line) for line in done.lines],
                "in_doubt": [_as_json(line) for line in done.doubtful],
                "in_hand": [_as_json(line) for line in done.in_hand],
                "not_composed": list(map(str, done.not_composed)),
                "trouble": str(done.trouble or ""),
            }
        )
    else:
        for line in done.lines:
            shell.say(f"{line.stage.value}  {line.to}  {line.mail}  {line.said}")
        posted = sum(line.stage is Stage.SENT for line in done.lines)
        shell.say(shell.count("{count} posted", "{count} posted", posted))
    for line in done.in_hand:
        shell.tell(shell.words("another run is at it: {list}  {mailing}").format(list=line.to, mailing=line.mail))
    for error in done.not_composed:
        said = shell.words("a letter could not be composed and waits: {what}")
        shell.complain(said.format(what=error.said(shell.words)))
    _tell_doubt(shell, done.doubtful)
    if done.trouble:
        said = shell.words("{trouble}; what is due waits")
        shell.complain(said.format(trouble=done.trouble.said(shell.words)))
        return OUTSIDE
    return WRONG if done.doubtful or done.not_composed else DONE


def _tell_doubt(shell: Shell, lines: tuple[Line, ...]) -> None:
    said = shell.words(
        "begun at {moment}, and nobody knows whether it arrived: {list}  {mailing}; look into the list's archive, "
        "then type: tocsin post --drop {mailing} (it is there), or --resend (it is not)"
    )
    for line in lines:
        shell.complain(said.format(moment=f"{line.at:%Y-%m-%d %H:%M}Z", list=line.to, mailing=line.mail))


def _as_json(line: Line) -> dict[str, str]:
    return {"mail": line.mail, "to": line.to, "stage": line.stage.value, "at": line.at.isoformat(), "said": line.said}
