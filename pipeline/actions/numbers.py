"""The numbers of a database in the text format of Prometheus."""

from collections.abc import Iterable
from datetime import datetime

from pipeline.store.database import Database
from pipeline.store.personal import mails, standings
from pipeline.store.switch import last_tick


def numbers(database: Database, now: datetime) -> str:
    """People by series, state and language, mails by series and state, and seconds since the last tick."""
    with database.look() as connection:
        people, post, ticked = standings(connection), mails(connection), last_tick(connection)
    lines = [
        *_gauge(
            "tocsin_subscribers",
            "People by series, state and language.",
            (
                (f'series="{series}",state="{state}",language="{language}"', number)
                for (series, state, language), number in sorted(people.items())
            ),
        ),
        *_gauge(
            "tocsin_mails",
            "Mails by series and state.",
            ((f'series="{series}",state="{state}"', number) for (series, state), number in sorted(post.items())),
        ),
    ]
    if ticked is not None:
        age = round((now - ticked).total_seconds(), 3)
        lines += _gauge("tocsin_last_tick_seconds", "Seconds since it was last looked what is due.", [("", age)])
    return "\n".join(lines) + "\n"


def _gauge(name: str, meaning: str, samples: Iterable[tuple[str, float]]) -> list[str]:
    """Series, states and languages are words of ours or slugs: nothing in a label needs escaping."""
    head = [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
    return head + [f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in samples]
