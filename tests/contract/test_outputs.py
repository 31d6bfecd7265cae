"""What every output keeps, whatever its format: a new one is covered by standing in `OUTPUTS`."""

import os
import subprocess
import sys
import tracemalloc
from datetime import date
from pathlib import Path, PurePosixPath
from types import ModuleType
from weakref import WeakSet

import pytest
from publishing import HEAD, TALK, edition

from pipeline import outputs
from pipeline.edition import Edition
from pipeline.outputs import OUTPUTS, Artifact, each, groups, newsletters, render_all, share, tombstones
from pipeline.outputs.base import gathered
from pipeline.rendering import Renderer

DAY_DEPENDENT = {
    "index.html", "next/index.html", "embed/index.html", "poster/index.html", "feed.json", "soon.atom.xml",
}  # fmt: skip
"""The files that may differ from day to day while nothing is published."""

LIVELY = (
    TALK + 'tags = ["tea"]\nkind = "lecture"\nabstract = "Come."\n'
    'online = {secret = "TOCSIN_ROOM", label = "Jitsi"}\ntodo = ["ask the caretaker"]\n'
    + TALK.replace('"talk"', '"undated"').replace('date = 2026-10-20\ntime = "19:00"', 'tba = ["date", "time"]')
    + TALK.replace('"talk"', '"untimed"').replace('time = "19:00"', 'tba = ["time"]')
    + TALK.replace('"talk"', '"weekly"') + 'repeats = "FREQ=WEEKLY;COUNT=3"\n'
    + '[[newsletter]]\nid = "first"\nsend = 2026-01-05T12:00:00\nsubject = "We begin"\ntext = "Come *all*."\n'
)  # fmt: skip


@pytest.fixture(scope="module")
def lively() -> Edition:
    """An edition with every shape of date, a change, a cancellation, a retired event and a newsletter that is out."""
    moved = LIVELY.replace("2026-10-20", "2026-10-27", 1)
    off = moved.replace('id = "untimed"', 'id = "untimed"\nstatus = "cancelled"\nnotice = "Off."')
    return edition(LIVELY + TALK.replace('"talk"', '"retired"'), moved, off)


@pytest.fixture(params=OUTPUTS, ids=lambda output: output.__name__.rpartition(".")[2])
def output(request: pytest.FixtureRequest) -> ModuleType:
    """Each output in turn."""
    return request.param


def rendered(output: ModuleType, of: Edition) -> dict[str, Artifact]:
    found = list(each(output.render(of, Renderer())))
    assert len({artifact.path for artifact in found}) == len(found)
    return {artifact.path: artifact for artifact in found}


def bodies(output: ModuleType, of: Edition) -> dict[str, bytes]:
    return {path: artifact.body for path, artifact in rendered(output, of).items()}


class Unwilling(Renderer):
    """Renders nothing: whoever asks it has not waited until a body was asked for."""

    def render(self, template: str, language: str, context: object) -> str:  # noqa: ARG002 - whatever is asked
        raise AssertionError(template)


def test_files_are_named_before_anything_is_rendered(lively: Edition) -> None:
    of = Edition(lively.catalogue, lively.ledger, lively.day)
    named = [artifact.path for artifact in render_all(of, Unwilling())]
    assert named == [artifact.path for artifact in render_all(of, Renderer())]


def test_files_may_be_asked_for_in_any_order_and_alone(output: ModuleType, lively: Edition) -> None:
    in_order = bodies(output, lively)
    of = Edition(lively.catalogue, lively.ledger, lively.day)
    backwards = reversed(list(each(output.render(of, Renderer()))))
    assert {artifact.path: artifact.body for artifact in backwards} == in_order


def test_who_takes_them_in_turn_holds_few_at_a_time(lively: Edition) -> None:
    alive: WeakSet[Artifact] = WeakSet()
    most = 0
    for artifact in render_all(Edition(lively.catalogue, lively.ledger, lively.day), Renderer()):
        alive.add(artifact)
        assert artifact.body is not None
        most = max(most, len(alive))
    # The one in hand, the one before it, and a stylesheet whose digest stands in a page.
    assert most <= 3


def test_a_body_is_made_once_and_only_when_it_is_asked_for() -> None:
    asked: list[str] = []

    def make() -> bytes:
        asked.append("now")
        return b"body"

    artifact = Artifact("a.txt", "text/plain", make)
    assert not asked
    assert (artifact.body, artifact.body, asked) == (b"body", b"body", ["now"])


def test_long_files_come_in_parts_that_are_worth_writing() -> None:
    pieces = [b"%d," % number for number in range(50_000)]
    parts = list(gathered(iter(pieces)))
    assert b"".join(parts) == b"".join(pieces)
    assert 2 < len(parts) < 10
    assert list(gathered(iter(()))) == []


def test_of_a_long_file_the_whole_is_not_held_while_it_is_made() -> None:
    letters = (b"%d" % (number % 10) * 1000 for number in range(3000))
    tracemalloc.start()
    try:
        assert sum(map(len, gathered(letters))) == 3_000_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_paths_are_clean_and_stay_below_out(output: ModuleType, lively: Edition) -> None:
    for path in rendered(output, lively):
        parts = PurePosixPath(path).parts
        assert not path.startswith("/")
        assert ".." not in parts
        assert str(PurePosixPath(path)) == path


def test_bytes_are_the_same_each_time(output: ModuleType, lively: Edition) -> None:
    again = Edition(lively.catalogue, lively.ledger, lively.day)
    assert bodies(output, lively) == bodies(output, again)


def test_only_the_listed_files_depend_on_the_day(output: ModuleType, lively: Edition) -> None:
    later = Edition(lively.catalogue, lively.ledger, date(2027, 6, 1))
    before, after = bodies(output, lively), bodies(output, later)
    assert before.keys() == after.keys()
    different = {path.removeprefix("fr/") for path in before if before[path] != after[path]}
    assert different <= DAY_DEPENDENT


def test_every_language_has_the_same_files(output: ModuleType, lively: Edition) -> None:
    shared = ("assets/", "sitemap.xml", "robots.txt")
    paths = {path for path in rendered(output, lively) if not path.startswith(shared)}
    french = {path.removeprefix("fr/") for path in paths if path.startswith("fr/")}
    assert french == {path for path in paths if not path.startswith("fr/")}


def test_a_series_in_one_language_has_no_further_tree(output: ModuleType) -> None:
    head = HEAD.replace('title.fr = "Causeries du soir"\n', "").replace('languages = ["en", "fr"]\n', "")
    assert not any(path.startswith(("fr/", "en/")) for path in rendered(output, edition(TALK, head=head)))


def test_texts_are_utf8_and_no_secret_or_question_is_told(output: ModuleType, lively: Edition) -> None:
    for artifact in rendered(output, lively).values():
        if artifact.media_type.startswith(("text/", "application/")):
            text = artifact.body.decode()
            assert "TOCSIN_ROOM" not in text
            assert "caretaker" not in text


def test_a_series_without_events_is_rendered(output: ModuleType) -> None:
    assert rendered(output, edition("")) or output in {groups, newsletters, share, tombstones}


def test_the_seed_is_rendered(output: ModuleType, seed_edition: Edition) -> None:
    assert all(artifact.body for artifact in rendered(output, seed_edition).values())


def test_no_two_outputs_write_the_same_file(lively: Edition) -> None:
    paths = [artifact.path for artifact in render_all(lively, Renderer())]
    assert len(paths) == len(set(paths))


def test_every_module_with_a_render_stands_in_outputs() -> None:
    named = {output.__name__.rpartition(".")[2] for output in OUTPUTS}
    modules = Path(outputs.__file__).parent.glob("*.py")
    renders = {module.stem for module in modules if "\ndef render(edition" in module.read_text(encoding="utf-8")}
    assert renders == named


@pytest.mark.parametrize(("zone", "locale"), [("Pacific/Auckland", "C"), ("America/New_York", "de_DE.UTF-8")])
def test_neither_zone_nor_locale_nor_hash_seed_of_the_machine_matters(zone: str, locale: str) -> None:
    program = (
        "import hashlib, sys; sys.path[:0] = ['tests']\n"
        "from publishing import TALK, edition\n"
        "from pipeline.outputs import render_all\n"
        "from pipeline.rendering import Renderer\n"
        "of = edition(TALK, TALK.replace('10-20', '10-22'))\n"
        "digest = hashlib.sha256()\n"
        "for artifact in render_all(of, Renderer()): digest.update(artifact.path.encode() + artifact.body)\n"
        "print(digest.hexdigest())\n"
    )

    def digest(**environment: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    here = digest(TZ="UTC", LC_ALL="C.UTF-8", PYTHONHASHSEED="1")
    assert here == digest(TZ=zone, LC_ALL=locale, PYTHONHASHSEED="2")
