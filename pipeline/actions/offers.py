"""What a reader can choose from on the page of their own choices: what the programme offers, and what they chose."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pipeline.catalogue.models import Catalogue, Event, Status
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.texts import Line
from pipeline.catalogue.when import Unscheduled, When, is_over
from pipeline.language import say_list
from pipeline.phrases.timings import say_timing
from pipeline.reminders.occasions import Kind
from pipeline.reminders.plan import HORIZON
from pipeline.reminders.rules import ReadRule, rules_of
from pipeline.reminders.wishes import WAYS, topics_of
from pipeline.store.subscribers import Subscriber

_MOST_EVENTS: Final = 60
"""So many events are offered one by one; a longer programme is chosen from by subjects, groups and cities."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to tick: what the form sends, what people read, and whether it is ticked."""

    value: str
    label: Line | str
    chosen: bool
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Offers:
    """All that can be ticked. `reminders` are by kind, and only where a kind has more than one."""

    reminders: dict[str, tuple[Option, ...]]
    tags: tuple[Option, ...]
    groups: tuple[Option, ...]
    cities: tuple[Option, ...]
    ways: tuple[Option, ...]
    events: tuple[Option, ...]


def offers(catalogue: Catalogue, who: Subscriber, now: datetime) -> Offers:
    """What somebody can choose now; what they chose before is offered too, also where the programme has moved on."""
    wishes = who.wishes
    cities = {venue.city for event in catalogue.events if (venue := catalogue.venue_of(event)) and venue.city}
    ways = {topic.partition(":")[2] for event in catalogue.events for topic in topics_of(catalogue, event)
            if topic.startswith(f"{WAYS}:")}  # fmt: skip
    groups = {group.id: group.name for group in catalogue.groups}
    tags = {tag for event in catalogue.events for tag in event.tags}
    return Offers(
        _reminders(catalogue, who),
        _options(tags, who.tags, least=1),
        tuple(
            Option(name, groups.get(name, name), name in wishes.groups)
            for name in sorted(groups.keys() | wishes.groups)
        ),
        _options(cities, wishes.cities),
        _options(ways, wishes.ways),
        _events(catalogue, wishes.events, now),
    )


def chooseable_rules(catalogue: Catalogue) -> dict[Kind, list[ReadRule]]:
    """The rules among which readers choose, by kind; news of changes has no choice."""
    found: dict[Kind, list[ReadRule]] = {}
    for read in rules_of(catalogue):
        if read.kind is not Kind.CHANGES:
            found.setdefault(read.kind, []).append(read)
    return {kind: rules for kind, rules in found.items() if len(rules) > 1 or not rules[0].rule.default}


def is_live(event: Event, instant: datetime) -> bool:
    """Whether the event is still to come at an instant, or under way; one without a date is, unless it is off.

    What is postponed is still to come, although its old date passes.
    """
    if event.status is Status.POSTPONED:
        return True
    if isinstance(event.when, Unscheduled):
        return event.status is not Status.CANCELLED
    return any(not is_over(when, instant) for _, when in occurrences(event, instant - HORIZON, instant + HORIZON))


def _reminders(catalogue: Catalogue, who: Subscriber) -> dict[str, tuple[Option, ...]]:
    language = who.language if who.language in catalogue.languages else catalogue.languages[0]
    return {
        kind.value: tuple(
            Option(
                read.rule.id,
                read.rule.label or _said(read, language),
                read.rule.id not in who.wishes.declined if read.rule.default else read.rule.id in who.wishes.asked,
            )
            for read in rules
        )
        for kind, rules in chooseable_rules(catalogue).items()
    }


def _said(read: ReadRule, language: str) -> str:
    """What a reminder without a label is called: when it comes, and about what where that isn't everything."""
    said = say_timing(read.timing, language)
    return f"{said} ({say_list(sorted(read.rule.tags), language)})" if read.rule.tags else said


def _options(offered: Iterable[str], chosen: frozenset[str], least: int = 2) -> tuple[Option, ...]:
    """What can be ticked; with fewer than `least` there is nothing to choose among."""
    known = sorted({*offered, *chosen}, key=str.casefold)
    return tuple(Option(name, name, name in chosen) for name in known) if chosen or len(known) >= least else ()


def _events(catalogue: Catalogue, chosen: frozenset[str], now: datetime) -> tuple[Option, ...]:
    coming = [event for event in catalogue.events if event.id in chosen or is_live(event, now)]
    if len(coming) > _MOST_EVENTS:
        coming = [event for event in coming if event.id in chosen]
    return tuple(Option(event.id, event.title or event.id, event.id in chosen, event.when) for event in coming)
