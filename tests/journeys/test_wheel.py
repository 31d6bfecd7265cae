"""The wheel works in an empty folder, away from the repository: its templates and words come with it."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_runs_outside_the_repository(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv", "out", "var", "tests", ".*_cache"))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    built = subprocess.run(build, cwd=source, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    [wheel] = (source / "dist").glob("tocsin-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "pipeline/templates/site/index.html" in names
    assert "pipeline/locale/fr/LC_MESSAGES/tocsin.mo" in names
    # Only tocsin itself is installed anew; its dependencies are those of this environment.
    venv.create(tmp_path / "clean", with_pip=False)
    here = next((tmp_path / "clean" / "lib").iterdir()) / "site-packages"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(here), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    theirs = next(path for path in sys.path if path.endswith("site-packages"))
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(ROOT / "events.toml", project)
    code = (
        "import sys, pipeline; assert 'clean' in pipeline.__file__, pipeline.__file__\n"
        "from pipeline.cli import main; sys.exit(main(['build', '--day', '2022-10-01']))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{theirs}"}
    python = str(tmp_path / "clean" / "bin" / "python")
    done = subprocess.run(
        [python, "-c", code], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Prochain" in (project / "out" / "fr" / "index.html").read_text(encoding="utf-8")
