"""The pipelines of `tocsin init --forge`, every step of every job run for real: from a proposal to a posted mail."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forking
import pytest
import yaml
from capture import Mailboxes
from test_posting import CATALOGUE, MEMBERS, PRESS, SOON, clone, git, journal, pushed, server
from test_publishing import ROOT, tocsin

from pipeline.actions.forges import PIPELINES

__all__ = ["clone", "server"]

EDITED = CATALOGUE.replace('"19:00"', '"20:00"')
WRONG = CATALOGUE.replace('"19:00"', '"25:00"')


@dataclass
class Runner:
    """What a forge lends to a pipeline: fresh folders, the values of its expressions, and its `pip` and `tocsin`."""

    folder: Path
    forge: str
    smtp: str
    branch: str = "main"
    commit: str = ""
    jobs_run: int = 0

    def __post_init__(self) -> None:
        tools = self.folder / "tools"
        tools.mkdir()
        scripts = {
            "tocsin": forking.script("--now", SOON[1]),
            "pip": f'test "$1" = install && echo "$3" >> "{self.folder}/installed"',
        }
        for name, script in scripts.items():
            (tools / name).write_text(f"#!/bin/sh\n{script}\n")
            (tools / name).chmod(0o755)

    @property
    def found(self) -> dict[Any, Any]:
        """The pipeline as it stands on the main branch."""
        text = git(self.folder / "remote.git", "show", f"main:{PIPELINES[self.forge]}")
        return dict(yaml.safe_load(text))

    @property
    def at(self) -> Path:
        """The folder of the job that was run last."""
        return self.folder / f"job-{self.jobs_run}"

    def environment(self) -> dict[str, str]:
        """The variables that the forges set, and no secret."""
        remote = str(self.folder / "remote")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")},
            "PATH": f"{self.folder / 'tools'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_GLOBAL": os.devnull, "GITHUB_REF_NAME": self.branch, "GITHUB_SERVER_URL": str(self.folder),
            "GITHUB_REPOSITORY": "remote", "GITHUB_STEP_SUMMARY": str(self.at / "summary.md"),
            "CI_PROJECT_URL": remote, "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": self.branch,
            **{name: str(value) for name, value in self.found.get("env", self.found.get("variables", {})).items()},
        }  # fmt: skip

    def said(self, value: str) -> str:
        """An expression's value."""
        values = {
            "github.event.pull_request.head.sha": self.commit,
            "github.event.pull_request.head.repo.clone_url": str(self.folder / "remote.git"),
            "github.token": "a token", "secrets.TOCSIN_SMTP_URL": self.smtp, "github.ref_name": self.branch,
        }  # fmt: skip
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], value)

    def run(self, job: str) -> "Ended":
        """Runs a job in a folder of its own, as far as it goes."""
        self.jobs_run += 1
        self.at.mkdir()
        if self.forge == "gitlab":
            return self._gitlab(job)
        said = ""
        for step in self.found["jobs"][job]["steps"]:
            if "uses" in step:
                self._used(step)
                continue
            more = {name: self.said(str(value)) for name, value in step.get("env", {}).items()}
            done = self._script(step["run"], more)
            said += done.stdout + done.stderr
            if done.returncode:
                return Ended(done.returncode, said, self.at)
        return Ended(0, said, self.at)

    def _gitlab(self, job: str) -> "Ended":
        self._checked_out()
        mail = {"TOCSIN_SMTP_URL": self.smtp} if job == "post" else {}
        script = "\n".join([*self.found["default"]["before_script"], *self.found[job]["script"]])
        done = self._script(script, {**mail, "TOCSIN_PUSH_TOKEN": "a token"})
        return Ended(done.returncode, done.stdout + done.stderr, self.at)

    def _used(self, step: Mapping[str, Any]) -> None:
        if step["uses"].startswith("actions/checkout@"):
            self._checked_out()
        if step["uses"].startswith("actions/upload-pages-artifact@"):
            shutil.copytree(self.at / step["with"]["path"], self.folder / "deployed", dirs_exist_ok=True)

    def _checked_out(self) -> None:
        git(self.at, "clone", "--quiet", "--branch", self.branch, str(self.folder / "remote.git"), ".")

    def _script(self, script: str, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-eo", "pipefail", "-c", script]
        environment = {**self.environment(), **more}
        return subprocess.run(
            command, cwd=self.at, env=environment, capture_output=True, text=True, check=False,
            pass_fds=[forking.connection().fileno()],
        )  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a job ended: its status, what it said, and where."""

    status: int
    said: str
    folder: Path


@pytest.fixture(params=PIPELINES)
def runner(request: pytest.FixtureRequest, clone: Path, tmp_path: Path, server: tuple[Mailboxes, str]) -> Runner:
    """A published series whose main branch holds the pipeline of a forge."""
    forge = str(request.param)
    assert tocsin(clone, "init", "--forge", forge).returncode == 0
    pushed(clone)
    git(tmp_path / "remote.git", "config", "receive.advertisePushOptions", "true")
    return Runner(tmp_path, forge, server[1])


def proposed(runner: Runner, clone: Path, text: str) -> None:
    git(clone, "checkout", "--quiet", "-B", "proposal", "origin/main")
    (clone / "events.toml").write_text(text)
    git(clone, "-c", "user.name=Bo", "-c", "user.email=bo@talks.example", "commit", "--quiet", "--all", "-m", "an edit")
    git(clone, "push", "--quiet", "--force", "origin", "HEAD:proposal")
    runner.branch, runner.commit = "proposal", git(clone, "rev-parse", "HEAD").strip()


def merged(runner: Runner, clone: Path) -> None:
    git(clone, "push", "--quiet", "origin", "proposal:main")
    runner.branch = "main"


def test_a_proposal_is_refused_at_its_line_or_shows_what_it_would_change_and_changes_nothing(
    runner: Runner, clone: Path
) -> None:
    before = git(runner.folder / "remote.git", "for-each-ref", "refs/heads/main", "refs/heads/tocsin-sent")
    proposed(runner, clone, WRONG)
    done = runner.run("proposal")
    line = WRONG[: WRONG.index('"25:00"')].count("\n") + 1
    assert done.status == 1, done.said
    if runner.forge == "github":
        assert f"::error file=events.toml,line={line}" in done.said
    else:
        assert f"events.toml:{line}: " in done.said
    if runner.forge == "gitlab":
        [problem] = json.loads((done.folder / "problems.json").read_text())
        assert problem["location"] == {"path": "events.toml", "lines": {"begin": line}}

    proposed(runner, clone, EDITED)
    done = runner.run("proposal")
    assert done.status == 0, done.said
    shown = {"github": "summary.md", "gitlab": "plan.md"}.get(runner.forge)
    plan = (done.folder / shown).read_text() if shown else done.said
    assert "| `bees` | changed | `time` |" in plan
    assert git(runner.folder / "remote.git", "for-each-ref", "refs/heads/main", "refs/heads/tocsin-sent") == before


def test_what_is_merged_is_published_deployed_and_posted_once_and_no_secret_is_left_anywhere(
    runner: Runner, clone: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, remote = server[0], runner.folder / "remote.git"
    proposed(runner, clone, EDITED)
    merged(runner, clone)
    lines = len(git(remote, "show", "main:ledger.jsonl").splitlines())
    for _again in range(2):
        for job in {"github": ("publish", "post"), "gitlab": ("pages", "post")}.get(runner.forge, ("publish",)):
            done = runner.run(job)
            assert done.status == 0, done.said
            texts = [done.said, *(path.read_text("latin-1") for path in done.folder.rglob("*") if path.is_file())]
            assert [text[:200] for text in texts if runner.smtp in text or "password=a token" in text] == []
            if job == "pages":
                shutil.copytree(done.folder / "public", runner.folder / "deployed", dirs_exist_ok=True)
        assert len(git(remote, "show", "main:ledger.jsonl").splitlines()) == lines + 1
        page = "events/bees/index.html"
        deployed = git(remote, "show", f"pages:{page}") if runner.forge == "forgejo" else (
            runner.folder / "deployed" / page
        ).read_text()  # fmt: skip
        assert "20:00" in deployed
        assert {to: len(found) for to, found in boxes.messages.items()} == {MEMBERS: 1, PRESS: 1}
    assert [(line["to"], line["stage"]) for line in journal(clone)] == [
        (MEMBERS, "begun"), (MEMBERS, "sent"), (PRESS, "begun"), (PRESS, "sent"),
    ]  # fmt: skip
    # Each intention was pushed before its post: no state of the branch knows of a mail that wasn't begun before.
    begun = set[str]()
    for commit in git(remote, "rev-list", "--reverse", "tocsin-sent").split():
        stages = [json.loads(line) for line in git(remote, "show", f"{commit}:sent.jsonl").splitlines()]
        assert {line["to"] for line in stages if line["stage"] == "sent"} <= begun
        begun |= {line["to"] for line in stages if line["stage"] == "begun"}
    assert begun == {MEMBERS, PRESS}
