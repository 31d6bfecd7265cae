"""How edits reach a server: it takes over what is pushed, checks it, publishes it; a wrong edit changes nothing."""

from dataclasses import dataclass
from datetime import date

from pipeline import repository
from pipeline.actions.build import draft
from pipeline.actions.project import Project
from pipeline.actions.publish import publish
from pipeline.clock import Clock
from pipeline.errors import InputError, TocsinError
from pipeline.store.database import Database

RIGHT_AGAIN = "what is pushed can be published again, and is"


@dataclass(frozen=True, slots=True)
class Followed:
    """What one look at the remote came to: how many changes were published, or why the last edition stays."""

    changes: int = 0
    trouble: str = ""
    recovered: bool = False


@dataclass
class Follower:
    """Follows the remote branch of a checkout.

    With `writes` it publishes what is pushed and pushes the ledger itself. Without, somebody else does, and an edit is
    taken over once its ledger lines have come too.
    """

    project: Project
    database: Database
    clock: Clock
    writes: bool
    _seen: tuple[str, date] | None = None
    _trouble: str = ""

    def look(self) -> Followed:
        """Takes over what is new. Trouble of any kind is in the result, and is tried again at the next look."""
        try:
            changes = self._take_over()
        except InputError as error:
            first = error.problems[0].show()
            more = f", and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
            return self._in_trouble(f"the last edition stays: {first}{more}")
        except (TocsinError, OSError) as error:
            return self._in_trouble(f"edits can't be taken over: {error}")
        recovered, self._trouble = bool(self._trouble), ""
        return Followed(changes, recovered=recovered)

    def _in_trouble(self, words: str) -> Followed:
        self._trouble = words
        return Followed(trouble=words)

    def _take_over(self) -> int:
        folder, ledger = self.project.folder, self.project.ledger.name
        commit, now = repository.advance(folder), self.clock.now()
        drawn = draft(self.project, now)
        # The pages also depend on the day.
        seen = commit, drawn.edition.day
        if seen == self._seen and not self._trouble:
            return 0
        if drawn.pending and not self.writes:
            return 0
        result = publish(self.project, self.database, now)
        if self.writes and repository.share(folder, ledger, "Publish"):
            commit = repository.git(folder, "rev-parse", "HEAD").strip()
        self._seen = commit, drawn.edition.day
        return len(result.draft.pending)
