"""What a power cut leaves between the ledger's commit and its push is made up for, and never parts the histories."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_posting import clone, git, pushed

from pipeline import repository
from pipeline.actions.following import Followed, Follower
from pipeline.actions.project import project_at
from pipeline.clock import FrozenClock
from pipeline.errors import TocsinError
from pipeline.repository import RepositoryError, advance, share
from pipeline.store.database import open_database

__all__ = ["clone"]

CLOCK = FrozenClock(datetime(2027, 1, 11, 10, tzinfo=UTC))


@pytest.fixture
def editor(clone: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", "remote.git", "editor")
    return tmp_path / "editor"


def edit(editor: Path, there: str, typed: str) -> None:
    git(editor, "pull", "--quiet", "--ff-only")
    file = editor / "events.toml"
    file.write_text(file.read_text().replace(there, typed))
    pushed(editor)


def look(clone: Path) -> Followed:
    """The first look of a process that was just started."""
    with open_database(f"sqlite:///{clone / 'var' / 'tocsin.db'}", CLOCK) as database:
        return Follower(project_at(clone / "events.toml"), database, CLOCK, writes=True).look()


def cut_off(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishes, and ends after the commit, before the push."""
    real = repository.git

    def dying(folder: Path, *words: str, **more: object) -> str:
        if words[0] == "push":
            raise KeyboardInterrupt
        return real(folder, *words, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(repository, "git", dying)
        with pytest.raises(KeyboardInterrupt):
            look(clone)
    assert git(clone, "rev-list", "--count", "origin/main..HEAD").strip() == "1"


def published_at_the_remote(clone: Path) -> int:
    return len(git(clone.parent / "remote.git", "show", "main:ledger.jsonl").splitlines())


def test_a_commit_that_was_not_pushed_is_pushed_by_the_next_process(
    clone: Path, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(editor, "What bees know", "What bees say")
    cut_off(clone, monkeypatch)
    assert look(clone).trouble is None
    assert published_at_the_remote(clone) == 2
    assert git(clone, "status", "--porcelain", "--branch").strip() == "## main...origin/main"


def test_an_edit_that_comes_before_that_push_does_not_part_the_histories(
    clone: Path, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(editor, "What bees know", "What bees say")
    cut_off(clone, monkeypatch)
    edit(editor, 'time = "19:00"', 'time = "20:00"')
    assert look(clone).trouble is None
    assert published_at_the_remote(clone) == 3
    assert git(clone, "rev-parse", "HEAD") == git(clone.parent / "remote.git", "rev-parse", "main")


def test_a_commit_of_somebody_else_is_never_taken_back(clone: Path) -> None:
    (clone / "notes.txt").write_text("mine")
    git(clone, "add", "notes.txt")
    git(clone, "-c", "user.name=A", "-c", "user.email=a@talks.example", "commit", "--quiet", "-m", "here alone")
    head = git(clone, "rev-parse", "HEAD")
    assert advance(clone) == head.strip()
    assert git(clone, "rev-parse", "HEAD") == head


def test_a_push_whose_answer_was_lost_is_found_at_the_remote(
    clone: Path, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = repository.git

    def forgetful(folder: Path, *words: str, **more: object) -> str:
        said = real(folder, *words, **more)  # type: ignore[arg-type]
        if words[0] == "push":
            raise RepositoryError("git push gave no answer within 120 s")
        return said

    edit(editor, "What bees know", "What bees say")
    with monkeypatch.context() as patched:
        patched.setattr(repository, "git", forgetful)
        assert "no answer" in str(look(clone).trouble)
    assert look(clone).trouble is None
    assert git(clone, "status", "--porcelain", "--branch").strip() == "## main...origin/main"


@pytest.mark.parametrize("remote", ["git-host", "team/host"])
def test_a_remote_of_any_name_is_followed(clone: Path, remote: str) -> None:
    git(clone, "remote", "rename", "origin", remote)
    (clone / "ledger.jsonl").write_text((clone / "ledger.jsonl").read_text() + "\n")
    assert share(clone, "ledger.jsonl", "Publish")
    assert advance(clone) == git(clone.parent / "remote.git", "rev-parse", "main").strip()


def test_a_lock_that_a_power_cut_left_is_named(clone: Path) -> None:
    (clone / ".git" / "index.lock").touch()
    (clone / "ledger.jsonl").write_text((clone / "ledger.jsonl").read_text() + "\n")
    with pytest.raises(TocsinError, match=r"index\.lock"):
        share(clone, "ledger.jsonl", "Publish")
