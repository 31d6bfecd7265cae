"""`tocsin doctor`: looks at all that sending needs."""

import argparse
import os
from collections.abc import Iterator

from pipeline.actions.build import draft
from pipeline.actions.doctor import (
    Health,
    Observation,
    examine_clock,
    examine_database,
    examine_names,
    look_at,
    sender_of,
    trouble,
)
from pipeline.commands.sending import keys_of, server_of
from pipeline.commands.shell import DONE, OUTSIDE, Shell
from pipeline.delivery.connection import connect
from pipeline.delivery.names import texts_at
from pipeline.delivery.outside_clock import time_at
from pipeline.errors import N_, FileError, TocsinError
from pipeline.letters.posting import post_of
from pipeline.store.database import open_database
from pipeline.store.switch import installation

_WORDS = {Health.WELL: N_("ok"), Health.DOUBTFUL: N_("look"), Health.ILL: N_("bad")}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument("--no-dns", action="store_true", help="ask no name server and no web server")


def run(shell: Shell) -> int:
    """Tells one finding a line; exit 3 where something is in the way of sending."""
    found: list[Observation] = []
    for finding in _findings(shell):
        found.append(finding)
        if not shell.options.json:
            what, said = finding.in_words(shell.words)
            shell.say(
                f"{shell.words(_WORDS[finding.health]):4}  "
                + shell.words("{name}: {what}").format(name=what, what=said)
            )
    if shell.options.json:
        shell.say_json([_as_json(shell, finding) for finding in found])
    return OUTSIDE if any(one.health is Health.ILL for one in found) else DONE


def _as_json(shell: Shell, finding: Observation) -> dict[str, str]:
    what, said = finding.in_words(shell.words)
    return {"what": what, "health": finding.health.value, "said": said}


def _findings(shell: Shell) -> Iterator[Observation]:
    yield look_at(N_("folder"), lambda: _writable(shell), N_("{found} can be written"))
    yield from _of_catalogue(shell)
    try:
        with open_database(shell.database_url, shell.clock, create=False) as database:
            here = dict(installation(database, shell.settings.installation))
            yield from examine_database(database, here, shell.clock.now())
    except TocsinError as error:
        yield trouble(N_("database"), error)
    yield look_at(N_("mail server"), lambda: _reached(shell))


def _of_catalogue(shell: Shell) -> Iterator[Observation]:
    try:
        catalogue = draft(shell.project, shell.clock.now()).edition.catalogue
    except TocsinError as error:
        yield trouble(N_("catalogue"), error)
        return
    yield Observation(N_("catalogue"), Health.WELL, N_("{found} can be read"), {"found": shell.project.catalogue})
    if not shell.options.no_dns and shell.options.now is None:
        elsewhere = time_at(catalogue.site.url)
        yield examine_clock(shell.clock.now(), catalogue.site.url, elsewhere)
    sender = look_at(N_("sender"), lambda: sender_of(catalogue))
    yield sender
    if sender.health is Health.ILL:
        return
    try:
        keys = keys_of(shell)
    except TocsinError as error:
        yield trouble("DKIM", error)
        return
    if not shell.options.no_dns:
        yield from examine_names(post_of(catalogue, b""), keys, texts_at)


def _writable(shell: Shell) -> str:
    folder = shell.project.folder
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError("{folder} can't be written; check who owns it", folder=folder)
    return str(folder.resolve())


def _reached(shell: Shell) -> str:
    server = server_of(shell)
    transport = connect(server)
    try:
        logged_in = shell.words("{place}: {security}, logged in as {user}")
        pattern = logged_in if server.user else "{place}: {security}"
        return pattern.format(place=server.place, security=transport.security, user=server.user)
    finally:
        transport.close()
