"""The board: what the preview shows at this moment, made anew at each save; or what is wrong with the files."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.actions.build import Draft
from pipeline.actions.forecast import Forecast
from pipeline.actions.mailing import Office
from pipeline.actions.preview import Look, Specimen, look, specimens
from pipeline.actions.project import Project
from pipeline.clock import Clock
from pipeline.errors import InputError, Problem, TocsinError, unchanged


@dataclass(frozen=True, slots=True)
class State:
    """One making: when, and either what it gave or what was wrong. `number` counts the makings from 1."""

    number: int
    made: datetime
    look: Look | None = None
    problems: Sequence[Problem] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """One file of the draft: its bytes, None where there is no such file; or why they could not be made."""

    body: bytes | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """The paths of all files of the draft, or why they could not be told."""

    paths: Sequence[str] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Letters:
    """Every letter of the season, or why they could not be composed."""

    specimens: Sequence[Specimen] = ()
    trouble: str = ""


class Board:
    """The present state. `office` composes letters; it is called for each state, so that it sees changed templates.

    `foresee` tells what publishing and sending a draft at an instant would do, for the subscribers of today; `say`
    translates for the person who looks.
    """

    def __init__(
        self,
        project: Project,
        clock: Clock,
        office: Callable[[], Office],
        foresee: Callable[[Draft, datetime], Forecast],
        say: Callable[[str], str] = unchanged,
    ) -> None:
        self.project = project
        self._clock = clock
        self._office = office
        self._foresee = foresee
        self._say = say
        self._letters: tuple[int, Letters] | None = None
        self._one_at_a_time = threading.Lock()
        self.closed = False
        self.state = State(0, clock.now())

    def now(self) -> datetime:
        """The present instant by the preview's clock."""
        return self._clock.now()

    def foreseen(self, look: Look) -> Forecast:
        """What publishing and sending would do now."""
        return self._foresee(look.draft, self.now())

    def make(self) -> State:
        """Makes the draft anew from the files as they are; its pages wait until somebody asks for them."""
        with self._one_at_a_time:
            self.state = self._made(self.state.number + 1, self._clock.now())
            return self.state

    def _made(self, number: int, now: datetime) -> State:
        try:
            return State(number, now, look(self.project, now))
        except InputError as error:
            return State(number, now, problems=error.problems)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next save mends it
            return State(number, now, trouble=self._told(error))

    def file(self, state: State, path: str) -> Made:
        """A file of a state, made when somebody first asks for it. A broken template is told, each time."""
        if state.look is None:
            return Made()
        try:
            return Made(state.look.body(path))
        except Exception as error:  # noqa: BLE001 - an organiser's template can raise anything; the next save mends it
            return Made(trouble=self._told(error))

    def paths(self, state: State) -> Listed:
        """The paths of all files of a state, looked for when somebody first asks."""
        if state.look is None:
            return Listed()
        try:
            return Listed(state.look.paths())
        except Exception as error:  # noqa: BLE001 - as above
            return Listed(trouble=self._told(error))

    def letters(self, state: State) -> Letters:
        """The letters of a state, composed when somebody first asks for them."""
        with self._one_at_a_time:
            if self._letters is None or self._letters[0] != state.number:
                self._letters = state.number, self._composed(state)
            return self._letters[1]

    def _composed(self, state: State) -> Letters:
        if state.look is None:
            return Letters()
        try:
            return Letters(specimens(state.look.draft.edition, self._office()))
        except Exception as error:  # noqa: BLE001 - as above
            return Letters(trouble=self._told(error))

    def _told(self, error: Exception) -> str:
        """What went wrong, with its kind where it isn't of ours."""
        return error.said(self._say) if isinstance(error, TocsinError) else f"{type(error).__name__}: {error}"
