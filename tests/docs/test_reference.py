"""The reference is what the code says now, whole, and the site of the documentation asks no other host for anything."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import forking
import pytest
from checkout import ROOT
from lxml import html

sys.path.insert(0, str(ROOT / "docs/making"))
sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from catalogue_page import TABLES, catalogue_page, example, examples, keys_of
from commands_page import commands_of, commands_page, own
from man_page import man_page
from test_publishing import tocsin

from pipeline.catalogue.load import Source, load
from pipeline.cli import COMMANDS, whole_parser

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "page"),
    [("reference/catalogue.md", catalogue_page), ("reference/commands.md", commands_page), ("man/tocsin.1", man_page)],
    ids=["keys", "commands", "manual"],
)
def test_the_reference_is_current(name, page) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == page(), "type: make reference"


def test_every_key_has_a_meaning_and_an_example() -> None:
    page = catalogue_page()
    for table in TABLES:
        for key in keys_of(table):
            assert re.search(rf"^\| (\*\*)?`{key}`(\*\*)? \| \S.* \| \S", page, re.MULTILINE), (table, key)
            assert (table, key) in examples(), f"{key} of {TABLES[table]} is in no example file of docs/making"


def test_the_examples_of_keys_load_together() -> None:
    group = Source("groups/north.toml", example("every_key_of_a_group.toml"))
    loaded = load(Source("events.toml", example("every_key.toml")), included=lambda _pattern: [group])
    assert loaded.catalogue.event_by_id["moss"].group == "north"
    assert tomllib.loads(example("every_key.toml"))["event"][0]["id"] == "bees"


def test_every_command_and_option_is_in_the_reference_the_manual_and_the_readme() -> None:
    commands, page, manual = commands_of(whole_parser()), commands_page(), man_page()
    assert set(commands) == set(COMMANDS)
    for name, parser in commands.items():
        assert f"`{name}`" in README, name
        section = page.partition(f"### tocsin {name}\n")[2].partition("\n### ")[0]
        assert section, name
        for one in (parser, *commands_of(parser).values()):
            for action in own(one):
                for option in action.option_strings:
                    assert f"`{option}" in section, (name, option)
                    assert option.replace("-", r"\-") in manual, (name, option)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_in_a_process_that_has_read_nothing_else(command: str) -> None:
    done = forking.run([command, "--help"], ROOT, os.environ, anew=True)
    assert done.returncode == 0
    assert COMMANDS[command].split(",")[0] in " ".join(done.stdout.split())


def test_the_map_of_the_readme_names_what_is_there() -> None:
    for name in re.findall(r"^(?:  )?([\w./]+)  ", README[README.index("## The map") :], re.MULTILINE):
        assert (ROOT / name).exists() or (ROOT / "pipeline" / name).exists(), name


def test_the_manual_is_roff_without_a_warning() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    made = subprocess.run(
        ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-P-cbou"],
        input=man_page(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0
    assert made.stderr == ""
    assert "tocsin simulate" in made.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_every_command(shell: str) -> None:
    done = tocsin(ROOT, "completion", shell)
    assert done.returncode == 0, done.stderr
    assert all(re.search(rf"\b{command}\b", done.stdout) for command in COMMANDS)
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=done.stdout, text=True, check=False).returncode == 0


def test_bash_completes_a_command_and_an_option(tmp_path: Path) -> None:
    script = tmp_path / "tocsin.bash"
    script.write_text(tocsin(ROOT, "completion", "bash").stdout, encoding="utf-8")
    ask = (
        f"source {script}; COMP_WORDS=({{words}}); COMP_CWORD={{last}}; COMPREPLY=(); "
        "$(complete -p tocsin | sed 's/.*-F \\([^ ]*\\).*/\\1/'); echo ${COMPREPLY[@]}"
    )
    for words, last, expected in (("tocsin simu", 1, "simulate"), ("tocsin simulate --lett", 2, "--letters")):
        line = ask.replace("{words}", words).replace("{last}", str(last))
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert expected in done.stdout.split(), done


def test_the_site_is_made_without_a_warning_and_asks_no_other_host(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        tree = html.fromstring(page.read_bytes())
        asked = [*tree.xpath("//script/@src"), *tree.xpath("//link/@href"), *tree.xpath("//img/@src")]
        asked += tree.xpath("//iframe/@src")
        assert not [one for one in asked if re.match(r"(https?:)?//", str(one))], page
    for style in (tmp_path / "site").rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", style.read_text(encoding="utf-8", errors="replace")), style
