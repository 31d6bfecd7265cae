"""`tocsin test-mail`: one letter to one address, to see that mail leaves and arrives."""

import argparse
import secrets

from pipeline.actions.build import draft
from pipeline.commands.sending import keys_of, server_of
from pipeline.commands.shell import DONE, OUTSIDE, Shell
from pipeline.delivery import Fate
from pipeline.delivery.connection import connect
from pipeline.letters import Recipient, finish
from pipeline.letters.posting import post_of
from pipeline.letters.trial import trial_letter
from pipeline.rendering import Renderer
from pipeline.store.addresses import normalised


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `test-mail`."""
    parser.add_argument("address", metavar="ADDRESS", help="who shall get it")


def run(shell: Shell) -> int:
    """Sends it, and tells the mail server's own words. Neither database nor ledger is touched."""
    box = normalised(shell.options.address)
    server, now = server_of(shell), shell.clock.now()
    edition = draft(shell.project, now).edition
    # No link in it needs a key that lasts.
    key = secrets.token_bytes(32)
    post = post_of(edition.catalogue, key, keys_of(shell)).to_mailing_list()
    letter = trial_letter(edition, post, Renderer(shell.project.own_templates))
    message = finish(letter, Recipient(0, box.mailbox, "test"), f"test/{now.isoformat()}", now, post)
    transport = connect(server)
    try:
        outcome = transport.send(message)
    finally:
        transport.close()
    if outcome.fate is Fate.ACCEPTED:
        said = shell.words("{server} took it for {address}: {answer}; now look whether it arrives")
        shell.say(said.format(server=server.place, address=box.address, answer=outcome.told))
        return DONE
    said = shell.words("{server} didn't take it for {address}: {answer}")
    shell.complain(said.format(server=server.place, address=box.address, answer=outcome.told))
    return OUTSIDE
