"""kill -9 in the middle of building and publishing: every file is whole, and the next build completes it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE
from test_publishing import ROOT, edit, project, tocsin, tree

__all__ = ["project"]

# Runs the command in a process that kills itself at the n-th time it puts a file in its place.
DIES = """
import os, signal, sys
left = int(sys.argv.pop(1))
replace = os.replace
def dying(source, target):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(source, target)
os.replace = dying
from pipeline.cli import main
sys.exit(main(sys.argv[1:]))
"""
NOW = ("--now", "2022-11-01T10:00:00Z", "--day", "2022-11-01")


@pytest.mark.parametrize("writes", [0, 1, 2, 3, 7, 20])
def test_a_killed_publication_leaves_whole_files_and_the_next_one_completes_it(project: Path, writes: int) -> None:
    assert tocsin(project, "publish", "--now", "2022-09-01T10:00:00Z", "--day", "2022-09-01").returncode == 0
    edit(project, 'weekday = "Thursday"\ntime = "19:00"', 'weekday = "Thursday"\ntime = "19:30"')
    before = tree(project)
    wanted = project.parent / "wanted"
    shutil.copytree(project, wanted)
    assert tocsin(wanted, "publish", *NOW).returncode == 0
    after = tree(wanted)
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(writes), "publish", *NOW],
        cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL
    for path, body in tree(project).items():
        if path.startswith("var/") or path.endswith((".tocsin-unfinished", ".tocsin.json")):
            continue
        assert body in (before.get(path), after.get(path)), path
    # The ledger comes first: whatever is shown has been recorded.
    assert tocsin(project, "publish", *NOW).returncode == 0
    published = {path: body for path, body in tree(project).items() if not path.startswith("var/")}
    assert published == {path: body for path, body in after.items() if not path.startswith("var/")}


def test_two_publications_at_once_on_one_folder_do_not_harm_each_other(project: Path) -> None:
    edit(project, 'weekday = "Thursday"\ntime = "19:00"', 'weekday = "Thursday"\ntime = "19:30"')
    command = [sys.executable, "-m", "pipeline", "publish", *NOW]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(
            command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    lines = (project / "ledger.jsonl").read_text().splitlines()
    assert (len(lines), len(set(lines))) == (6, 6)
    assert sum("1 change" in out for out, _ in outputs) == 1
