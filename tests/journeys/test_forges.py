"""`tocsin init --forge`: the pipelines are valid, ask for little, and their steps do what they say on a repository."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import forking
import pytest
import yaml
from test_posting import CATALOGUE, SOON, clone, git
from test_publishing import ROOT, tocsin

from pipeline.actions.forges import PIPELINES, requirement

__all__ = ["clone"]


def pipeline(folder: Path, forge: str) -> dict[Any, Any]:
    (folder / "events.toml").write_text(CATALOGUE)
    done = tocsin(folder, "init", "--forge", forge)
    assert (done.returncode, PIPELINES[forge] in done.stdout) == (0, True), done.stderr
    return dict(yaml.safe_load((folder / PIPELINES[forge]).read_text(encoding="utf-8")))


def steps(found: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in found["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("forge", PIPELINES)
def test_one_is_written_beside_the_catalogue_and_never_overwritten(tmp_path: Path, forge: str) -> None:
    pipeline(tmp_path, forge)
    file = tmp_path / PIPELINES[forge]
    file.write_text("mine")
    done = tocsin(tmp_path, "init", "--forge", forge)
    assert (done.returncode, file.read_text()) == (0, "mine")
    assert PIPELINES[forge] in done.stderr


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, "tocsin==1.2"),
        ({"url": "https://forge.example/t.git", "vcs_info": {"vcs": "git", "commit_id": "5eed"}},
         "tocsin @ git+https://forge.example/t.git@5eed"),
        ({"url": "https://host.example/t.whl", "archive_info": {"hashes": {"sha256": "abc"}}},
         "tocsin @ https://host.example/t.whl#sha256=abc"),
        ({"url": "https://host.example/t.whl", "archive_info": {}}, "tocsin @ https://host.example/t.whl"),
        ({"url": "file:///home/ada/t.whl", "archive_info": {}}, "./tocsin-1.2-py3-none-any.whl"),
    ],
)  # fmt: skip
def test_it_installs_the_version_that_wrote_it_from_where_that_came(
    origin: dict[str, Any] | None, expected: str
) -> None:
    assert requirement("1.2", origin and json.dumps(origin)) == expected


def test_a_wheel_that_no_forge_can_reach_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text(CATALOGUE)
    done = tocsin(tmp_path, "init", "--forge", "gitlab")
    named = yaml.safe_load((tmp_path / ".gitlab-ci.yml").read_text())["variables"]["TOCSIN"]
    assert re.fullmatch(r"\./tocsin-[\d.]+-py3-none-any\.whl", named), "the tests run on a checkout"
    assert f"it installs {named}: put that into the repository" in done.stdout


@pytest.mark.parametrize("forge", ["github", "forgejo"])
def test_a_proposal_sees_no_secret_and_no_text_of_a_stranger_is_run(tmp_path: Path, forge: str) -> None:
    found = pipeline(tmp_path, forge)
    assert "pull_request_target" not in found[True]  # YAML 1.1 reads `on` as true
    assert "secrets." not in json.dumps(found["jobs"]["proposal"])
    for step in steps(found):
        assert "${{" not in step.get("run", ""), "what an expression gives could be run"
        assert re.search(r"@[0-9a-f]{40}$", step["uses"]) if "uses" in step else True
    told = [step["run"] for step in found["jobs"]["proposal"]["steps"] if "run" in step]
    assert any("tocsin check" in run for run in told)
    assert any("plan --markdown" in run for run in told)


def test_github_gives_each_job_only_the_rights_that_it_needs(tmp_path: Path) -> None:
    found = pipeline(tmp_path, "github")
    assert found["permissions"] == {"contents": "read"}
    assert {name: job.get("permissions") for name, job in found["jobs"].items()} == {
        "proposal": None, "publish": {"contents": "write"}, "deploy": {"pages": "write", "id-token": "write"},
        "post": {"contents": "write"},
    }  # fmt: skip
    holders = [name for name, job in found["jobs"].items() if "secrets." in json.dumps(job)]
    assert holders == ["post"]


@pytest.mark.parametrize("forge", ["github", "forgejo"])
def test_started_by_hand_on_another_branch_nothing_is_published_or_posted(tmp_path: Path, forge: str) -> None:
    found = pipeline(tmp_path, forge)
    writing = {name: job["if"] for name, job in found["jobs"].items() if name != "proposal" and "if" in job}
    assert set(writing) == ({"publish", "post"} if forge == "github" else {"publish"})
    for condition in writing.values():
        ours = "github.event_name != 'workflow_dispatch' || github.ref_name == github.event.repository.default_branch"
        assert condition.endswith(f"&& ({ours})")
    others = set(found["jobs"]) - {"proposal", *writing}
    assert all("publish" in found["jobs"][name]["needs"] for name in others)


def test_gitlab_marks_a_merge_request_and_posts_only_from_the_main_branch(tmp_path: Path) -> None:
    found = pipeline(tmp_path, "gitlab")
    assert found["proposal"]["artifacts"]["reports"] == {"codequality": "problems.json"}
    for job in ("pages", "post"):
        assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in found[job]["rules"][0]["if"]
    assert "TOCSIN_SMTP_URL" not in json.dumps(found["post"]["script"])


def shim(folder: Path) -> dict[str, str]:
    """An environment in which `tocsin` is the one of this checkout, at a fixed instant."""
    folder.mkdir()
    script = folder / "tocsin"
    script.write_text(f"#!/bin/sh\n{forking.script('--now', SOON[1])}\n")
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "GITHUB_REF_NAME": "main",
            "CI_DEFAULT_BRANCH": "main"}  # fmt: skip


def typed(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, pass_fds=[forking.connection().fileno()],
    )  # fmt: skip


def test_the_steps_of_publishing_push_the_ledger_and_the_site(clone: Path, tmp_path: Path) -> None:
    (clone / "events.toml").write_text(CATALOGUE.replace('"19:00"', '"20:00"'))
    remote, environment = tmp_path / "remote.git", shim(tmp_path / "bin")
    found = pipeline(tmp_path, "forgejo")["jobs"]["publish"]["steps"]
    for name in ("Publish", "Commit the ledger", "Deploy"):
        [run] = [step["run"] for step in found if step.get("name") == name]
        done = typed(run, clone, environment)
        assert done.returncode == 0, done.stderr
    assert len(git(remote, "show", "main:ledger.jsonl").splitlines()) == 2
    assert "What bees know" in git(remote, "show", "pages:index.html")
    assert "20:00" in git(remote, "show", "pages:events/bees.ics") or "190000Z" in git(
        remote, "show", "pages:events/bees.ics"
    )
    assert git(clone, "status", "--porcelain", "--", "ledger.jsonl") == ""
    # A second run has nothing to commit, and deploys the same site.
    for name in ("Publish", "Commit the ledger", "Deploy"):
        [run] = [step["run"] for step in found if step.get("name") == name]
        assert typed(run, clone, environment).returncode == 0
    assert git(remote, "rev-list", "--count", "main").strip() == "2"


def test_the_steps_of_gitlab_are_commands_that_a_shell_understands(tmp_path: Path) -> None:
    found = pipeline(tmp_path, "gitlab")
    for job in ("proposal", "pages", "post"):
        text = "\n".join([*found["default"]["before_script"], *found[job]["script"]])
        done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), job


def test_check_marks_the_line_for_each_forge(clone: Path) -> None:
    (clone / "events.toml").write_text(CATALOGUE + 'weekday = "Monday, 50%"\n')
    done = tocsin(clone, "check", "--format", "github")
    assert done.returncode == 1
    [error] = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
    line = CATALOGUE.count("\n") + 1
    assert re.match(rf"::error file=events\.toml,line={line}(,col=\d+)?,title=[^:,]+::", error), error
    assert "50%25" in error
    inner = tocsin(clone.parent, "check", "--format", "gitlab", "--catalogue", "work/events.toml")
    report = json.loads(inner.stdout)
    assert (inner.returncode, report[0]["location"]) == (1, {"path": "work/events.toml", "lines": {"begin": line}})
    assert {"description", "check_name", "fingerprint", "severity", "location"} <= report[0].keys()
    assert len({found["fingerprint"] for found in report}) == len(report)
    (clone / "events.toml").write_text(CATALOGUE)
    sound = tocsin(clone, "check", "--format", "gitlab")
    assert (sound.returncode, json.loads(sound.stdout)) == (0, [])
