"""A season's mail over a real SMTP conversation: everybody gets each mail once, as simulated."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from capture import Mailboxes, capture
from patience import PATIENCE, until
from test_publishing import ROOT, edit, project, tocsin
from test_service import answers, ended, free_place, parsed

__all__ = ["project"]

SUBSCRIBERS = """address,language,kinds,tags,consent
anna@reader.example,en,,,on paper
bertrand@lecteur.example,fr,,,on paper
changes@reader.example,en,changes,,on paper
reminders@lecteur.example,fr,reminders,,on paper
"""
# Every instant at which something of the seed falls due, a little late as a cron job is.
INSTANTS = (
    "2022-09-01T10:00:30Z", "2022-10-11T08:04:00Z", "2022-10-23T08:04:00Z", "2022-10-25T06:04:00Z",
    "2022-11-10T09:04:00Z",
    "2022-11-22T09:04:00Z", "2022-11-24T07:04:00Z", "2023-01-05T09:04:00Z", "2023-01-17T09:04:00Z",
    "2023-01-19T07:04:00Z",
    "2023-01-19T09:04:00Z", "2023-01-31T09:04:00Z", "2023-02-02T07:04:00Z", "2023-06-01T00:00:00Z",
)  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Mailboxes, str]]:
    with capture(tmp_path / "mail") as running:
        yield running


def prepare(project: Path) -> None:
    (project / "readers.csv").write_text(SUBSCRIBERS)
    for command in (["publish", "--now", "2022-09-01T10:00:00Z"], ["subscribers", "import", "readers.csv"], ["arm"]):
        done = tocsin(project, *command)
        assert done.returncode == 0, done.stderr


def test_the_real_season_sends_what_the_simulation_showed_and_each_mail_once(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    prepare(project)
    simulated = tocsin(project, "simulate", "--letters", "letters", "--subscribers", "readers.csv")
    assert simulated.returncode == 0, simulated.stderr
    for now in INSTANTS:
        for _again in range(2):
            done = tocsin(project, "send", "--now", now, TOCSIN_SMTP_URL=url)
            assert done.returncode == 0, done.stderr + done.stdout
    expected = {
        folder.name: [str(parsed(file.read_bytes())["Subject"]) for file in sorted(folder.iterdir())]
        for folder in (project / "letters").iterdir()
    }
    sent = {address: [str(parsed(message)["Subject"]) for message in got] for address, got in boxes.messages.items()}
    assert sent == expected
    assert {address: len(subjects) for address, subjects in sent.items()} == {
        "anna@reader.example": 17, "bertrand@lecteur.example": 17, "reminders@lecteur.example": 12,
    }  # fmt: skip
    ids = [parsed(message)["Message-ID"] for got in boxes.messages.values() for message in got]
    assert len(set(ids)) == len(ids)


def test_nothing_leaves_before_arm_and_the_waiting_mail_is_shown(project: Path, server: tuple[Mailboxes, str]) -> None:
    boxes, url = server
    prepare(project)
    tocsin(project, "hold")
    done = tocsin(project, "send", "--now", INSTANTS[0], TOCSIN_SMTP_URL=url)
    assert done.returncode == 1
    assert "anna@reader.example" in done.stdout
    assert not boxes.messages
    dry = tocsin(project, "send", "--dry-run", "--now", INSTANTS[0])
    assert "10 letters would leave now" in dry.stdout
    tocsin(project, "arm")
    assert "10 sent" in tocsin(project, "send", "--now", INSTANTS[0], TOCSIN_SMTP_URL=url).stdout


def test_an_edit_reaches_nobody_before_it_is_published_and_then_everybody_once(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    prepare(project)
    tocsin(project, "send", "--now", INSTANTS[0], TOCSIN_SMTP_URL=url)
    edit(project, 'weekday = "Thursday"\ntime = "19:00"', 'weekday = "Thursday"\ntime = "19:30"')
    assert "0 sent" in tocsin(project, "send", "--now", "2022-10-05T10:00:00Z", TOCSIN_SMTP_URL=url).stdout
    tocsin(project, "publish", "--now", "2022-10-05T10:00:00Z")
    assert "0 sent" in tocsin(project, "send", "--now", "2022-10-05T10:05:00Z", TOCSIN_SMTP_URL=url).stdout
    # Told: two who were mailed about it, the one who chose changes, the one who is due a reminder.
    assert "4 sent" in tocsin(project, "send", "--now", "2022-10-05T10:11:00Z", TOCSIN_SMTP_URL=url).stdout
    assert "0 sent" in tocsin(project, "send", "--now", "2022-10-05T10:12:00Z", TOCSIN_SMTP_URL=url).stdout
    english, french = (parsed(boxes.messages[name][-1]) for name in ("anna@reader.example", "bertrand@lecteur.example"))
    assert english["Subject"] == "New time: Thu 24 Nov 2022, 19:30 · The consequences of digitization for social work"
    assert "24 nov. 2022, 19:30" in french["Subject"].replace("\xa0", " ")
    [calendar] = [part for part in english.walk() if part.get_content_type() == "text/calendar"]
    text = calendar.get_content()
    assert "SEQUENCE:1" in text
    assert "DTSTART:20221124T183000Z" in text
    assert "UID:social-work@digitize-and-conquer.digitize.example" in text


def test_a_cancelled_event_sends_one_notice_with_method_cancel_and_no_reminder(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    prepare(project)
    tocsin(project, "send", "--now", INSTANTS[0], TOCSIN_SMTP_URL=url)
    edit(project, "number = 1\n", 'number = 1\nstatus = "cancelled"\nnotice = "The room is flooded."\n')
    tocsin(project, "publish", "--now", "2022-10-25T05:00:00Z")
    # The event is today: it leaves at once, quiet hours or not.
    assert "4 sent" in tocsin(project, "send", "--now", "2022-10-25T05:00:30Z", TOCSIN_SMTP_URL=url).stdout
    message = parsed(boxes.messages["anna@reader.example"][-1])
    assert message["Subject"].startswith("Cancelled: ")
    assert "The room is flooded." in message.get_body(("plain",)).get_content()
    [calendar] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert calendar["Content-Type"].params["method"] == "CANCEL"
    assert {"METHOD:CANCEL", "STATUS:CANCELLED"} <= set(calendar.get_content().splitlines())
    assert "0 sent" in tocsin(project, "send", "--now", "2022-10-25T06:30:00Z", TOCSIN_SMTP_URL=url).stdout


def test_a_clock_that_was_set_meets_only_a_server_on_this_machine(project: Path) -> None:
    done = tocsin(project, "send", "--now", INSTANTS[0], TOCSIN_SMTP_URL="smtp+starttls://u:p@mail.example.org")
    assert done.returncode == 2
    assert "127.0.0.1" in done.stderr


def test_a_mail_server_that_is_away_blames_nobody_and_everything_waits(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    prepare(project)
    away = tocsin(project, "send", "--now", INSTANTS[0], TOCSIN_SMTP_URL="smtp://127.0.0.1:9")
    assert away.returncode == 3
    assert "can't be used" in away.stderr
    assert "10 sent" in tocsin(project, "send", "--now", "2022-09-01T10:05:00Z", TOCSIN_SMTP_URL=url).stdout
    assert sum(map(len, boxes.messages.values())) == 10


@contextmanager
def whole_service(project: Path, url: str) -> Iterator[httpx.Client]:
    """The service as a process that shares nothing with the tests, and a client that talks to it."""
    place = free_place()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    with (project / "service.log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "--now", INSTANTS[0], "--listen", place, "--every", "0.5"],
            cwd=project, env={**clean, "PYTHONPATH": str(ROOT), "TOCSIN_SMTP_URL": url},
            stdout=log, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://{place}", timeout=PATIENCE) as client:
            until(lambda: answers(client) or process.poll() is not None)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        status = ended(process)
    said = (project / "service.log").read_text()
    assert (status, "Traceback" in said) == (0, False), said


def test_the_service_sends_what_falls_due_answers_one_click_and_ends_at_a_signal(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    prepare(project)
    with whole_service(project, url) as client:
        until(lambda: sum(map(len, boxes.messages.values())) == 10)
        header = parsed(boxes.messages["anna@reader.example"][0])["List-Unsubscribe"]
        path = re.search(r"<https://digitize\.example(/unsubscribe/[\w-]+)>", header)[1]  # type: ignore[index]
        shown = client.get(path)
        assert (shown.status_code, '<form method="post">' in shown.text) == (200, True)
        assert "anna@reader.example  en  active" in tocsin(project, "subscribers", "list").stdout
        for _twice in range(2):
            left = client.post(path, data={"List-Unsubscribe": "One-Click"})
            assert left.status_code == 200
        assert "anna@reader.example  en  unsubscribed" in tocsin(project, "subscribers", "list").stdout
        for wrong in (path[:-1] + ("A" if path[-1] != "A" else "B"), path + "x", "/unsubscribe/x", "/unsubscribe/%00"):
            assert client.post(wrong).status_code == 404
        assert client.get("/healthz").json()["ok"] is True


def test_what_comes_too_late_is_dropped_and_said(project: Path, server: tuple[Mailboxes, str]) -> None:
    boxes, url = server
    prepare(project)
    done = tocsin(project, "send", "--now", "2022-09-03T10:00:00Z", TOCSIN_SMTP_URL=url)
    assert done.returncode == 0, done.stderr
    assert "too late to be of use, dropped: non-take-up/announced/0" in done.stderr
    assert not boxes.messages
    again = tocsin(project, "send", "--now", "2022-09-03T10:05:00Z", TOCSIN_SMTP_URL=url)
    assert "too late" not in again.stderr


def test_a_letter_that_can_not_be_composed_is_said_by_simulate_and_by_send(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    prepare(project)
    edit(project, "number = 1\n", 'number = 1\nonline = { secret = "TOCSIN_ROOM" }\n')
    tocsin(project, "publish", "--now", "2022-10-01T10:00:00Z")
    simulated = tocsin(project, "simulate", "--subscribers", "readers.csv")
    assert (simulated.returncode, "TOCSIN_ROOM" in simulated.stderr) == (1, True)
    done = tocsin(project, "send", "--now", INSTANTS[1], TOCSIN_SMTP_URL=url)
    assert (done.returncode, "TOCSIN_ROOM" in done.stderr) == (1, True)
    named = tocsin(project, "send", "--now", INSTANTS[1], TOCSIN_SMTP_URL=url, TOCSIN_ROOM="https://room.example/1")
    assert (named.returncode, "3 sent" in named.stdout) == (0, True)
    assert (
        "https://room.example/1" in parsed(boxes.messages["anna@reader.example"][-1]).get_body(("plain",)).get_content()
    )
