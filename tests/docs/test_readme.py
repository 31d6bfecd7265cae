"""What the README shows is what happens."""

import re
import shlex
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from test_publishing import ROOT, tocsin

README = (ROOT / "README.md").read_text(encoding="utf-8")
CATALOGUE = re.search(r"```toml\n(.*?)```", README, re.DOTALL)[1]  # type: ignore[index]
SESSIONS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)


def commands(session: str) -> list[tuple[list[str], list[str]]]:
    """Each tocsin command of a session with the lines that it is said to print; "…" stands for more of them."""
    found: list[tuple[list[str], list[str]]] = []
    for line in session.splitlines():
        if line.startswith("$ "):
            found.append((shlex.split(line[2:], comments=True), []))
        else:
            found[-1][1].append(line)
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "events.toml").write_text(CATALOGUE, encoding="utf-8")
    return folder


def test_the_sessions_print_what_is_shown(project: Path) -> None:
    for session in SESSIONS:
        for words, shown in commands(session):
            if words[0] != "tocsin":
                continue  # the one with a password needs somebody's mail server
            done = tocsin(project, *words[1:], "--now", "2027-01-10T10:00:00Z")
            assert done.returncode == 0, done.stderr
            for line in shown:
                assert line == "…" or line in done.stdout, f"{words}: {line!r} is not in {done.stdout!r}"
    for name in re.findall(r"`([\w./-]+)`", README[README.index("What appears") : README.index("![The home")]):
        file = project / "out" / name
        if name != "ledger.jsonl" and name != "out/":
            assert (file / "index.html" if name.endswith("/") else file).exists(), name


def test_every_command_is_named_and_every_picture_and_folder_is_there() -> None:
    from pipeline.cli import COMMANDS

    for command in COMMANDS:
        assert f"`{command}`" in README, command
    for picture in re.findall(r"!\[[^]]*]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture
    for name in re.findall(r"^(?:  )?([\w./]+)  ", README[README.index("## The map") :], re.MULTILINE):
        assert (ROOT / name).exists() or (ROOT / "pipeline" / name).exists(), name


def test_every_command_has_help() -> None:
    from pipeline.cli import COMMANDS

    for command in COMMANDS:
        done = tocsin(ROOT, command, "--help")
        assert done.returncode == 0
        assert COMMANDS[command].split(",")[0] in " ".join(done.stdout.split())
