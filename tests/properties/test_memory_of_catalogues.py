"""What long and odd catalogues cost in memory. Each is judged by a program of its own."""

import subprocess
import sys
from pathlib import Path

MEGABYTES = 200
HEAD = """format = 1
series = { id = "s", title = "S", timezone = "Europe/Paris", default_language = "en", organiser = "O" }
site = { url = "https://x.example/" }
"""
EVENT = '[[event]]\nid = "e%d"\ntitle = "E"\ntba = ["date", "time"]\n'
JUDGE = """
import re, sys
from pathlib import Path
from pipeline.catalogue.load import Source, load
from pipeline.errors import CatalogueError
try:
    told = load(Source("events.toml", Path(sys.argv[1]).read_bytes())).remarks
except CatalogueError as error:
    told = error.problems
# The peak of this program alone: `ru_maxrss` begins with the peak of the process that started it.
print(len(told), int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
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
