"""Templates are compiled once and not at each build, and never believed to be what they no longer are."""

import hashlib
import os
from pathlib import Path

import jinja2
import pytest
from twelve_talks import HEAD, NOW, talk

from pipeline import template_reading
from pipeline.actions.remembered_templates import KEPT_IN
from pipeline.cli import main
from pipeline.template_code import Compiled

OWN = '{% extends "tocsin/site/event.html" %}{% block kicker %}KICKER{% endblock %}'


def forget() -> None:
    """As in another process."""
    Compiled.codes.clear()
    template_reading.verdicts.clear()


def build(title: str) -> str:
    """The page of the one event, which now has another title, as a new process makes it."""
    forget()
    Path("events.toml").write_text(HEAD + talk(1).replace("Talk 1", title))
    assert main(["build", *NOW]) == 0
    page = Path("out/events/talk-1/index.html").read_text()
    assert title in page
    return page


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that are compiled from here on, in an empty project."""
    monkeypatch.chdir(tmp_path)
    names = list[str]()
    compile_one = jinja2.Environment.compile

    def counted(self: jinja2.Environment, source: str, name: str, *rest: object) -> object:
        names.append(name)
        return compile_one(self, source, name, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(jinja2.Environment, "compile", counted)
    return names


def test_the_next_process_compiles_nothing(compiled: list[str]) -> None:
    build("One")
    assert "site/event.html" in compiled
    compiled.clear()
    build("Two")
    assert not compiled


def test_a_template_that_is_another_is_compiled_anew(compiled: list[str]) -> None:
    build("One")
    own = Path("templates/site/event.html")
    own.parent.mkdir(parents=True)
    own.write_text(OWN.replace("KICKER", "first"))
    assert "first" in build("Two")
    own.write_text(OWN.replace("KICKER", "other"))
    compiled.clear()
    assert "other" in build("Three")
    assert set(compiled) == {"site/event.html", "site/next.html"}  # the second one extends the first
    own.write_text(OWN.replace("KICKER", "{{ edition.next.event.id }}"))
    assert "talk-1" in build("Four")


def sealed(whole: bytes, before: bytes, after: bytes) -> bytes:
    """What was kept with something else at its head, as if it had been written so."""
    rest = whole.partition(b"\n")[2].replace(before, after, 1)
    return hashlib.blake2b(rest, digest_size=16).hexdigest().encode() + b"\n" + rest


@pytest.mark.parametrize("spoilt", ["cut off", "changed", "other program", "other Python", "empty"])
def test_what_is_damaged_or_of_another_program_counts_for_nothing(compiled: list[str], spoilt: str) -> None:
    build("One")
    whole = KEPT_IN.read_bytes()
    left = {
        "cut off": whole[: len(whole) // 2],
        "changed": whole[:-1] + bytes([whole[-1] ^ 1]),
        "other program": sealed(whole, b"template_code.py", b"template_gone.py"),
        "other Python": sealed(whole, b'"python": "', b'"python": "4'),
        "empty": b"",
    }[spoilt]
    assert left != whole
    KEPT_IN.write_bytes(left)
    compiled.clear()
    build("Two")
    assert "site/event.html" in compiled
    compiled.clear()
    build("Three")
    assert not compiled


def test_what_another_user_wrote_counts_for_nothing(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who runs the service may write in `var/`, and must not choose what runs when the organiser builds."""
    build("One")
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    compiled.clear()
    build("Two")
    assert "site/event.html" in compiled
