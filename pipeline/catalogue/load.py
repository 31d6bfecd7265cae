"""TOML text in, a `Catalogue` out: or every problem at once, each with its file, line, key and remedy."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from itertools import chain

from pipeline.catalogue.drafting import Draft, Included, Source
from pipeline.catalogue.findings import Finding, proposed
from pipeline.catalogue.guards import guard
from pipeline.catalogue.hints import hints
from pipeline.catalogue.inheritable import wrong_references, wrong_shapes
from pipeline.catalogue.memory import Memory
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.references import IsThere, anything_is_there
from pipeline.catalogue.refusals import MOST_MISTAKES
from pipeline.catalogue.refused import Keep, Refused, completed
from pipeline.catalogue.remnant import remaining_findings, without_consequences
from pipeline.catalogue.texts import Hold, packed
from pipeline.errors import CatalogueError, Problem

__all__ = ["Included", "Loaded", "Source", "load", "nothing_included"]


def nowhere(_findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """For a catalogue that wasn't read from files."""
    return ()


def none() -> tuple[Problem, ...]:
    """For a catalogue of which nothing deserves a look."""
    return ()


@dataclass(frozen=True)
class Loaded:
    """A valid catalogue, and what deserves a look."""

    catalogue: Catalogue
    found: Callable[[], tuple[Problem, ...]] = field(default=none, repr=False, compare=False)
    refused: tuple[Refused, ...] = ()
    """The groups' files with mistakes, in whose place stands what was last published of them."""
    placed: Callable[[Iterable[Finding]], tuple[Problem, ...]] = field(default=nowhere, repr=False, compare=False)
    """What else is found, with its places in the files."""

    @cached_property
    def remarks(self) -> tuple[Problem, ...]:
        """Warnings and open questions in the order of the file, looked for when somebody asks: it takes long."""
        return self.found()


def nothing_included(_pattern: str) -> Sequence[Source]:
    """For a catalogue in one file."""
    return ()


def load(
    main: Source,
    included: Included = nothing_included,
    now: datetime | None = None,
    is_there: IsThere = anything_is_there,
    keep: Keep | None = None,
    memory: Memory | None = None,
    hold: Hold = packed,
) -> Loaded:
    """The catalogue of a text and of the files that it includes; CatalogueError holds every problem.

    `now`, an aware instant, is needed only for warnings about what is past; `is_there` knows the catalogue's folder.
    With `keep` a group's file with mistakes is refused alone; without it the whole catalogue is. Events that `memory`
    knows are not judged again, nor read before somebody asks for them; it learns of the others. `hold` holds the prose
    of events.
    """
    refused: dict[str, Refused] = {}
    included = cache(included)
    if memory is not None and memory.known:
        if (recalled := _recalled(main, included, is_there, memory)) is not None:
            return recalled
        # What is wrong, and what is right below another head, is found by judging everything.
        memory.known = {}
    while True:
        draft = Draft(memory, hold)
        draft.take_main(main, included, refused.keys())
        catalogue, problems = _judged(draft, is_there, keep, refused)
        found = draft.of_groups(problems) if keep is not None else {}
        if not found:
            break
        # Without them everything is judged anew: what was wrong elsewhere may have followed from them.
        refused |= found
    if catalogue is None or problems:
        raise CatalogueError((*problems, *(problem for one in refused.values() for problem in one.problems)))
    if memory is not None and not refused:
        memory.learn(draft.head, draft.blocks)
    today = now.astimezone(catalogue.series.zone).date() if now else None

    def remarks() -> tuple[Problem, ...]:
        return draft.report(proposed(filter(draft.is_its_own, hints(catalogue, today)), draft.tables))

    return Loaded(catalogue, remarks, tuple(sorted(refused.values(), key=lambda one: one.file)), draft.report)


def _recalled(main: Source, included: Included, is_there: IsThere, memory: Memory) -> Loaded | None:
    """The catalogue below the head that is known; None where that is another, or where anything is wrong."""
    draft = Draft(memory=memory)
    draft.take_main(main, included)
    if draft.problems or draft.head != memory.head:
        return None
    catalogue, problems = _judged(draft, is_there, None, {})
    if catalogue is None or problems:
        return None
    memory.learn(draft.head, draft.blocks)
    memory.recalled = True
    return Loaded(catalogue)


def _judged(
    draft: Draft, is_there: IsThere, keep: Keep | None, refused: Mapping[str, Refused]
) -> tuple[Catalogue | None, tuple[Problem, ...]]:
    """The catalogue of a draft, None where it has none, and everything that is wrong."""
    if any(keep is None or problem.file not in draft.group_files for problem in draft.problems):
        return None, tuple(draft.problems)
    context = draft.context
    defaults = tuple(wrong_shapes(draft.all_defaults, context))
    catalogue, refused_shapes = draft.judge(context)
    if catalogue is None:
        wrong = (*defaults, *refused_shapes)
        too_many = len(refused_shapes) > MOST_MISTAKES
        rest = () if too_many else remaining_findings(draft.tables, wrong, context, is_there)
        known = (found for found in rest if not (refused and _may_follow(found)))
        return None, (*draft.problems, *draft.report(without_consequences(proposed(chain(wrong, known), draft.tables))))
    if keep is not None and refused:
        catalogue = completed(catalogue, keep(tuple(refused.values()), catalogue))
    own = filter(draft.is_its_own, guard(catalogue, is_there))
    elsewhere: Iterator[Finding] = iter(()) if defaults else wrong_references(draft.all_defaults, catalogue)
    return catalogue, (
        *draft.problems,
        *draft.report(without_consequences(proposed(chain(defaults, elsewhere, own), draft.tables))),
    )


def _may_follow(finding: Finding) -> bool:
    """Whether it only misses what a refused file may hold."""
    return "[[" in finding.message
