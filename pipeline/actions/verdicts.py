"""From what the mail server said to what becomes of the delivery and of the address: pure, and all in one place."""

import re
from datetime import datetime, timedelta
from typing import Final

from pipeline.delivery import Fate, Outcome, Step
from pipeline.store.deliveries import Bounce, Settlement
from pipeline.store.tables import State

_WAITS: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
_MOST_BREAKS: Final = 8  # tries of a message; when the connection breaks in the middle of a later one, it is given up
_TOO_MANY: Final = re.compile(r"too (?:many|fast|much)|rate.?limit|throttl|exceed|slow down", re.IGNORECASE)
_OF_THE_SENDER: Final = ("5.1.7", "5.1.8")  # the two of 5.1.x that are about the sender's address


def accepted(outcome: Outcome) -> Settlement:
    """What to store for a message that the server has taken."""
    return Settlement(State.SENT, outcome.code, outcome.told)


def settlement(
    outcome: Outcome, attempt: int, not_after: datetime, now: datetime, jitter: float, pause: timedelta
) -> Settlement:
    """What to store for an outcome of the `attempt`th try (from 1); `pause` is the wait after a broken connection.

    A deferred message whose next try would be too late is dropped. A connection that breaks after the server has heard
    of the message defers that message; so one over which the server stumbles each time is given up in the end.
    """
    said = outcome.told
    if outcome.fate is Fate.ACCEPTED:
        return accepted(outcome)
    if outcome.fate is Fate.UNKNOWN:
        return Settlement(State.DOUBT, outcome.code, said)
    if outcome.fate is Fate.BROKEN and outcome.step is Step.MAIL:
        return Settlement(State.PENDING, outcome.code, said, now + pause)
    if outcome.fate is Fate.BROKEN and attempt > _MOST_BREAKS:
        return Settlement(State.FAILED, outcome.code, f"given up after {attempt} tries: {said}")
    if outcome.fate is Fate.REFUSED:
        return Settlement(State.FAILED, outcome.code, said, bounce=bounce_of(outcome))
    next_try = now + wait_before(attempt, jitter)
    if next_try >= not_after:
        return Settlement(State.DROPPED, outcome.code, f"late: {said}")
    return Settlement(State.RETRY, outcome.code, said, next_try)


def wait_before(attempt: int, jitter: float) -> timedelta:
    """How long a message waits after its `attempt`th deferral: 1, 5, 15, 60 minutes, then hourly, ±10 % by `jitter`."""
    return _WAITS[min(attempt, len(_WAITS)) - 1] * (0.9 + 0.2 * jitter)


def bounce_of(outcome: Outcome) -> Bounce:
    """What a refusal says of the address: only one at RCPT says anything, and one of our reputation never does."""
    if outcome.fate is not Fate.REFUSED or outcome.step is not Step.RCPT:
        return Bounce.NONE
    status = outcome.status
    if status.startswith("5.1.") and status not in _OF_THE_SENDER:
        return Bounce.SUSPENDING
    if outcome.code != 550 or status == "5.2.2" or status.startswith("5.7.") or status in _OF_THE_SENDER:
        return Bounce.NONE  # 5.2.2 is a full mailbox, 5.7.x a policy
    return Bounce.COUNTED


def bounce_of_status(status: str) -> Bounce:
    """What a delivery report's status (RFC 3463) says of the address; a report without one counts as a refusal."""
    if status in _OF_THE_SENDER or status == "5.2.2" or status.startswith(("2.", "4.", "5.7.")):
        return Bounce.NONE
    return Bounce.SUSPENDING if status.startswith("5.1.") else Bounce.COUNTED


def is_impersonal(outcome: Outcome) -> bool:
    """Whether a refusal may well be meant for us: several in a row are no accident."""
    if outcome.fate is not Fate.REFUSED:
        return outcome.fate is Fate.UNWELCOME
    if outcome.step is Step.RCPT:
        return outcome.status.startswith("5.7.")
    return not outcome.status.startswith(("5.1.", "5.2."))


def is_crowded(outcome: Outcome) -> bool:
    """Whether a recipient's domain says that it gets too many messages, and not that this one mailbox does."""
    about_the_mailbox = outcome.status.startswith("4.2.")
    said = outcome.fate is Fate.LATER and _TOO_MANY.search(outcome.text) is not None
    return said and outcome.step is not Step.MAIL and not about_the_mailbox
