"""The pages of the documentation as what can be tried: sessions, files and edits, in the order in which they stand.

Comments in a page, which nobody sees, prepare what follows: `<!-- published… -->` (the tutorial's series, published,
with one subscriber), `<!-- now INSTANT -->`, `<!-- write FILE -->` before a block, `<!-- without the event ID -->`,
`<!-- loads as a group's file -->`. A block of `diff` edits events.toml; one of `console` is typed and compared.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from checkout import ROOT

FIRST = "2027-01-10T10:00:00Z"
STEP = re.compile(r"<!-- (?P<note>.*?) -->|^```(?P<kind>\w*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if "adr" not in path.parts
)


def read(page: str) -> str:
    """The text of a page by its way from the root."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, kind: str) -> list[str]:
    """The bodies of a page's blocks of one kind."""
    return [step["body"] for step in STEP.finditer(read(page)) if step["kind"] == kind]


def tutorial_series() -> str:
    """The catalogue that the tutorial has its readers type."""
    return blocks("docs/tutorial.md", "toml")[0]


def commands(session: str) -> Iterator[tuple[str, list[str]]]:
    """Each line that is typed with the lines that it is said to print; "…" stands for any number of them."""
    typed, shown = "", list[str]()
    for line in session.splitlines():
        if line.startswith("$ "):
            if typed:
                yield typed, shown
            typed, shown = line[2:], []
        else:
            shown.append(line)
    yield typed, shown


def edited(text: str, diff: str) -> str:
    """The text with an edit: lines with "-" leave, lines with "+" come in their place or after the line before them."""
    where = 0
    for line in diff.splitlines():
        mark, rest = line[:1], line[1:] + "\n"
        if mark == "+":
            text = text[:where] + rest + text[where:]
            where += len(rest)
            continue
        found = ("\n" + text).find("\n" + rest, max(where - 1, 0) if mark == " " else 0)
        assert found >= 0, f"{rest!r} is not in the catalogue"
        text = text[:found] + text[found + len(rest) :] if mark == "-" else text
        where = found if mark == "-" else found + len(rest)
    return text


def without_event(text: str, event: str) -> str:
    """The catalogue without one event."""
    head, *events = re.split(r"(?m)^(?=\[\[event\]\])", text)
    return head + "".join(one for one in events if f'id = "{event}"' not in one)


@dataclass
class Reader:
    """Somebody who follows a page in a folder of their own, with a command `tocsin`."""

    folder: Path
    tocsin: object
    now: str = FIRST
    last: CompletedProcess[str] | None = None
    file: str = ""
    typed: list[str] = field(default_factory=list)
    smtp: str = ""
    """The mail server that stands in for the one that a page names."""

    def follow(self, page: str) -> None:
        """Does everything that the page says, in its order; fails where something else comes of it."""
        for step in STEP.finditer(read(page)):
            if step["note"]:
                self._prepare(step["note"])
            elif step["kind"] == "diff":
                catalogue = self.folder / "events.toml"
                catalogue.write_text(edited(catalogue.read_text(encoding="utf-8"), step["body"]), encoding="utf-8")
            elif step["kind"] == "console":
                for typed, shown in commands(step["body"]):
                    self._type(typed, shown)
            elif self.file:
                target = self.folder / self.file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(step["body"], encoding="utf-8")
                self.file = ""

    def _prepare(self, note: str) -> None:
        what, _, rest = note.partition(" ")
        if note.startswith("published"):
            (self.folder / "events.toml").write_text(tutorial_series(), encoding="utf-8")
            for words in ("publish", "subscribers add ada@reader.example --consent asked"):
                assert self._run(words.split()).returncode == 0, self.last
        elif what == "now":
            self.now = rest
        elif what == "write":
            self.file = rest
        elif what == "without":
            catalogue = self.folder / "events.toml"
            catalogue.write_text(
                without_event(catalogue.read_text(encoding="utf-8"), rest.split()[-1]), encoding="utf-8"
            )

    def _run(self, words: list[str], **environment: str) -> CompletedProcess[str]:
        self.last = self.tocsin(self.folder, *words, "--now", self.now, **environment)  # type: ignore[operator]
        return self.last

    def _type(self, typed: str, shown: list[str]) -> None:
        words = shlex.split(typed, comments=True)
        if words == ["echo", "$?"]:
            assert self.last is not None
            assert str(self.last.returncode) == shown[0], self.last
            return
        environment = {}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = self.smtp if name == "TOCSIN_SMTP_URL" else value
        assert words[0] == "tocsin", typed
        done = self._run(words[1:], **environment)
        self.typed.append(typed)
        said = done.stdout + done.stderr
        for line in shown:
            assert line == "…" or line in said.splitlines(), f"{typed}: {line!r} is not in:\n{said}"


def fails_on_purpose(page: str) -> set[str]:
    """The commands of a page after which it shows their exit status."""
    found, before = set(), ""
    for session in blocks(page, "console"):
        for typed, _ in commands(session):
            if typed == "echo $?":
                found.add(before)
            before = typed
    return found
