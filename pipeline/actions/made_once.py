"""What is made once of each published catalogue, and shown to everybody who asks."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from pipeline.catalogue.models import Catalogue

Made = TypeVar("Made")


class MadeOnce(Generic[Made]):
    """Remembers what was made of the catalogue of a series until another one comes. Any number of threads may ask."""

    def __init__(self, most: int) -> None:
        """With more than `most` things all are forgotten, and made anew when they are asked for."""
        self._most = most
        self._newest: dict[str, tuple[Catalogue | None, dict[Hashable, Made]]] = {}

    def get(self, catalogue: Catalogue | None, name: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` makes of a catalogue, or of none: `name` tells it from all else that is made of it."""
        series = catalogue.series.id if catalogue else ""
        found = self._newest.get(series)
        if found is None or found[0] is not catalogue:
            # One catalogue a series is kept: a long life sees many, and each is as big as its programme.
            found = self._newest[series] = catalogue, {}
        made = found[1]
        if name not in made:
            made[name] = make()
            if sum(len(things) for _, things in list(self._newest.values())) > self._most:
                self._newest.clear()
        return made[name]
