"""Reading calendars by vobject, which keeps for the whole process the first zone that it meets under a name."""

from typing import Any

import vobject
from vobject import icalendar


def read_alone(text: str) -> Any:
    """A calendar by the zones that stand in it, whatever files were read before."""
    known = vars(icalendar)["__tzidMap"]
    for name in known.keys() - {"UTC"}:
        del known[name]
    return vobject.readOne(text)
