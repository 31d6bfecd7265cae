"""Posting to mailing lists from a pipeline that keeps no database: its journal is a file on a branch of the repository.

A line is pushed before each post. Git takes only what stands on the tip of the branch, so of two runs one begins a
post; and a run that is killed leaves at most one post of which nobody knows, which is said and not repeated.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.actions.mailing import Office, compose_for_list
from pipeline.clock import Clock
from pipeline.delivery import PASSED_BY, Checkpoint, Fate, Outcome, Transport
from pipeline.edition import Edition
from pipeline.errors import N_, DeliveryError, SettingsError, TemplateError, TocsinError
from pipeline.letters import Message, Recipient
from pipeline.reminders.posted import Journal, Line, Post, Stage, begun, due_posts, ended, read, write
from pipeline.repository import SharedFile

UNUSABLE = N_("the mail server can't be used: {reason}")
_STAGES = {
    Fate.ACCEPTED: Stage.SENT,
    Fate.LATER: Stage.WAITING,
    Fate.REFUSED: Stage.REFUSED,
    Fate.UNWELCOME: Stage.WAITING,
    Fate.BROKEN: Stage.WAITING,
    Fate.UNKNOWN: Stage.DOUBT,
}


@dataclass(frozen=True, slots=True)
class Posted:
    """What a run did: the last line of each post that it began, and what stays to be told."""

    lines: tuple[Line, ...] = ()
    doubtful: tuple[Line, ...] = ()
    in_hand: tuple[Line, ...] = ()
    not_composed: tuple[TocsinError, ...] = ()
    trouble: TocsinError | None = None


def journal_of(file: SharedFile) -> Journal:
    """The journal as it stands at the remote; LedgerError where it was spoilt."""
    return read(file.text(), file.name)


@dataclass
class Run:
    """One run over what is due. `name` tells it from all others; `checkpoint` is where a test may end the process."""

    edition: Edition
    office: Office
    file: SharedFile
    connect: Callable[[], Transport]
    clock: Clock
    name: str
    checkpoint: Checkpoint = PASSED_BY

    def post_due(self) -> Posted:
        """Posts all that is due, one after the other."""
        done, troubles, unwritten = dict[tuple[str, str], Line](), dict[tuple[str, str], TocsinError](), list[Line]()
        trouble, transport = None, None
        try:
            while trouble is None and (post := self._next(done.keys() | troubles.keys())) is not None:
                try:
                    message = self._composed(post)
                    transport = transport or self.connect()
                except (SettingsError, TemplateError) as error:
                    troubles[post.name] = TocsinError("{mailing}: {reason}", mailing=post.occasion.key, reason=error)
                    continue
                except DeliveryError as error:
                    trouble = TocsinError(UNUSABLE, reason=error)
                    continue
                line = self._begin(post, unwritten)
                if line is None:
                    continue  # another run was faster
                self.checkpoint("after_intention")
                outcome = transport.send(message)
                self.checkpoint("after_post")
                done[post.name] = ended(line, _STAGES[outcome.fate], self.clock.now(), outcome.told)
                unwritten.append(done[post.name])
                trouble = _trouble(outcome)
        finally:
            if transport is not None:
                transport.close()
            journal = self._written(unwritten)
        now = self.clock.now()
        mine = done.keys()
        return Posted(
            tuple(done.values()),
            journal.doubtful(now),
            tuple(line for line in journal.in_hand(now) if line.post not in mine),
            tuple(troubles.values()),
            trouble,
        )

    def _next(self, tried: Iterable[tuple[str, str]]) -> Post | None:
        left = due_posts(self.edition, journal_of(self.file), self.clock.now())
        return next((post for post in left if post.name not in tried), None)

    def _composed(self, post: Post) -> Message:
        one, now = post.mailing_list, self.clock.now()
        letter = compose_for_list(self.edition, post.occasion, self.office, one.language, now)
        public = hashlib.blake2b(one.address.casefold().encode(), digest_size=8).hexdigest()
        finish = self.office.finisher(self.edition.catalogue)
        return finish(letter, Recipient(0, one.address, public), post.occasion.key, now)

    def _begin(self, post: Post, unwritten: list[Line]) -> Line | None:
        """Pushes what became of the post before, and that this one begins; None where another run has begun it."""
        line = begun(self.edition, post, self.name, self.clock.now())

        def more(text: str) -> str:
            journal = read(text, self.file.name)
            found = journal.last.get(post.name)
            if found is not None and found.stage is not Stage.WAITING:
                return ""
            return write([*_missing(unwritten, journal), line])

        after = read(self.file.add(more, f"post {post.occasion.key}"), self.file.name)
        if after.last.get(post.name) != line:
            return None
        unwritten.clear()
        return line

    def _written(self, lines: Sequence[Line]) -> Journal:
        text = self.file.add(lambda text: write(_missing(lines, read(text, self.file.name))), "posted")
        return read(text, self.file.name)


def _missing(lines: Iterable[Line], journal: Journal) -> list[Line]:
    return [line for line in lines if line not in journal.lines]


def _trouble(outcome: Outcome) -> TocsinError | None:
    """Why it is of no use to go on with this server."""
    usable = outcome.fate in {Fate.ACCEPTED, Fate.LATER, Fate.REFUSED}
    return None if usable else TocsinError(UNUSABLE, reason=outcome.told)


def settle_doubt(file: SharedFile, key: str, stage: Stage, clock: Clock) -> tuple[Line, ...]:
    """Lets a doubtful mailing be posted again (WAITING) or be (DROPPED); the lines that were added."""
    now, added = clock.now(), list[Line]()

    def more(text: str) -> str:
        found = [line for line in read(text, file.name).doubtful(now) if line.mail == key]
        added[:] = [replace(line, stage=stage, at=now, said="by hand") for line in found]
        return write(added)

    file.add(more, f"{stage.value} {key}")
    return tuple(added)
