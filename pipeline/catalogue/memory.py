"""What a reading of a catalogue may know of its events from an earlier one."""

from collections.abc import Mapping
from typing import Any


class KnownRow(dict[str, Any]):
    """A block that is known, in the place of the table that it holds; where in its file it stands."""

    __slots__ = ("end", "facts", "start")

    def __init__(self, facts: str, start: int, end: int) -> None:
        self.facts = facts  # it is one of thousands: what a table without keys begins with is not called for
        self.start, self.end = start, end


class Memory:
    """What is known of the blocks of a catalogue below the same head, and what a reading learns of them."""

    def __init__(self, head: str = "", known: Mapping[str, str] | None = None) -> None:
        """`head` is a digest of all that the files said besides their events.

        `known` are the facts of each event that was sound below that, by the digest of its block.
        """
        self.head, self.known = head, known or {}
        self.blocks: dict[str, str] = {}
        """The digest of each event's block, by its id, where it may be remembered."""
        self.recalled = False
        """Whether the events that are known were taken from here."""

    def learn(self, head: str, blocks: dict[str, str]) -> None:
        """Takes what a reading found, of which nothing was wrong."""
        self.head, self.blocks = head, blocks
