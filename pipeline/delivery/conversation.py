"""MAIL, RCPT and DATA over an open connection, one message after the other, without waiting inside.

Many conversations go on side by side in one thread: each says what it waits for, and goes on when that has come. Where
the server offers PIPELINING, MAIL, RCPT and DATA leave in one packet, which halves the round trips of a message.
"""

import math
import re
import select
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from pipeline.delivery.outcomes import FINAL_TIMEOUT, TIMEOUT, Fate, Outcome, Step
from pipeline.delivery.replies import code_of, refused, words, words_of
from pipeline.letters import Message

_NOT_IN_AN_ADDRESS: Final = re.compile(r"[\x00-\x20\x7f<>]")
_LONGEST_REPLY: Final = 65536  # octets: what says more than that is no mail server
_NOT_YET: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_WELCOME: Final = {None: (250,), Step.MAIL: (250,), Step.RCPT: (250, 251), Step.DATA: (354,)}
_GOODBYE: Final = 1.0  # seconds to wait for the answer to QUIT: nothing depends on it

Reply = tuple[int, str]


class Conversation:
    """One connection, opened and logged in by `client`, that carries one message at a time.

    `checkpoint` is called between the steps of each message, for tests that end the process there.
    """

    def __init__(self, client: Any, checkpoint: Callable[[str], None]) -> None:
        self._client, self._checkpoint = client, checkpoint
        self._socket = client.smtp.sock
        self._socket.setblocking(False)
        self._pipelined = client.smtp.has_extn("pipelining")
        self._leaving, self._heard = memoryview(b""), bytearray()
        self._unsaid: deque[tuple[Step | None, bytes]] = deque()
        self._awaited: deque[Step | None] = deque()  # the steps whose replies are still to come; None is RSET
        self._refusal: tuple[Step, Reply] | None = None
        self._body = b""
        self._dotted = False  # the message's end has been said, or is leaving
        self._needs_reset = False
        self._until, self._end = 0.0, math.inf

    @property
    def security(self) -> str:
        """How the connection is secured, for a person: `TLSv1.3, certificate verified`."""
        version = getattr(self._socket, "version", None)
        return f"{version()}, certificate verified" if version is not None else "not secured"

    @property
    def is_open(self) -> bool:
        """Whether it can still carry a message."""
        return not self._client.is_closed

    def fileno(self) -> int:
        """For `select.poll`; -1 once the connection is closed."""
        return int(self._socket.fileno())

    @property
    def waits_for(self) -> int:
        """For `select.poll`: POLLOUT while there is more to say, else POLLIN."""
        return select.POLLOUT if self._leaving else select.POLLIN

    @property
    def patience(self) -> float:
        """Seconds until what it waits for must have come; below zero when it is overdue."""
        return min(self._until, self._end) - time.monotonic()

    def hurry(self, seconds: float) -> None:
        """Waits no longer than so many seconds for all the rest: the message in hand is the last one."""
        self._end = time.monotonic() + seconds

    def send(self, message: Message) -> Outcome:
        """Hands over one message and waits for what comes of it."""
        outcome = self.begin(message)
        while outcome is None:
            poll = select.poll()
            poll.register(self.fileno(), self.waits_for)
            ready = poll.poll(max(0.0, self.patience) * 1000)
            outcome = self.go_on() if ready else self.give_up()
        return outcome

    def begin(self, message: Message) -> Outcome | None:
        """Starts with a message. None: more has to come; what could be taken for another command never leaves."""
        if fault := _fault(message):
            return Outcome(Fate.REFUSED, Step.MAIL, None, fault)
        try:
            envelope = self._envelope(message)
        except UnicodeError:
            fault = "the server doesn't take addresses beyond ASCII (SMTPUTF8)"
            return Outcome(Fate.REFUSED, Step.RCPT, None, fault)
        self._body, self._refusal, self._dotted = message.body, None, False
        # A refused message is forgotten on the way to the next one.
        self._unsaid.extend([(None, b"RSET\r\n"), *envelope] if self._needs_reset else envelope)
        self._needs_reset = False
        return self._guarded(self._say_more)

    def go_on(self) -> Outcome | None:
        """Reads or writes what it can; what came of the message, or None while more has to come."""
        return self._guarded(self._pushed if self._leaving else self._listened)

    def give_up(self, words: str = "timed out") -> Outcome:
        """Ends the connection; the message in hand is in doubt only if its final dot had left."""
        return self._lost(None, words)

    def close(self) -> None:
        """QUIT, where the connection still stands."""
        try:
            if self.is_open and not self._awaited and not self._leaving:
                self._socket.settimeout(_GOODBYE)
                self._client.close()
                return
        except (OSError, ValueError):
            pass
        hang_up(self._client)

    def _guarded(self, act: Callable[[], Outcome | None]) -> Outcome | None:
        try:
            return act()
        except _NOT_YET:
            return None
        except (OSError, ValueError, AttributeError) as error:
            return self._lost(code_of(error), words_of(error))

    def _envelope(self, message: Message) -> list[tuple[Step | None, bytes]]:
        smtp = self._client.smtp
        addresses = message.envelope_sender + message.recipient
        options = f" size={len(message.body)}" if smtp.has_extn("size") else ""
        if not message.body.isascii() and smtp.has_extn("8bitmime"):
            options += " body=8bitmime"
        if not addresses.isascii():
            if not smtp.has_extn("smtputf8"):
                addresses.encode("ascii")
            options += " smtputf8"
        return [
            (Step.MAIL, f"MAIL FROM:<{message.envelope_sender}>{options}\r\n".encode()),
            (Step.RCPT, f"RCPT TO:<{message.recipient}>\r\n".encode()),
            (Step.DATA, b"DATA\r\n"),
        ]

    # Speaking

    def _say_more(self) -> Outcome | None:
        """The next command, or all of them where the server takes them together."""
        said = b""
        while self._unsaid and (self._pipelined or not self._awaited):
            step, command = self._unsaid.popleft()
            self._awaited.append(step)
            said += command
        return self._say(said, TIMEOUT)

    def _say(self, octets: bytes, patience: float) -> Outcome | None:
        self._leaving, self._until = memoryview(octets), time.monotonic() + patience
        return self._pushed()

    def _pushed(self) -> Outcome | None:
        """Writes as much as the connection takes; only when the last octet has left may a reply be waited for."""
        while self._leaving:
            self._leaving = self._leaving[self._socket.send(self._leaving) :]
        if self._dotted:
            self._checkpoint("after_dot")
            self._until = time.monotonic() + FINAL_TIMEOUT
        return None

    # Listening

    def _listened(self) -> Outcome | None:
        while True:
            more = self._socket.recv(_LONGEST_REPLY)
            if not more:
                return self._lost(None, "Connection unexpectedly closed")
            self._heard += more
            outcome = self._answered()
            # A secured connection may hold more than the system knows of.
            if outcome is not None or not getattr(self._socket, "pending", int)():
                return outcome

    def _answered(self) -> Outcome | None:
        """Deals with the replies that are there."""
        while self._awaited and (reply := self._next_reply()) is not None:
            outcome = self._heed(self._awaited.popleft(), reply)
            if outcome is not None:
                return outcome
        return None

    def _next_reply(self) -> Reply | None:
        """The next whole reply of one or several lines; ValueError for what is none."""
        texts, start = [], 0
        while (end := self._heard.find(b"\n", start)) >= 0:
            line = bytes(self._heard[start:end]).rstrip(b"\r")
            start = end + 1
            if not line[:3].isdigit():
                raise ValueError(f"a reply that is none: {words(line)}")
            texts.append(line[4:])
            if line[3:4] != b"-":
                del self._heard[:start]
                return int(line[:3]), words(b" ".join(texts))
        if len(self._heard) > _LONGEST_REPLY:
            raise ValueError("a reply without an end")
        return None

    def _heed(self, step: Step | None, reply: Reply) -> Outcome | None:
        """What a reply means for the message in hand."""
        if step is Step.END:
            return self._concluded(reply)
        code, text = reply
        if code == 421 or not 200 <= code < 600:  # the server is leaving, or talks nonsense
            return self._lost(code, text, step)
        if code in _WELCOME[step] and self._refusal is None:
            return self._went_well(step)
        if step is None:
            return self._lost(code, text)
        if self._refusal is None and not (step is Step.DATA and code == 354):
            self._refusal = step, reply
            self._unsaid.clear()
        if step is Step.DATA and code == 354:
            # It waits for a body although it refused the recipient: it gets none, and nothing comes of that.
            return self._say_dot(b".\r\n")
        return self._refused_at_last()

    def _went_well(self, step: Step | None) -> Outcome | None:
        if step is not None:
            self._checkpoint(f"after_{step.value.lower()}")
        if step is Step.DATA:
            return self._say_dot(transparent(self._body))
        return None if self._awaited else self._say_more()

    def _say_dot(self, octets: bytes) -> Outcome | None:
        self._dotted = self._refusal is None
        self._awaited.append(Step.END)
        return self._say(octets, TIMEOUT)

    def _refused_at_last(self) -> Outcome | None:
        """The outcome of a refusal, once the replies to all that was said have come."""
        if self._awaited or self._refusal is None:
            return None
        self._needs_reset = True
        step, (code, text) = self._refusal
        return refused(step, code, text)

    def _concluded(self, reply: Reply) -> Outcome | None:
        """The reply to the final dot: only here can a failure leave the message in doubt."""
        code, text = reply
        if self._refusal is not None:
            return self._refused_at_last()
        if 200 <= code < 300:
            self._checkpoint("after_reply")
            return Outcome(Fate.ACCEPTED, Step.END, code, text)
        if not 400 <= code < 600:
            return self._lost(None, f"a reply that is none: {text}")
        if code == 421:
            hang_up(self._client)
            return Outcome(Fate.BROKEN, Step.END, code, text)
        return refused(Step.END, code, text)

    def _lost(self, code: int | None, words: str, at: Step | None = None) -> Outcome:
        """The connection is of no use any more; what the server had said of the message holds all the same."""
        hang_up(self._client)
        if self._refusal is not None:
            step, (code, words) = self._refusal
            return refused(step, code, words)
        if self._dotted and not self._leaving:
            return Outcome(Fate.UNKNOWN, Step.END, code, words)
        awaited = next((step for step in self._awaited if step is not None), Step.MAIL)
        return Outcome(Fate.BROKEN, Step.DATA if self._dotted else at or awaited, code, words)


def hang_up(client: Any) -> None:
    """Closes a connection without a word."""
    client.is_closed = True
    if client.smtp is not None:
        client.smtp.close()


def transparent(body: bytes) -> bytes:
    """The bytes of DATA with their final dot; a dot that begins a line is doubled (RFC 5321, 4.5.2)."""
    stuffed = body.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _fault(message: Message) -> str:
    """Why a message must not go over the wire: a bare line end is a command to some servers."""
    if _NOT_IN_AN_ADDRESS.search(message.envelope_sender + message.recipient):
        return "an address holds a character that can't stand in one"
    bare = message.body.replace(b"\r\n", b"")
    return "the message holds a bare CR or LF" if b"\r" in bare or b"\n" in bare else ""
