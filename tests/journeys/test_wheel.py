"""Wheel and sdist: the same bytes each time, whole, and at work in an empty folder away from the repository."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from checkout import ROOT

EPOCH = "1735689600"
MADE = {".git", ".venv", "out", "var", "letters", "site", "dist"}
"""What may lie at the top of a checkout and isn't part of it."""
WITH_IT = {
    "pipeline/templates/site/index.html",
    "pipeline/templates/mail/reminder.txt",
    "pipeline/locale/fr/LC_MESSAGES/tocsin.mo",
}


def left_out(folder: str, names: list[str]) -> set[str]:
    """For copying the sources alone."""
    caches = {name for name in names if name in {"__pycache__", "node_modules"} or name.endswith("_cache")}
    return caches | (MADE if Path(folder) == ROOT else set())


def build(source: Path) -> dict[str, Path]:
    """Wheel and sdist of a copy of the sources, by their endings."""
    command = [sys.executable, "-m", "hatchling", "build", "--clean"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    built = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return {path.suffix: path for path in (source / "dist").iterdir() if path.suffix in {".whl", ".gz"}}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    source = tmp_path_factory.mktemp("one") / "source"
    shutil.copytree(ROOT, source, ignore=left_out)
    return build(source)


def test_two_builds_give_the_same_bytes_whenever_and_wherever(built: dict[str, Path], tmp_path: Path) -> None:
    elsewhere = tmp_path / "another folder"
    shutil.copytree(ROOT, elsewhere, ignore=left_out, copy_function=shutil.copy)  # the files' times differ too
    again = build(elsewhere)
    for ending in (".whl", ".gz"):
        assert (
            hashlib.sha256(again[ending].read_bytes()).digest() == hashlib.sha256(built[ending].read_bytes()).digest()
        )


def test_the_wheel_is_whole(built: dict[str, Path]) -> None:
    names = set(zipfile.ZipFile(built[".whl"]).namelist())
    assert names >= WITH_IT
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith(".data/data/share/man/man1/tocsin.1") for name in names)


def test_the_sdist_is_whole_and_builds_the_same_wheel(built: dict[str, Path], tmp_path: Path) -> None:
    with tarfile.open(built[".gz"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tmp_path, filter="data")
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "Makefile", "mkdocs.yml", "docs/man/tocsin.1", "docs/index.md"}
    assert names >= wanted | {
        "templates/site/index.html",
        "pipeline/locale/fr/LC_MESSAGES/tocsin.mo",
        "tests/checkout.py",
    }
    [source] = tmp_path.iterdir()
    assert build(source)[".whl"].read_bytes() == built[".whl"].read_bytes()


def test_the_wheel_runs_outside_the_repository(built: dict[str, Path], tmp_path: Path) -> None:
    # Only tocsin itself is installed anew; its dependencies are those of this environment.
    venv.create(tmp_path / "clean", with_pip=False)
    here = next((tmp_path / "clean" / "lib").iterdir()) / "site-packages"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(here), str(built[".whl"])]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    theirs = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{theirs}"}
    code = (
        "import pipeline; assert 'clean' in pipeline.__file__, pipeline.__file__\n"
        "from importlib.metadata import entry_points\n"
        "[tocsin] = entry_points(group='console_scripts', name='tocsin'); tocsin.load()()"
    )

    def tocsin(folder: Path, *words: str) -> str:
        command = [str(tmp_path / "clean" / "bin" / "python"), "-c", code, *words]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    assert tocsin(tmp_path, "--version").startswith("tocsin 0.")
    answers = ("--title", "Talks", "--organiser", "Us", "--url", "https://talks.example/", "--timezone", "Europe/Paris")
    tocsin(tmp_path, "init", "new", *answers, "--languages", "en,fr", "--from", "talks@talks.example")
    new = tmp_path / "new"
    assert "no error" in tocsin(new, "check")
    tocsin(new, "build")
    assert 'lang="fr"' in (new / "out" / "fr" / "index.html").read_text(encoding="utf-8")
    real = tmp_path / "real"
    real.mkdir()
    for name in ("events.toml", "ledger.jsonl"):
        shutil.copy(ROOT / name, real)
    tocsin(real, "build", "--day", "2022-10-01")
    assert "Prochain" in (real / "out" / "fr" / "index.html").read_text(encoding="utf-8")
    assert "letters in" in tocsin(real, "simulate", "--from", "2022-10-01", "--until", "2022-10-27")
    assert list((real / "letters").rglob("*.eml"))
