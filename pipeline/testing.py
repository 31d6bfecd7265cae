"""Small real stand-ins for the outside world, for tests, rehearsals and simulations."""

import os
import signal
from collections.abc import Mapping
from typing import Final

from pipeline.delivery import PASSED_BY, Checkpoint, Fate, Outcome, Step
from pipeline.letters import Message

CRASH_AT: Final = "TOCSIN_CRASH_AT"

ACCEPTED: Final = Outcome(Fate.ACCEPTED, Step.END, 250, "2.0.0 kept")
BROKEN: Final = Outcome(Fate.BROKEN, Step.MAIL, None, "Connection unexpectedly closed")
UNKNOWN: Final = Outcome(Fate.UNKNOWN, Step.END, None, "Connection unexpectedly closed")


def deferred(text: str = "4.3.0 try again later", code: int = 451, step: Step = Step.RCPT) -> Outcome:
    """A server that can't take the message now."""
    return Outcome(Fate.LATER, step, code, text)


def refused(text: str = "5.1.1 no such user", code: int = 550, step: Step = Step.RCPT) -> Outcome:
    """A server that will never take the message."""
    return Outcome(Fate.REFUSED, step, code, text)


class CapturingTransport:
    """A mail server that keeps all in `sent`, as (envelope sender, recipient, bytes).

    `answers` gives the outcomes for an address, one for each try and the last one for all later tries; ACCEPTED for who
    isn't named. What ends in UNKNOWN was taken all the same, as a server does that dies before its reply.
    """

    def __init__(self, answers: Mapping[str, tuple[Outcome, ...]] | None = None) -> None:
        self.sent: list[tuple[str, str, bytes]] = []
        self.opened = 0
        self._answers = {address: list(outcomes) for address, outcomes in (answers or {}).items()}

    def __call__(self) -> "CapturingTransport":
        """Opens a connection: the transport is its own `connect`."""
        self.opened += 1
        return self

    def send(self, message: Message) -> Outcome:
        """Keeps a message, or answers what was asked for its recipient."""
        outcomes = self._answers.get(message.recipient, [ACCEPTED])
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        if outcome.fate in (Fate.ACCEPTED, Fate.UNKNOWN):
            self.sent.append((message.envelope_sender, message.recipient, message.body))
        return outcome

    def close(self) -> None:
        """Nothing to close."""


def crash_point(environment: Mapping[str, str] = os.environ) -> Checkpoint:
    """A checkpoint that kills this process at the point that TOCSIN_CRASH_AT names, as `name` or `name:nth`.

    Without the variable it does nothing.
    """
    if CRASH_AT not in environment:
        return PASSED_BY
    wanted, _, nth = environment[CRASH_AT].partition(":")
    left = int(nth or 1)

    def checkpoint(name: str) -> None:
        nonlocal left
        if name == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint
