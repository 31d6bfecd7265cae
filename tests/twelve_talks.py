"""A series of twelve talks that a test publishes in a folder of its own and then edits."""

from pathlib import Path

from smallest import SMALLEST

from pipeline.cli import main

HEAD = f"""{SMALLEST}[[venue]]
id = "hall"
name = "The hall"
"""
NOW = ("--now", "2027-01-10T10:00:00Z")
LATER = ("--now", "2027-01-10T11:00:00Z")


def talk(number: int) -> str:
    return (
        f'[[event]]\nid = "talk-{number}"\ntitle = "Talk {number}"\ndate = 2027-03-{number + 1:02}\n'
        'time = "19:00"\nvenue = "hall"\ntags = ["tea"]\n'
    )


def publish(folder: Path) -> None:
    """Writes the catalogue of the series into that folder, where the process stands, and publishes it."""
    (folder / "events.toml").write_text(HEAD + "".join(map(talk, range(12))))
    assert main(["publish", *NOW]) == 0
