"""Every problem is said in French as well as in English, with the same values, in good typography."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from patterns import ROOT, patterns_of

from pipeline.catalogue.load import Source, load
from pipeline.commands.reader import language_of
from pipeline.errors import CatalogueError

PIPELINE = ROOT / "pipeline"
ROOMS = (
    *PIPELINE.glob("catalogue/*.py"),
    *(PIPELINE / name for name in ("errors.py", "files.py", "ledger.py", "ledger_lines.py")),
    *PIPELINE.glob("mending.py"), *PIPELINE.glob("phrases/history.py"),
    *(PIPELINE / "actions" / f"{name}.py" for name in ("project", "publish")), *PIPELINE.glob("actions/starting.py"),
    *(PIPELINE / "commands" / f"{name}.py" for name in ("checking", "reader", "shell")),
    PIPELINE / "actions" / "links.py", *(PIPELINE / "reminders").glob("*.py"),
    *(PIPELINE / "commands" / f"{name}.py" for name in ("building", "plan", "publish", "retire", "simulate", "status")),
    *(PIPELINE / "commands" / f"{name}.py" for name in ("proposal", "telling")),
    *(PIPELINE / "commands" / f"{name}.py" for name in ("init", "ledger", "schema")),
    *(PIPELINE / "commands" / f"{name}.py" for name in ("arm", "hold", "send", "post", "outbox", "doubt", "selecting")),
    *(PIPELINE / "commands" / f"{name}.py" for name in ("backup", "bounces", "restore", "test_mail")),
)  # fmt: skip


def french() -> dict[str, str]:
    """Every French text of every fragment, by its English pattern."""
    found: dict[str, str] = {}
    for file in sorted((PIPELINE / "locale" / "fr" / "LC_MESSAGES").glob("*.po")):
        for message in read_po(file.read_bytes().splitlines(keepends=True)):
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            texts = message.string if isinstance(message.string, tuple) else (message.string,)
            found.update(zip(ids, texts, strict=True))
    return found


FRENCH = french()
PATTERNS = sorted({pattern for file in ROOMS for _, pattern in patterns_of(file)})


def fields(pattern: str) -> set[str]:
    return set(re.findall(r"(?<!\{)\{(\w+)(?:!r)?\}(?!\})", pattern))


def test_the_patterns_of_the_sources_are_found() -> None:
    for known in ("`{key}` is missing", "{date} is a {real}, not a {stated}", "this last line is cut off", "to do"):
        assert known in PATTERNS


def test_make_words_has_nothing_to_complain_of() -> None:
    """It ends with an error where a text seems to hold a place for a value, as `%2F` does, and its twin none."""
    for file in sorted((PIPELINE / "locale" / "fr" / "LC_MESSAGES").glob("*.po")):
        assert [(message.id, wrong) for message, wrong in read_po(io.BytesIO(file.read_bytes())).check()] == []


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_has_a_french_one_with_the_same_values(pattern: str) -> None:
    said = FRENCH.get(pattern)
    assert said, f"no French for {pattern!r}"
    assert fields(said) == fields(pattern)
    assert said.count("{") == said.count("}")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_french_is_typeset_as_french(pattern: str) -> None:
    said = re.sub(r"`[^`]*`|\{[^}]*\}", "…", FRENCH[pattern])
    assert not re.search(r"[^\u00a0\u202f ][;?!»]|«[^\u00a0]| [;:?!»]", re.sub(r'"[^"]*"', "", said)), said
    assert "'" not in said, "the apostrophe is ’"


def test_a_problem_speaks_french_with_its_place_and_its_remedy(seed_text: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", seed_text.replace('weekday = "Tuesday"', 'weekday = "mercredi"')))
    [problem] = caught.value.problems
    assert problem.show(lambda text: FRENCH[text]) == (
        'events.toml:105: event "non-take-up": weekday: le 2022-10-25 est un mardi, pas un mercredi '
        "(corrigez la date ou le jour de la semaine)"
    )


@pytest.mark.parametrize(
    ("option", "environment", "language"),
    [
        (None, {}, "en"),
        (None, {"LANG": "fr_FR.UTF-8"}, "fr"),
        (None, {"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, "en"),
        (None, {"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_CA"}, "fr"),
        (None, {"LANG": "en_US.UTF-8", "LC_MESSAGES": "", "LC_ALL": "fr"}, "fr"),
        (None, {"LANG": "C.UTF-8"}, "en"),
        (None, {"LANG": "POSIX"}, "en"),
        (None, {"LANG": "../../etc"}, "en"),
        ("en", {"LC_ALL": "fr_FR.UTF-8"}, "en"),
        ("fr", {"LC_ALL": "C"}, "fr"),
    ],
)
def test_the_option_wins_over_the_locale_and_english_is_the_rest(
    option: str | None, environment: dict[str, str], language: str
) -> None:
    assert language_of(option, environment) == language


def test_the_pattern_scan_reads_conditions_too(tmp_path: Path) -> None:
    file = tmp_path / "source.py"
    file.write_text('Finding(path, "a {word}", "b" if meant else "", {"word": 1})\nwrong("{value!r}", N_("c"))\n')
    assert sorted(text for _, text in patterns_of(file)) == ["a {word}", "b", "c"]
