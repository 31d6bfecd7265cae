"""What an event tells in a word or two beside its date and place: each fact by name, the same in every channel."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.catalogue.models import Event
from pipeline.catalogue.texts import Phrase
from pipeline.errors import N_
from pipeline.language import say_language, say_list, words

NAMES: Final[Mapping[str, str]] = {"price": N_("Price"), "spoken": N_("Spoken language")}
"""How the facts are called, by their keys in the catalogue."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One fact: its name in the reader's language, its value in the one it was written in."""

    name: str
    value: Phrase


def details(event: Event, language: str) -> Iterator[Detail]:
    """The facts that the event has, in the order in which they are told."""
    for key, value in values(event, language):
        yield Detail(words(language)(NAMES[key]), value)


def values(event: Event, language: str) -> Iterator[tuple[str, Phrase]]:
    """The values of the facts that the event has, by their keys in the catalogue."""
    if event.price is not None:
        yield "price", event.price.said_in(language)
    if event.spoken:
        yield "spoken", Phrase(say_list((say_language(code, language) for code in event.spoken), language), language)
