"""What `check` knows without its heavy libraries is what these libraries say."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from babel import Locale
from checkout import ROOT
from email_validator import validate_email
from hypothesis import example, given
from hypothesis import strategies as st
from publishing import HEAD, TALK
from smallest import SMALLEST

from pipeline.catalogue.shapes import _is_plain
from pipeline.weekdays import say_weekday, weekday_names

MONDAY = date(2026, 1, 5)


@pytest.mark.parametrize(("language", "conventions"), [("en", "en_GB"), ("fr", "fr"), ("de", "de"), ("pt-BR", "pt_BR")])
def test_weekdays_are_named_as_babel_names_them(language: str, conventions: str) -> None:
    days = Locale.parse(conventions).days
    named = {
        name.casefold().rstrip("."): number
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for number, name in days[context][width].items()
    }
    assert weekday_names(language) == named
    for number in range(7):
        assert say_weekday(MONDAY + timedelta(days=number), language) == days["format"]["wide"][number]


def test_an_unknown_language_has_the_days_of_english() -> None:
    assert weekday_names("xx") == weekday_names("en")


words = st.text("abzA09", min_size=1, max_size=30)
addresses = st.builds(
    lambda local, mark, rest, labels, top: f"{local}{mark}{rest}@{'.'.join([*labels, top])}",
    words,
    st.sampled_from(["", ".", "_", "+", "-", "..", "'"]),
    words,
    st.lists(st.text("abz09-", min_size=1, max_size=30), max_size=4),
    st.sampled_from(["org", "example", "test", "invalid", "local", "onion", "museum", "c", "xn--p1ai", "0"]),
)


@given(addresses)
@example("reader+tag@talks.example")
@example("reader@xn--bcher-kva.example")
def test_a_plain_address_is_one_that_the_library_takes_as_it_stands(address: str) -> None:
    if _is_plain(address):
        assert validate_email(address, check_deliverability=False, test_environment=True).normalized == address


def test_ordinary_addresses_are_plain_and_odd_ones_are_left_to_the_library() -> None:
    assert all(map(_is_plain, ("a@b.org", "first.last@talks.example", "A-b_c+d@x-y.co.uk")))
    odd = ("a@b", "a@B.org", "a@b.local", "é@b.org", '"a"@b.org', "a@b..org", "a@-b.org", f"{'a' * 64}@b.org")
    assert not any(map(_is_plain, odd))


NEEDLESS = {
    "babel", "email_validator", "icalendar", "importlib.metadata", "importlib.resources", "jinja2", "shutil",
    "sqlalchemy", "tempfile", "tomlkit", "tomllib", "zipfile",
}  # fmt: skip


LOADED = "import sys; from pipeline.cli import main; main(sys.argv[1:]); print(*sys.modules)"


def test_a_first_check_of_the_real_series_loads_only_what_it_uses(tmp_path: Path) -> None:
    for name in ("events.toml", "ledger.jsonl"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    check = [sys.executable, "-c", LOADED, "check", "--quiet", "--catalogue", str(tmp_path / "events.toml")]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pydantic" in done.stdout.split()
    assert NEEDLESS & set(done.stdout.split()) == set()


def test_an_import_of_a_table_loads_neither_the_library_of_calendars_nor_those_of_pages(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text(SMALLEST)
    (tmp_path / "talks.csv").write_text("title,date\nA talk,2027-03-04\n")
    bring = [sys.executable, "-c", LOADED, "import", "--dry-run", "--catalogue", str(tmp_path / "events.toml")]
    done = subprocess.run([*bring, str(tmp_path / "talks.csv")], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "tomlkit" in done.stdout.split()
    assert {"feedgen", "icalendar", "jinja2", "markdown_it", "nh3", "sqlalchemy"} & set(done.stdout.split()) == set()


A_TALK = HEAD + TALK


def test_a_build_after_an_edit_that_is_no_news_does_not_load_the_library_of_feeds(tmp_path: Path) -> None:
    file = tmp_path / "events.toml"

    def loaded(command: str, now: str) -> set[str]:
        run = [sys.executable, "-c", LOADED, command, "--catalogue", str(file), "--now", now]
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
        assert not done.stderr
        return set(done.stdout.split())

    file.write_text(A_TALK)
    assert {"feedgen", "lxml"} <= loaded("publish", "2026-09-01T00:00:00Z")
    file.write_text(f'{A_TALK}abstract = "More of it."\n')
    loaded("build", "2026-09-02T00:00:00Z")
    file.write_text(f'{A_TALK}abstract = "All of it."\n')
    assert {"feedgen", "lxml"} & loaded("build", "2026-09-02T00:00:00Z") == set()
