"""What becomes of a command's output: a disk without room is told, a reader who has seen enough is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_publishing import project, tocsin

__all__ = ["project"]

FULL = Path("/dev/full")
AS_IT_IS = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
"""Words are collected before they are written, so that trouble with them comes last."""


def started(folder: Path, *words: str, into: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "pipeline", *words]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        command, cwd=folder, env={**AS_IT_IS, "PYTHONPATH": root}, stdout=into, stderr=subprocess.PIPE
    )


@pytest.mark.skipif(not FULL.exists(), reason="this machine has no /dev/full")
@pytest.mark.parametrize("words", [("--help",), ("check", "--help"), ("--version",), ("check",), ("schema",)])
def test_a_disk_without_room_for_the_output_is_told_once(project: Path, words: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        process = started(project, "--lang", "fr", *words, into=full.fileno())
    _, told = process.communicate()
    assert (
        told.decode().splitlines()[-1]
        == "tocsin: le système\N{NO-BREAK SPACE}: le disque est plein\N{NARROW NO-BREAK SPACE}; faites de la place"
    )
    assert process.returncode == 3


@pytest.mark.parametrize("words", [("--help",), ("schema",), ("check", "--json")])
def test_a_reader_who_has_seen_enough_is_no_trouble(project: Path, words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = started(project, *words, into=writing)
    os.close(writing)
    _, told = process.communicate()
    assert told == b""
    assert process.returncode == 0


def test_all_of_a_long_output_arrives_though_the_process_ends_at_once(project: Path) -> None:
    whole = tocsin(project, "schema").stdout
    assert whole.endswith("}\n")
    assert len(whole) > 65_536, "no more than a pipe holds"
