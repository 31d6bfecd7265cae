"""What the README and the pages of docs/ show is what happens; what they name is there."""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from checkout import ROOT
from mail_sink import Sink, sink

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from sessions import PAGES, Reader, blocks, fails_on_purpose, read, tutorial_series
from test_publishing import tocsin

from pipeline.catalogue.load import Source, load
from pipeline.cli import whole_parser
from pipeline.commands.options import common_options

__all__ = ["sink"]

README = "README.md"
TRIED = [page for page in PAGES if blocks(page, "console")]
WITH_CATALOGUES = [page for page in PAGES if blocks(page, "toml")]
FIRST_BLOCK_IS_THE_CATALOGUE = (README, "docs/tutorial.md", "docs/tutoriel.md")


@pytest.mark.parametrize("page", TRIED)
def test_sessions_print_what_is_shown_and_end_as_is_said(page: str, tmp_path: Path, sink: Sink) -> None:
    if page in FIRST_BLOCK_IS_THE_CATALOGUE:
        (tmp_path / "events.toml").write_text(blocks(page, "toml")[0], encoding="utf-8")
    meant = fails_on_purpose(page)

    def runs(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = tocsin(folder, *words, **environment)
        typed = shlex.join(["tocsin", *words[:-2]])
        assert done.returncode == 0 or any(shlex.split(one) == shlex.split(typed) for one in meant), done
        return done

    reader = Reader(tmp_path, runs, smtp=f"smtp://127.0.0.1:{sink.port}")
    reader.follow(page)
    assert reader.typed, "a page with sessions types something"
    if page == README:
        check_what_appears(tmp_path)
        assert set(sink.copies()) == {"reader@example.org"}


def check_what_appears(project: Path) -> None:
    text = read(README)
    for name in re.findall(r"`([\w./-]+)`", text[text.index("What appears") : text.index("![The home")]):
        file = project / "out" / name
        if name not in {"ledger.jsonl", "out/"}:
            assert (file / "index.html" if name.endswith("/") else file).exists(), name


def joined(snippet: dict[str, Any]) -> str:
    """A piece of a catalogue put into the series of the tutorial, in the place of what it says anew."""
    whole: dict[str, Any] = tomllib.loads(tutorial_series())
    for key, value in snippet.items():
        whole[key] = {**whole.get(key, {}), **value} if isinstance(value, dict) and key != "group" else value
    return tomlkit.dumps(whole)


@pytest.mark.parametrize("page", WITH_CATALOGUES)
def test_every_piece_of_a_catalogue_loads(page: str) -> None:
    for text in blocks(page, "toml"):
        snippet = tomllib.loads(text)
        if "group" in snippet:
            main = 'include = ["groups/*.toml"]\n' + tutorial_series()
            load(Source("events.toml", main), included=lambda _pattern, text=text: [Source("groups/one.toml", text)])
        else:
            whole = text if "format" in snippet else joined(snippet)
            assert load(Source("events.toml", whole)).catalogue.events


def named_commands(text: str) -> list[list[str]]:
    """Every `tocsin …` of a page, in the text and in blocks for a shell."""
    inline = re.findall(r"`tocsin ([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    typed = re.findall(
        r"(?m)^(?:\$ )?(?:.*&& |\S+=\S+ )?tocsin ([^>|&\n]+)",
        "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL)),
    )
    return [shlex.split(one, comments=True) for one in (*inline, *typed)]


@pytest.mark.parametrize("page", [page for page in PAGES if named_commands(read(page))])
def test_every_command_that_is_named_exists_with_its_options(page: str) -> None:
    actions = {option for action in common_options(None)._actions for option in action.option_strings} | {"--help"}
    top = subcommands(whole_parser())
    for words in named_commands(read(page)):
        if words[0] in {"COMMAND", "--help", "--version"}:
            continue
        assert words[0] in top, words
        parsers = [top[words[0]], *subcommands(top[words[0]]).values()]
        known = actions | {option for one in parsers for action in one._actions for option in action.option_strings}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, words


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")])
def test_blocks_for_a_shell_are_words_of_a_shell(page: str) -> None:
    for text in blocks(page, "sh"):
        lines = "\n".join(line for line in text.splitlines() if not line.startswith("*/"))
        done = subprocess.run(["bash", "-n"], input=lines, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if "](" in read(page)])
def test_links_between_pages_and_to_pictures_lead_somewhere(page: str) -> None:
    for target in re.findall(r"]\((?!https?:)([\w./-]*)(?:#[\w-]+)?\)", read(page)):
        assert not target or (ROOT / page).parent.joinpath(target).is_file(), target


def test_every_variable_of_the_environment_is_documented_and_no_other() -> None:
    said = set(re.findall(r"^\| `(TOCSIN_\w+)`", read("docs/reference/settings.md"), re.MULTILINE))
    only_examples_and_tests = {"TOCSIN_ROOM", "TOCSIN_CRASH_AT"}
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pipeline").rglob("*.py"))
    assert said == set(re.findall(r"\bTOCSIN_[A-Z_]+[A-Z]\b", code)) - only_examples_and_tests


def test_every_published_file_is_in_the_reference(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "events.toml").write_bytes((ROOT / "events.toml").read_bytes())
    (project / "ledger.jsonl").write_bytes((ROOT / "ledger.jsonl").read_bytes())
    done = tocsin(project, "build", "--day", "2022-10-01")
    assert done.returncode == 0, done.stderr
    paths = re.findall(
        r"`([^`]+)`", "\n".join(re.findall(r"^\|(.*?)\|", read("docs/reference/files.md"), re.MULTILINE))
    )
    patterns = [
        re.compile(re.sub(r"<\w+>", "[^/]+", re.escape(path)).replace("…", ".*").replace("\\<", "<")) for path in paths
    ]
    patterns = [re.compile(re.sub(r"\\?<\w+\\?>", "[^/]+", one.pattern)) for one in patterns]
    for name in json.loads((project / "out" / ".tocsin.json").read_text())["files"]:
        assert any(pattern.fullmatch(name.removeprefix("fr/")) for pattern in patterns), name
