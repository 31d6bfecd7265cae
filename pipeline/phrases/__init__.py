"""What several rooms say about an event, in plain text and in the reader's language: when, where, who, what is new.

Every function returns bare text: whoever puts it into HTML escapes it.
"""

from pipeline.phrases.changes import Change, changes
from pipeline.phrases.facts import (
    capitalised,
    place_line,
    say_estimate,
    say_when,
    say_zone_beside,
    say_zone_of,
    short_place,
    speaker_line,
    status_word,
    title_of,
)
from pipeline.phrases.headlines import dated_title, headline
from pipeline.phrases.zones import ANYWHERE

__all__ = [
    "ANYWHERE",
    "Change",
    "capitalised",
    "changes",
    "dated_title",
    "headline",
    "place_line",
    "say_estimate",
    "say_when",
    "say_zone_beside",
    "say_zone_of",
    "short_place",
    "speaker_line",
    "status_word",
    "title_of",
]
