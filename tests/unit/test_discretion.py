"""What the service writes down while it runs holds nobody's address, whatever a server or a database says."""

import logging
import traceback
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from publishing import HEAD, TALK, edition
from sqlalchemy import insert
from visiting import MAILING, Visited

from pipeline.actions.send import Sent
from pipeline.actions.terms import Delivered
from pipeline.alerts import Alarm
from pipeline.commands import run
from pipeline.errors import StoreError, TocsinError
from pipeline.store.tables import subscribers

ADA = "ada@reader.example"


@pytest.mark.parametrize("verbose", [False, True])
def test_the_words_of_a_mail_server_are_told_without_the_name_in_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, verbose: bool
) -> None:
    caplog.set_level(logging.INFO)
    visit = Visited(edition(TALK, head=HEAD + MAILING), tmp_path)
    said = f"mail.example:25: 550 5.7.1 <{ADA}>: Relay access denied (at RCPT)"
    sent = Sent(Delivered(waiting=1, trouble=TocsinError(said)), (TocsinError(f"a text names {ADA}"),))
    monkeypatch.setattr(run, "send_due", lambda *_given, **_more: sent)
    monkeypatch.setattr(run, "why_held", lambda *_given: "")
    told: list[str] = []
    shell: Any = SimpleNamespace(options=Namespace(verbose=verbose), clock=visit.clock)
    sender: Any = SimpleNamespace(here={})
    run.Rounds(shell, visit.database, sender, Alarm(told.append)).tick()
    visit.database.close()
    everything = "\n".join([caplog.text, *told])
    assert "Relay access denied" in caplog.text
    assert any("Relay access denied" in one for one in told)
    assert (ADA in everything) is verbose
    assert ("…@reader.example" in everything) is not verbose


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("550 5.1.1 <ada@reader.example>: no such user", "550 5.1.1 <…@reader.example>: no such user"),
        ('553 <"ada of here"@reader.example> is spelled badly', "553 <…@reader.example> is spelled badly"),
        ("550 ada+talks@[192.0.2.1] unknown", "550 …@[192.0.2.1] unknown"),
        ("b'ada@reader.example', rfc822;bob@b.example", "b'…@reader.example', rfc822;…@b.example"),
        ('mail.example:25: refused (111) @ 09:00, "quoted" words', None),
    ],
)
def test_only_the_part_of_an_address_that_tells_whose_it_is_is_hidden(words: str, told: str | None) -> None:
    shell: Any = SimpleNamespace(options=Namespace(verbose=False))
    nothing: Any = None
    assert run.Rounds(shell, nothing, nothing, nothing)._discreet(words) == (told or words)


def test_an_error_of_the_database_carries_no_address_into_a_log(tmp_path: Path) -> None:
    visit = Visited(edition(TALK, head=HEAD + MAILING), tmp_path)
    with pytest.raises(StoreError) as caught, visit.database.begin() as connection:
        connection.execute(insert(subscribers).values(series="talks", address=ADA, mailbox=ADA))
    visit.database.close()
    whole = "".join(traceback.format_exception(caught.value))
    assert "INSERT INTO subscribers" in whole  # all that is known of the statement, and nothing of what it held
    assert ADA not in whole
