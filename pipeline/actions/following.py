"""How edits reach a server: it takes over what is pushed, checks it, publishes it; a wrong edit changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from pipeline import repository
from pipeline.actions.build import draft
from pipeline.actions.hub import tell_hub
from pipeline.actions.project import Project
from pipeline.actions.publish import left_newsletters, no_newsletters, publish
from pipeline.catalogue.models import Catalogue
from pipeline.clock import Clock
from pipeline.errors import N_, InputError, Problem, TocsinError, reason_of
from pipeline.store.database import Database

RIGHT_AGAIN = N_("what is pushed can be published again, and is")


@dataclass(frozen=True, slots=True)
class Followed:
    """What one look at the remote came to: how many changes were published, or why the last edition (a group's) stays.

    `untold` is why the hub could not be told of what was published; that is tried again at the next look.
    """

    changes: int = 0
    trouble: TocsinError | None = None
    recovered: bool = False
    untold: TocsinError | None = None


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
    _seen: tuple[str, date, bool] | None = None
    _trouble: TocsinError | None = None
    _refused: TocsinError | None = None
    _untold: TocsinError | None = None

    def look(self) -> Followed:
        """Takes over what is new. Trouble of any kind is in the result, and is tried again at the next look."""
        before = self._trouble or self._refused
        try:
            changes = self._take_over()
        except InputError as error:
            return self._in_trouble(N_("the last edition stays: {problems}"), problems=_first_of(error.problems))
        except TocsinError as error:
            return self._in_trouble(N_("edits can't be taken over: {reason}"), reason=error)
        except OSError as error:
            reason = TocsinError("{place}: {reason}", place=error.filename, reason=reason_of(error))
            return self._in_trouble(N_("edits can't be taken over: {reason}"), reason=reason)
        self._trouble = None
        recovered = before is not None and self._refused is None
        return Followed(changes, self._refused, recovered, self._untold)

    def _in_trouble(self, pattern: str, **values: TocsinError) -> Followed:
        self._trouble = TocsinError(pattern, **values)
        return Followed(trouble=self._trouble)

    def _take_over(self) -> int:
        folder, ledger = self.project.folder, self.project.ledger.name
        commit, now = repository.advance(folder), self.clock.now()
        out = partial(left_newsletters, self.database) if self.writes else no_newsletters
        drawn = draft(self.project, now, newsletters=out)
        # The pages also depend on the day, and on which newsletters are out.
        seen = commit, drawn.edition.day, bool(drawn.newsletters)
        if seen == self._seen and not self._trouble:
            if self._untold:
                self._tell_hub(drawn.edition.catalogue)
            return 0
        if drawn.pending and not self.writes:
            return 0
        result = publish(self.project, self.database, now, writes=self.writes)
        if self.writes and repository.share(folder, ledger, "Publish"):
            commit = repository.git(folder, "rev-parse", "HEAD").strip()
        self._seen = commit, drawn.edition.day, False
        problems = [problem for one in result.draft.refused for problem in one.problems]
        stays = TocsinError("a group's last edition stays: {problems}", problems=_first_of(problems))
        self._refused = stays if problems else None
        self._tell_hub(result.draft.edition.catalogue)
        return len(result.draft.pending) + len(result.draft.newsletters)

    def _tell_hub(self, catalogue: Catalogue) -> None:
        """Its failure is no failure of publishing."""
        self._untold = tell_hub(self.project, catalogue).trouble


def _first_of(problems: Sequence[Problem]) -> TocsinError:
    pattern = "{problem}, and {count} more" if len(problems) > 1 else "{problem}"
    return TocsinError(pattern, problem=next(iter(problems), ""), count=len(problems) - 1)
