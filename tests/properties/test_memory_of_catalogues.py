"""What long and odd catalogues cost in memory. Each is judged by a program of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pipeline.catalogue.crowds import crowd

MEGABYTES = 200
HEAD = """format = 1
series = { id = "s", title = "S", timezone = "Europe/Paris", default_language = "en", organiser = "O" }
site = { url = "https://x.example/" }
"""
EVENT = '[[event]]\nid = "e%d"\ntitle = "E"\ntba = ["date", "time"]\n'
JUDGE = """
import re, sys
from collections.abc import Callable, Iterable
from pathlib import Path
from pipeline.catalogue.load import Source, load
from pipeline.errors import CatalogueError
try:
    told = load(Source("events.toml", Path(sys.argv[1]).read_bytes())).remarks
except CatalogueError as error:
    told = error.problems
# The peak of this program alone: `ru_maxrss` begins with the peak of the process that started it.
print(len(told), int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024 // 10**6)
"""


def judged(file: Path) -> tuple[int, int]:
    """How much is told of a catalogue, and how many megabytes it took to find out."""
    done = subprocess.run([sys.executable, "-c", JUDGE, str(file)], check=True, capture_output=True, text=True)
    told, megabytes = map(int, done.stdout.split())
    return told, megabytes


def test_a_long_programme_of_which_much_is_told_takes_little_more_than_its_text(tmp_path: Path) -> None:
    """Four open questions for each event: where they stand must not cost as much as the text."""
    file = tmp_path / "events.toml"
    row = EVENT + 'todo = ["a", "b", "c", "d"]\n' + f'abstract = """{"Some words for a talk. " * 100}"""\n'
    file.write_text(HEAD + "".join(row % number for number in range(10_000)), encoding="utf-8")
    told, megabytes = judged(file)
    assert told == 40_000
    assert megabytes < MEGABYTES


SPEAKER, WRONG_SPEAKER = '{name="a"},', '{nme="a"},'
ODD: dict[str, Callable[[], Iterable[str]]] = {
    "fifty thousand events": lambda: (EVENT % number for number in range(49_000)),
    "as many with mistakes": lambda: ['[[event]]\ntitel = "E"\n'] * 49_000,
    "as many with dozens of mistakes": lambda: ["[[event]]\n" + "".join(f"k{key} = 1\n" for key in range(300))] * 960,
    "a hundred thousand speakers": lambda: (EVENT % n + f"speakers = [{SPEAKER * 9_900}]\n" for n in range(10)),
    "as many that are misspelt": lambda: (EVENT % n + f"speakers = [{WRONG_SPEAKER * 9_900}]\n" for n in range(10)),
    "four hundred thousand wrong tags": lambda: (EVENT % n + f"tags = [{'1,' * 9_900}]\n" for n in range(40)),
    "a list of as many wrong tags": lambda: [EVENT % 0, f"tags = [{'[],' * 390_000}]\n"],
    "a table of hundreds of thousands of keys": lambda: ["[x]\n", *(f"k{key} = 1\n" for key in range(290_000))],
    "millions of keys": lambda: ["[x]\n", *(f"k{key} = 1\n" for key in range(3_900_000))],
    "ten million emoji": lambda: (EVENT % n + f'abstract = "{"😀" * 11_500}"\n' for n in range(1000)),
    "as many of which one has no end": lambda: (
        EVENT % n + f'abstract = "{"😀" * 11_500}{"" if n == 500 else chr(34)}\n' for n in range(1000)
    ),
    "ten million emoji in one text": lambda: [EVENT % 0, f'abstract = "{"😀" * 11_500_000}"\n'],
    "a text of as many without an end": lambda: [EVENT % 0, f'abstract = "{"😀" * 11_500_000}\n'],
    "a text of millions of lines": lambda: [EVENT % 0, 'abstract = """', "a\n" * 23_000_000, '"""\n'],
    "millions of remarks": lambda: ["#\n" * 23_000_000],
    "much of everything": lambda: (
        *(EVENT % n for n in range(19_000)),
        *(f"{EVENT % (20_000 + n)}speakers = [{SPEAKER * 9_900}]\n" for n in range(8)),
        *(f"{EVENT % (30_000 + n)}tags = [{'1,' * 9_900}]\n" for n in range(30)),
        *(f'{EVENT % (40_000 + n)}abstract = "{"😀" * 900_000}"\n' for n in range(12)),
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_catalogue_takes_no_more_than_that(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "events.toml"
    with file.open("w", encoding="utf-8") as opened:
        opened.write(HEAD)
        opened.writelines(ODD[kind]())
    assert file.stat().st_size < 50_000_000
    _, megabytes = judged(file)
    assert megabytes < MEGABYTES


def test_a_programme_as_long_as_a_file_may_be_is_no_crowd() -> None:
    speakers = ", ".join(['{ name = "Anna Müller", affiliation = "University of somewhere", role = "chair" }'] * 3)
    row = (
        EVENT
        + f'tags = ["a", "b"]\nspeakers = [{speakers}]\nabstract = """\n{"Some words, [and] = {{more}}. " * 90}"""\n'
    )
    text = HEAD + "".join(row % number for number in range(16_000))
    assert len(text) > 45_000_000
    assert crowd("events.toml", text.encode()) is None
