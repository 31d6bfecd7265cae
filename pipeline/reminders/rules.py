"""The rules by which mail leaves: the organiser's, or the documented defaults where there are none."""

from dataclasses import dataclass

from pipeline.catalogue.models import Catalogue, Event, MailingList, Rule
from pipeline.catalogue.texts import Line
from pipeline.catalogue.timing import (
    InDays,
    InHours,
    Monthly,
    Side,
    Timing,
    Weekly,
    WhenAnnounced,
    WhenChanged,
    parse_timing,
)
from pipeline.reminders.occasions import Kind


def _rule(identifier: str, when: str, en: str, fr: str, **more: object) -> Rule:
    return Rule.model_validate({"id": identifier, "when": when, "label": Line({"en": en, "fr": fr}), **more})


CHANGED = _rule("changed", "when changed", "when something changes", "quand quelque chose change")
"""Everybody who was told of an event hears of a change, so this rule is never missing."""

DEFAULTS = (
    _rule("announced", "when announced", "when an event is announced", "à l’annonce d’une rencontre"),
    _rule("two-weeks-before", "14 days before at 10:00", "two weeks before", "deux semaines avant"),
    _rule("two-days-before", "2 days before at 10:00", "two days before", "deux jours avant"),
    _rule("morning", "on the day at 08:00", "on the morning of the event", "le matin même"),
    CHANGED,
    _rule("recording", "2 days after at 18:00", "when there is a recording", "quand il y a un enregistrement",
          needs="recordings"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadRule:
    """A rule with its `when` understood and the kind of mail that follows from it."""

    rule: Rule
    timing: Timing
    kind: Kind

    def applies_to(self, event: Event) -> bool:
        """Whether the rule speaks of this event at all."""
        named = not self.rule.events or event.id in self.rule.events
        tagged = not self.rule.tags or bool(set(self.rule.tags) & set(event.tags))
        return named and tagged


def rules_of(catalogue: Catalogue) -> tuple[ReadRule, ...]:
    """The rules in force; a rule for changes is added where the organiser wrote none."""
    rules = DEFAULTS if catalogue.rules is None else catalogue.rules
    read = [ReadRule(rule, timing, kind_of(timing)) for rule in rules if (timing := parse_timing(rule.when))]
    if not any(isinstance(rule.timing, WhenChanged) for rule in read):
        read.append(ReadRule(CHANGED, WhenChanged(), Kind.CHANGES))
    return tuple(read)


def kinds_of_list(one: MailingList) -> frozenset[Kind]:
    """The kinds of mail that are posted to a list: all where it names none."""
    return frozenset(map(Kind, one.kinds)) or frozenset(Kind)


def kind_of(timing: Timing) -> Kind:
    """The kind of mail that a rule's moment makes it."""
    match timing:
        case WhenAnnounced():
            return Kind.ANNOUNCEMENTS
        case WhenChanged():
            return Kind.CHANGES
        case Monthly() | Weekly():
            return Kind.NEWSLETTERS
        case InDays(side) | InHours(side):
            return Kind.FOLLOW_UPS if side is Side.AFTER else Kind.REMINDERS
