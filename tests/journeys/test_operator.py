"""The operator's commands from the command line: what is in doubt, what failed, what came back, what is wrong."""

import json
import mailbox
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from bounce_mail import delivery_report
from capture import Mailboxes, capture
from mail_sink import Sink, sink
from test_publishing import ROOT, project, tocsin
from test_season import INSTANTS, prepare

__all__ = ["project", "sink"]

NOW = ("--now", INSTANTS[0])
LATER = ("--now", INSTANTS[0].replace("10:00:", "10:02:"))
"""A clock that begins anew with each command would stand behind the one before on a slow machine."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Mailboxes, str]]:
    with capture(tmp_path / "mail") as running:
        yield running


def said(project: Path, *arguments: str, **environment: str) -> object:
    done = tocsin(project, *arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "point", ["after_claim", "after_start:2", "after_dot:3", "after_reply:2", "before_last_commit"]
)
def test_the_real_command_is_killed_and_the_next_one_sends_the_rest(project: Path, sink: Sink, point: str) -> None:
    prepare(project)
    url = f"smtp://127.0.0.1:{sink.port}"
    killed = tocsin(project, "send", *NOW, TOCSIN_SMTP_URL=url, TOCSIN_CRASH_AT=point)
    assert killed.returncode == -9, killed.stderr
    done = tocsin(project, "send", *LATER, TOCSIN_SMTP_URL=url)
    assert done.returncode == 0, done.stderr
    copies = Counter((recipient, message_from_bytes(body)["Message-ID"]) for recipient, body in sink.kept)
    assert len(copies) == 10
    assert copies.total() <= 11
    assert tocsin(project, "send", *LATER, TOCSIN_SMTP_URL=url).stdout.startswith("0 sent")


def test_what_is_in_doubt_is_listed_sent_again_or_dropped(project: Path, sink: Sink) -> None:
    prepare(project)
    url = f"smtp://127.0.0.1:{sink.port}"
    hold = ("--in-doubt", "hold")
    tocsin(project, "send", *NOW, *hold, TOCSIN_SMTP_URL=url, TOCSIN_CRASH_AT="after_dot:1")
    tocsin(project, "send", *LATER, *hold, TOCSIN_SMTP_URL=url)
    [doubtful] = said(project, "doubt", "list", *LATER)  # type: ignore[misc]
    assert doubtful["state"] == "doubt"
    vague = tocsin(project, "doubt", "resend", *LATER)
    assert (vague.returncode, "--all" in vague.stderr) == (2, True)
    again = tocsin(project, "doubt", "resend", doubtful["address"], *LATER)
    assert (again.returncode, again.stdout.startswith("1 letter")) == (0, True)
    assert "1 sent" in tocsin(project, "send", *LATER, TOCSIN_SMTP_URL=url).stdout
    ids = Counter(message_from_bytes(body)["Message-ID"] for _, body in sink.kept)
    assert (ids.total(), len(ids)) == (11, 10)
    assert tocsin(project, "doubt", "drop", "--all", *LATER).returncode == 1  # nothing is held any more


def test_doubt_that_is_dropped_goes_nowhere(project: Path, sink: Sink) -> None:
    prepare(project)
    url = f"smtp://127.0.0.1:{sink.port}"
    hold = ("--in-doubt", "hold")
    tocsin(project, "send", *NOW, *hold, TOCSIN_SMTP_URL=url, TOCSIN_CRASH_AT="after_start:1")
    tocsin(project, "send", *LATER, *hold, TOCSIN_SMTP_URL=url)
    assert tocsin(project, "doubt", "drop", "--all", *LATER).stdout == "1 letter counted as gone\n"
    assert "0 sent" in tocsin(project, "send", *LATER, TOCSIN_SMTP_URL=url).stdout
    assert len(sink.kept) == 9


def test_a_mailing_is_held_shown_as_such_and_let_go(project: Path, server: tuple[Mailboxes, str]) -> None:
    _, url = server
    prepare(project)
    key = "non-take-up/announced/0"
    assert tocsin(project, "hold", key, *NOW).returncode == 0
    plan = said(project, "plan", *NOW)
    assert [mail["key"] for mail in plan["mail"] if mail["held"]] == [key]  # type: ignore[index]
    assert f"held: {key}" in tocsin(project, "status", *NOW).stdout
    assert "8 sent" in tocsin(project, "send", *LATER, TOCSIN_SMTP_URL=url).stdout
    assert tocsin(project, "hold", "nobody/knows/0", *NOW).returncode == 2
    assert tocsin(project, "arm", key, *NOW).returncode == 0
    assert "2 sent" in tocsin(project, "send", *LATER, TOCSIN_SMTP_URL=url).stdout


def test_what_waits_can_be_taken_back_for_one_address(project: Path, server: tuple[Mailboxes, str]) -> None:
    boxes, url = server
    prepare(project)
    tocsin(project, "send", *NOW, TOCSIN_SMTP_URL="smtp://127.0.0.1:9")
    assert len(said(project, "outbox", "list", *NOW)) == 10  # type: ignore[arg-type]
    assert tocsin(project, "outbox", "cancel", "ANNA@reader.example", *NOW).stdout == "5 letters taken back\n"
    assert "5 sent" in tocsin(project, "send", *LATER, TOCSIN_SMTP_URL=url).stdout
    assert list(boxes.messages) == ["bertrand@lecteur.example"]
    assert tocsin(project, "outbox", "list", *LATER).stdout == "nothing waits, nothing has failed\n"
    got = said(project, "outbox", "list", "--state", "sent", *LATER)
    assert {(one["address"], one["state"]) for one in got} == {("bertrand@lecteur.example", "sent")}  # type: ignore[attr-defined]
    mailing = got[0]["mailing"]  # type: ignore[index]
    told = tocsin(project, "outbox", "list", "--state", "sent", "--mailing", mailing, *LATER).stdout
    assert re.fullmatch(rf"sent     2022-\d\d-\d\d [\d:]{{8}}Z  bertrand@lecteur\.example  {mailing}  250 .+\n", told)


def test_status_tells_the_next_mails_and_the_queue_in_words_and_for_programs(project: Path) -> None:
    prepare(project)
    tocsin(project, "send", *NOW, TOCSIN_SMTP_URL="smtp://127.0.0.1:9")
    found = said(project, "status", *NOW)
    [series] = found["series"].values()  # type: ignore[index]
    assert series["letters"] == {"pending": 10}
    assert series["coming"][0] == {"mailing": "non-take-up/two-weeks-before/0", "due": "2022-10-11T08:00:00+00:00"}
    assert "10 pending" in tocsin(project, "status", *NOW).stdout


def test_a_test_mail_shows_the_servers_own_words(project: Path, server: tuple[Mailboxes, str]) -> None:
    boxes, url = server
    done = tocsin(project, "test-mail", "Ana@Reader.example", TOCSIN_SMTP_URL=url)
    assert done.returncode == 0, done.stderr
    [message] = boxes.messages["Ana@reader.example"]
    assert str(message_from_bytes(message, policy=policy.default)["Subject"]).startswith("[Test] ")
    assert b"unsubscribe" not in message
    assert not (project / "var").exists()
    assert tocsin(project, "test-mail", "nobody", TOCSIN_SMTP_URL=url).returncode == 2
    assert tocsin(project, "test-mail", "a@b.example", TOCSIN_SMTP_URL="smtp://127.0.0.1:9").returncode == 3


def test_bounces_are_read_from_a_maildir_an_mbox_and_standard_input_once(
    project: Path, sink: Sink, tmp_path: Path
) -> None:
    prepare(project)
    tocsin(project, "send", *NOW, TOCSIN_SMTP_URL=f"smtp://127.0.0.1:{sink.port}")
    report = delivery_report(to=sink.senders["anna@reader.example"])
    maildir = mailbox.Maildir(tmp_path / "Maildir", create=True)
    maildir.add(report)
    done = tocsin(project, "bounces", str(tmp_path / "Maildir"), *NOW)
    assert done.returncode == 0, done.stderr
    assert "anna@reader.example gets no more mail" in done.stdout
    assert "anna@reader.example  en  bounced" in tocsin(project, "subscribers", "list").stdout
    [(_, kept)] = maildir.items()
    assert (kept.get_subdir(), "S" in kept.get_flags()) == ("cur", True)
    box = mailbox.mbox(tmp_path / "mbox")
    box.add(report)
    box.add(delivery_report(to=sink.senders["bertrand@lecteur.example"], status="4.2.2"))
    box.flush()
    box.close()
    counted = said(project, "bounces", str(tmp_path / "mbox"), *NOW)
    assert (counted["soft"], counted["suspended"]) == (1, 0)  # type: ignore[index]
    piped = subprocess.run(
        [sys.executable, "-m", "pipeline", "bounces", "--json", *NOW], input=report, cwd=project,
        env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(piped.stdout)["known"] == 1
    assert tocsin(project, "bounces", str(tmp_path / "nowhere"), *NOW).returncode == 2


def test_the_doctor_names_what_is_in_the_way(project: Path, server: tuple[Mailboxes, str]) -> None:
    _, url = server
    tocsin(project, "publish", "--now", "2022-09-01T10:00:00Z")
    ill = tocsin(project, "doctor", "--no-dns", *NOW)
    assert (ill.returncode, "TOCSIN_SMTP_URL" in ill.stdout) == (3, True)
    assert "look  outgoing mail: nothing is sent before `tocsin arm`" in ill.stdout
    tocsin(project, "arm")
    well = tocsin(project, "doctor", "--no-dns", *NOW, TOCSIN_SMTP_URL=url)
    assert well.returncode == 0, well.stdout
    assert {line[:4] for line in well.stdout.splitlines()} == {"ok  "}
    tocsin(project, "send", "--now", "2023-01-01T00:00:00Z", TOCSIN_SMTP_URL=url)
    back = {one["what"]: one for one in json.loads(tocsin(project, "doctor", "--no-dns", "--json", *NOW).stdout)}
    assert back["clock"]["health"] == "bad"


def _hang_up_on_one(listening: socket.socket) -> None:
    listening.accept()[0].close()


def test_the_doctor_tells_of_a_mail_server_that_hangs_up(project: Path) -> None:
    tocsin(project, "publish", "--now", "2022-09-01T10:00:00Z")
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    threading.Thread(target=_hang_up_on_one, args=(closed,), daemon=True).start()
    done = tocsin(project, "doctor", "--no-dns", *NOW, TOCSIN_SMTP_URL=f"smtp://127.0.0.1:{port}")
    assert (done.returncode, f"bad   mail server: 127.0.0.1:{port}" in done.stdout) == (3, True)
    closed.close()


def test_a_dkim_key_signs_what_leaves(project: Path, server: tuple[Mailboxes, str]) -> None:
    import dkim
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from pipeline.letters.dkim_keys import read_key

    boxes, url = server
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (project / "dkim.pem").write_bytes(pem)
    record = "mail._domainkey.digitize.example"
    setting = {"TOCSIN_SMTP_URL": url, "TOCSIN_DKIM_KEY": f"{record}:dkim.pem"}
    done = tocsin(project, "test-mail", "ana@reader.example", **setting)
    assert done.returncode == 0, done.stderr
    [message] = boxes.messages["ana@reader.example"]
    signed = message[message.index(b"DKIM-Signature:") :]
    entry = read_key(record, pem).entry.encode()
    assert dkim.verify(signed, dnsfunc=lambda *_, **__: entry)
    wrong = tocsin(project, "test-mail", "a@b.example", TOCSIN_SMTP_URL=url, TOCSIN_DKIM_KEY=f"{record}:missing.pem")
    assert (wrong.returncode, "missing.pem" in wrong.stderr) == (2, True)
