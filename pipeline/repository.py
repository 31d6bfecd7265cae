"""A file that lives on a branch of a git repository, and grows there by commits that are pushed one by one.

Neither the working tree, nor the index, nor any branch of the checkout is touched.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import TocsinError, visible

PATIENCE: Final = 120
"""Seconds that git may take for one step."""
_TRIES: Final = 30
_AUTHOR: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "tocsin"), ("EMAIL", "tocsin@localhost"))
}


class RepositoryError(TocsinError):
    """Git, or the repository that it should reach, can't be used; what was pushed stays."""


def git(folder: Path, *words: str, given: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """What a git command says, never asking anybody for anything; RepositoryError where it fails."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(env or {})}
    try:
        done = subprocess.run(  # noqa: S603 - a list of words: no shell reads them
            ["git", *words],  # noqa: S607
            cwd=folder, env=environment, input=given, capture_output=True, timeout=PATIENCE, check=False,
            encoding="utf-8", errors="surrogateescape",  # whatever the locale is
        )  # fmt: skip
    except FileNotFoundError:
        raise RepositoryError("git is needed for this and is not here; install it") from None
    except subprocess.TimeoutExpired:
        raise RepositoryError(
            "git {command} gave no answer within {seconds} s", command=words[0], seconds=PATIENCE
        ) from None
    if done.returncode:
        reason = _reason(done.stderr) or RepositoryError("it ended with {status}", status=done.returncode)
        raise RepositoryError("git {command}: {reason}", command=words[0], reason=reason)
    return done.stdout


def _reason(said: str) -> str:
    """What went wrong, of all that git said; advice often stands below it."""
    lines = said.strip().splitlines()
    return visible(next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else ""))


@dataclass(frozen=True, slots=True)
class SharedFile:
    """One file at the top of one branch of a remote. The branch is made when the first text is added."""

    folder: Path
    remote: str
    branch: str
    name: str

    def text(self) -> str:
        """What it holds now; empty while it isn't there."""
        return self._text_at(self._tip())

    def add(self, more: Callable[[str], str], why: str) -> str:
        """Adds a text that depends on what is there, in a commit of its own, and returns what it holds then.

        `more` is asked again where somebody else was faster, so it decides on what is really there; where it gives
        nothing, nothing is pushed. RepositoryError where nothing can be pushed.
        """
        for _ in range(_TRIES):
            parent = self._tip()
            before = self._text_at(parent)
            text = more(before)
            if not text or self._pushed(self._commit(parent, before + text, why), parent):
                return before + text
        raise RepositoryError(
            "{branch} at {remote} moved {times} times meanwhile; try again later",
            branch=self.branch,
            remote=self.remote,
            times=_TRIES,
        )

    def _tip(self) -> str:
        """The commit at the remote, fetched; empty where there is no such branch."""
        found = git(self.folder, "ls-remote", self.remote, f"refs/heads/{self.branch}").split()
        if not found:
            return ""
        kept = f"refs/tocsin/{self.branch}"
        git(self.folder, "fetch", "--quiet", "--no-tags", self.remote, f"+refs/heads/{self.branch}:{kept}")
        return git(self.folder, "rev-parse", "--verify", kept).strip()

    def _text_at(self, commit: str) -> str:
        if not commit or not git(self.folder, "ls-tree", "--full-tree", commit, "--", self.name).strip():
            return ""
        return git(self.folder, "cat-file", "blob", f"{commit}:{self.name}")

    def _commit(self, parent: str, text: str, why: str) -> str:
        blob = git(self.folder, "hash-object", "-w", "--stdin", given=text).strip()
        with tempfile.TemporaryDirectory() as place:
            index = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            if parent:
                git(self.folder, "read-tree", parent, env=index)
            git(self.folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},{self.name}", env=index)
            tree = git(self.folder, "write-tree", env=index).strip()
        before = ("-p", parent) if parent else ()
        return git(self.folder, "commit-tree", tree, *before, "-m", why, env=_AUTHOR).strip()

    def _pushed(self, commit: str, parent: str) -> bool:
        """False where the branch has moved meanwhile: git takes only what stands on the tip."""
        try:
            git(self.folder, "push", "--quiet", self.remote, f"{commit}:refs/heads/{self.branch}")
        except RepositoryError:
            now = self._tip()
            if now == commit:
                return True  # it was taken, and only the answer was lost
            if now == parent:
                raise
            return False
        return True


def advance(folder: Path) -> str:
    """Brings a checkout up to its remote branch, fast-forward only, and returns the commit it stands on.

    A commit of `share` that the remote doesn't have is taken back, its file stays as it is. RepositoryError where the
    remote can't be reached, or where the two have parted: nothing of anybody else's is changed then.
    """
    remote, branch = _upstream(folder)
    git(folder, "fetch", "--quiet", "--no-tags", remote, f"refs/heads/{branch}")
    _take_back(folder)
    try:
        git(folder, "merge", "--quiet", "--ff-only", "FETCH_HEAD")
    except RepositoryError as error:
        raise RepositoryError(
            "what is here and {branch} at {remote} have parted, nothing is taken over ({reason}); "
            "look with: git status",
            branch=branch,
            remote=remote,
            reason=error,
        ) from None
    return git(folder, "rev-parse", "HEAD").strip()


def share(folder: Path, name: str, why: str) -> bool:
    """Commits one file and pushes it to the checkout's remote branch; False where nothing is to be pushed.

    RepositoryError where the remote has moved meanwhile, or nobody knows whether it took the commit: the next `advance`
    finds out, and then it can be tried again.
    """
    if not git(folder, "status", "--porcelain", "--", name).strip():
        return False
    remote, branch = _upstream(folder)
    git(folder, "add", "--", name)
    git(folder, "commit", "--quiet", "--message", why, "--", name, env=_AUTHOR)
    git(folder, "push", "--quiet", remote, f"HEAD:refs/heads/{branch}")
    return True


def _take_back(folder: Path) -> None:
    """Takes back our own commits on top that were never pushed: the push failed, or we were killed before it."""
    for email in git(folder, "log", "--format=%ce", "FETCH_HEAD..HEAD").splitlines():
        if email != _AUTHOR["GIT_COMMITTER_EMAIL"]:
            return
        git(folder, "reset", "--quiet", "HEAD~1")


def _upstream(folder: Path) -> tuple[str, str]:
    """The remote and the branch that the checkout follows."""
    try:
        here = git(folder, "symbolic-ref", "HEAD").strip()
        found = git(folder, "for-each-ref", "--format=%(upstream:remotename)%00%(upstream:remoteref)", here).strip()
    except RepositoryError:
        found = ""
    remote, _, branch = found.partition("\0")
    if not remote or not branch:
        raise RepositoryError(
            "{folder} follows no branch of a remote; clone it, or type: git branch --set-upstream-to origin/main",
            folder=folder,
        )
    return remote, branch.removeprefix("refs/heads/")
