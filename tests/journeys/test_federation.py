"""A federation from the command line: a group's slip stays its own, and only readers see a private link."""

import email
import email.policy
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture import capture
from test_publishing import tocsin, tree

MAIN = """
format = 1
include = ["groups/*.toml"]
[series]
id = "fed"
title = "The federation"
timezone = "Europe/Paris"
default_language = "en"
organiser = "The Federation"
[site]
url = "https://fed.example/"
[mail]
from = "The Federation <fed@fed.example>"
[[event]]
id = "assembly"
title = "General assembly"
date = 2027-06-01
time = "18:00"
online = { secret = "TOCSIN_HALL" }
"""
NOW = "2027-01-01T10:00:00Z"
LATER = "2027-01-02T10:00:00Z"


def group(number: int) -> str:
    return f"""
[group]
id = "g{number}"
name = "Group {number}"
reply_to = "group{number}@fed.example"
[[event]]
id = "talk-{number}"
title = "Talk of group {number}"
date = 2027-03-{number % 27 + 1:02}
time = "19:00"
"""


def federation(folder: Path, groups: int) -> Path:
    (folder / "groups").mkdir(parents=True)
    (folder / "events.toml").write_text(MAIN)
    for number in range(1, groups + 1):
        (folder / f"groups/g{number:02}.toml").write_text(group(number))
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_of_sixty_groups_two_make_a_mistake_and_all_others_are_published(tmp_path: Path) -> None:
    folder = federation(tmp_path / "fed", 60)
    assert tocsin(folder, "publish", "--now", NOW).returncode == 0
    for number in range(1, 61):
        edit(folder / f"groups/g{number:02}.toml", '"19:00"', '"20:00"')
    edit(folder / "groups/g07.toml", 'time = "20:00"', 'time = "20:00')
    edit(folder / "groups/g31.toml", 'id = "talk-31"', 'id = "talk-30"')

    checked = tocsin(folder, "check", "--json")
    assert checked.returncode == 1
    problems = json.loads(checked.stdout)["problems"]
    assert [(problem["file"], problem["line"]) for problem in problems] == [
        ("groups/g07.toml", 10),
        ("groups/g31.toml", 7),
    ]
    ledger = (folder / "ledger.jsonl").read_text()
    done = tocsin(folder, "publish", "--now", LATER)
    assert done.returncode == 1
    assert "published, 58 changes" in done.stdout
    added = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().removeprefix(ledger).splitlines()]
    assert {line["event"] for line in added} == {f"talk-{number}" for number in range(1, 61) if number not in {7, 31}}
    assert "groups/g07.toml:10: the text has no end" in done.stderr
    assert "groups/g31.toml:7: event \"talk-30\": id: 'talk-30' is used twice" in done.stderr
    for name in ("g7", "g31"):
        assert f'group "{name}" keeps its last published edition' in done.stderr
    hours = {
        int(re.findall(r"\d+", path)[0]): body
        for path, body in tree(folder / "out").items()
        if "talk-" in path and path.endswith(".ics")
    }
    assert len(hours) == 60
    assert {number for number, body in hours.items() if b"T180000Z" in body} == {7, 31}
    assert len(list((folder / "out/groups").glob("*/index.html"))) == 60

    edit(folder / "groups/g07.toml", 'time = "20:00', 'time = "20:00"')
    edit(folder / "groups/g31.toml", 'id = "talk-30"', 'id = "talk-31"')
    mended = tocsin(folder, "publish", "--now", LATER)
    assert mended.returncode == 0
    assert "published, 2 changes" in mended.stdout


def test_build_prints_the_slip_keeps_the_ledger_and_ends_with_1(tmp_path: Path) -> None:
    folder = federation(tmp_path / "fed", 2)
    tocsin(folder, "publish", "--now", NOW)
    before, ledger = tree(folder / "out"), (folder / "ledger.jsonl").read_bytes()
    (folder / "groups/g01.toml").write_bytes(group(1).encode().replace(b"Talk", b"T\xe4lk"))
    done = tocsin(folder, "build", "--now", NOW)
    assert done.returncode == 1
    assert "groups/g01.toml:8: the file is not in UTF-8" in done.stderr
    assert 'group "g1" keeps its last published edition' in done.stderr
    after = tree(folder / "out")
    # The manifest is in the order of publication: that of the remembered events is the ledger's.
    listed, before_listed = (sorted(json.loads(one.pop(".tocsin.json"))["files"]) for one in (after, before))
    assert listed == before_listed
    assert after == before
    assert (folder / "ledger.jsonl").read_bytes() == ledger
    told = json.loads(tocsin(folder, "build", "--json", "--now", NOW).stdout)
    assert [(one["file"], one["group"], len(one["problems"])) for one in told["refused"]] == [
        ("groups/g01.toml", "g1", 1)
    ]


def test_a_broken_main_file_and_a_vanished_group_file_change_nothing(tmp_path: Path) -> None:
    folder = federation(tmp_path / "fed", 2)
    tocsin(folder, "publish", "--now", NOW)
    before = tree(folder / "out")
    (folder / "groups/g02.toml").unlink()
    gone = tocsin(folder, "publish", "--now", LATER)
    assert gone.returncode == 1
    assert "tocsin retire talk-2" in gone.stderr
    assert 'status = "cancelled"' in gone.stderr
    (folder / "groups/g02.toml").write_text(group(2))
    edit(folder / "events.toml", "format = 1", "format = 2")
    refused = tocsin(folder, "publish", "--now", LATER)
    assert refused.returncode == 1
    assert "nothing was changed" in refused.stderr
    assert tree(folder / "out") == before


def test_a_ledger_spoilt_by_hand_is_refused_with_its_line_and_the_way_out(tmp_path: Path) -> None:
    folder = federation(tmp_path / "fed", 1)
    tocsin(folder, "publish", "--now", NOW)
    edit(folder / "ledger.jsonl", '"time":"19:00"', '"time":"25:99"')
    edit(folder / "groups/g01.toml", "Talk of", "Talk by")
    for command in ("build", "publish", "check", "plan"):
        done = tocsin(folder, command, "--now", LATER)
        assert done.returncode == 1, command
        assert 'ledger.jsonl:2: event "talk-1": the facts of this line are not those of an event' in done.stderr
        assert "git checkout ledger.jsonl" in done.stderr
    assert tocsin(folder, "ledger", "verify").returncode == 1
    edit(folder / "groups/g01.toml", "date = 2027", "date = 27")
    both = tocsin(folder, "check").stderr
    assert "ledger.jsonl:2:" in both
    assert "groups/g01.toml:9:" in both


# ------------------------------------------------------------------------------------------- mail


@pytest.fixture
def armed(tmp_path: Path) -> Iterator[tuple[Path, dict[str, list[bytes]], dict[str, str]]]:
    """A published federation with one reader, whose first group has a private link; its boxes; the environment."""
    folder = federation(tmp_path / "fed", 2)
    edit(
        folder / "groups/g01.toml",
        "[[event]]",
        '[defaults]\nonline = { secret = "TOCSIN_ROOM", label = "Room" }\n[[event]]',
    )
    for command in (["publish", "--now", NOW], ["subscribers", "add", "ana@reader.example"], ["arm"]):
        done = tocsin(folder, *command)
        assert done.returncode == 0, done.stderr
    with capture(tmp_path / "mail") as (boxes, url):
        yield folder, boxes.messages, {"TOCSIN_SMTP_URL": url}


def test_reminders_of_a_refused_group_leave_as_last_published_and_are_answered_to_it(
    armed: tuple[Path, dict[str, list[bytes]], dict[str, str]],
) -> None:
    folder, boxes, server = armed
    edit(folder / "groups/g02.toml", 'time = "19:00"', 'time = "20:0"')
    edit(folder / "groups/g02.toml", "group2@", "nobody@")
    assert tocsin(folder, "publish", "--now", LATER).returncode == 1
    done = tocsin(folder, "send", "--now", "2027-03-01T09:04:00Z", **server)
    assert "1 sent" in done.stdout, done.stderr
    [message] = [email.message_from_bytes(body, policy=email.policy.default) for body in boxes["ana@reader.example"]]
    assert "Talk of group 2" in message["Subject"]
    assert "19:00" in message["Subject"]
    assert message["Reply-To"] == "group2@fed.example"


LINKS = {"TOCSIN_ROOM": "https://room.example/s3cret-of-a-group", "TOCSIN_HALL": "https://hall.example/s3cret-of-all"}


def test_a_private_link_is_in_letters_and_nowhere_else(
    armed: tuple[Path, dict[str, list[bytes]], dict[str, str]],
) -> None:
    folder, boxes, server = armed
    said = []
    for command in (
        ["check"], ["build"], ["publish"], ["plan"], ["plan", "--json"], ["ledger", "log"], ["ledger", "diff"],
        ["simulate", "--letters", "letters"], ["send", "--dry-run"], ["send"], ["status"], ["status", "--json"],
        ["outbox", "list"], ["doubt", "list"], ["doctor"], ["subscribers", "export", "ana@reader.example"],
    ):  # fmt: skip
        done = tocsin(folder, *command, "--verbose", "--now", "2027-02-28T09:04:00Z", **server, **LINKS)
        assert "did not foresee" not in done.stderr, done.stderr
        said.append(done.stdout + done.stderr)
    assert "s3cret" not in "".join(said)
    assert "s3cret" not in "".join(body.decode("latin-1") for body in tree(folder / "out").values())
    assert "s3cret" not in (folder / "ledger.jsonl").read_text()
    assert tables_with(folder / "var/tocsin.db", "s3cret") == {"letters"}

    def texts(bodies: list[bytes]) -> list[str]:
        messages = [email.message_from_bytes(body, policy=email.policy.default) for body in bodies]
        return [message.get_body(("plain",)).get_content() for message in messages]

    [reminder] = [text for text in texts(boxes["ana@reader.example"]) if "Talk of group 1" in text]
    assert LINKS["TOCSIN_ROOM"] in reminder
    simulated = texts([path.read_bytes() for path in sorted((folder / "letters").rglob("*.eml"))])
    assert any(LINKS["TOCSIN_HALL"] in text for text in simulated)
    assert any(LINKS["TOCSIN_ROOM"] in text for text in simulated)
    assert not [text for text in simulated if "s3cret-of-a-group" in text and "Talk of group 1" not in text]


def tables_with(database: Path, secret: str) -> set[str]:
    """The tables in which a text stands anywhere."""
    with sqlite3.connect(database) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}  # noqa: S608
    connection.close()
    return {name for name, found in rows.items() if secret in repr(found)}


def test_a_missing_link_is_asked_for_and_the_reminder_waits_for_it(
    armed: tuple[Path, dict[str, list[bytes]], dict[str, str]],
) -> None:
    folder, boxes, server = armed
    now = "2027-02-28T09:04:00Z"
    planned = tocsin(folder, "plan", "--now", now)
    assert planned.returncode == 0
    assert 'event "talk-1": its link TOCSIN_ROOM is not set here' in planned.stderr
    assert "write TOCSIN_ROOM=https://" in planned.stderr
    assert "TOCSIN_ROOM" not in tocsin(folder, "plan", "--now", now, **LINKS).stderr
    done = tocsin(folder, "send", "--now", now, **server)
    assert done.returncode == 1
    assert 'the reminder of event "talk-1" needs the link from TOCSIN_ROOM' in done.stderr
    assert ".env" in done.stderr
    assert "ana@reader.example" not in boxes
    (folder / ".env").write_text(f"TOCSIN_ROOM={LINKS['TOCSIN_ROOM']}\n")
    assert "1 sent" in tocsin(folder, "send", "--now", now, **server).stdout
    assert b"talk-1" in boxes["ana@reader.example"][0]


def test_an_announcement_without_the_link_says_that_it_comes_by_mail(tmp_path: Path) -> None:
    folder = federation(tmp_path / "fed", 1)
    tocsin(folder, "simulate", "--now", NOW)
    announced = next((folder / "letters").rglob("*announced.eml")).read_bytes()
    text = email.message_from_bytes(announced, policy=email.policy.default).get_body(("plain",)).get_content()
    assert "the link is mailed to subscribers before the event" in " ".join(text.split())
