"""What the README and the tutorials show is what happens."""

import re
import shlex
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from test_publishing import ROOT, tocsin

from pipeline.cli import COMMANDS

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("README.md", "docs/tutorial.md", "docs/tutoriel.md")


def commands(session: str) -> list[tuple[list[str], list[str]]]:
    """Each command of a session with the lines that it is said to print; "…" stands for more of them."""
    found: list[tuple[list[str], list[str]]] = []
    for line in session.splitlines():
        if line.startswith("$ "):
            found.append((shlex.split(line[2:], comments=True), []))
        else:
            found[-1][1].append(line)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_the_sessions_print_what_is_shown(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    catalogue = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert catalogue is not None
    (tmp_path / "events.toml").write_text(catalogue[1], encoding="utf-8")
    for session in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for words, shown in commands(session):
            if words[0] != "tocsin":
                continue  # the one with a password needs somebody's mail server
            done = tocsin(tmp_path, *words[1:], "--now", "2027-01-10T10:00:00Z")
            assert done.returncode == 0, done.stderr
            for line in shown:
                assert line == "…" or line in done.stdout, f"{words}: {line!r} is not in {done.stdout!r}"
    if page == "README.md":
        check_what_appears(tmp_path)


def check_what_appears(project: Path) -> None:
    for name in re.findall(r"`([\w./-]+)`", README[README.index("What appears") : README.index("![The home")]):
        file = project / "out" / name
        if name not in {"ledger.jsonl", "out/"}:
            assert (file / "index.html" if name.endswith("/") else file).exists(), name


def test_every_command_is_named_and_every_picture_and_folder_is_there() -> None:
    for command in COMMANDS:
        assert f"`{command}`" in README, command
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"]\(([\w./-]+)\)", text):
            assert ((ROOT / page).parent / target).is_file(), target
    for name in re.findall(r"^(?:  )?([\w./]+)  ", README[README.index("## The map") :], re.MULTILINE):
        assert (ROOT / name).exists() or (ROOT / "pipeline" / name).exists(), name


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str) -> None:
    done = tocsin(ROOT, command, "--help")
    assert done.returncode == 0
    assert COMMANDS[command].split(",")[0] in " ".join(done.stdout.split())
