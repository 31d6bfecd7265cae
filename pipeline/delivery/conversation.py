"""MAIL, RCPT and DATA over an open connection, one message after the other, without waiting inside.

Many conversations go on side by side in one thread: each says what it waits for, and goes on when that has come. Where
the server offers PIPELINING, MAIL, RCPT and DATA leave in one packet, and that of the next message together with the
body before (RFC 2920, 3.1): a message then takes one round trip. No octet of the next body leaves until it has begun.
"""

import math
import re
import select
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from pipeline.delivery.commands import DATA, DOT, END, ENVELOPE, MAIL, RESET, Command, fault_of, transparent
from pipeline.delivery.outcomes import FINAL_TIMEOUT, TIMED_OUT, TIMEOUT, Checkpoint, Fate, Outcome, Step
from pipeline.delivery.replies import code_of, refused, words, words_of
from pipeline.letters import Message

_REPLY: Final = re.compile(rb"(?:\d{3}-[^\n]*\n)*(\d{3})(?!-)([^\n]*)\n")
_LONGEST_REPLY: Final = 65536  # octets: what says more than that is no mail server
_NOT_YET: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_AT_ONCE: Final = 4096  # octets read at a time: a reply is short
_HESITATION: Final = 1.0  # seconds that a careful message's final dot waits for a server that hangs up over the body
_ALL_WELL: Final = re.compile(rb"250 [^\n]*\n25[01] [^\n]*\n354 [^\n]*\n")  # to MAIL, RCPT and DATA, by far the most
_GOODBYE: Final = 1.0  # seconds to wait for the answer to QUIT: nothing depends on it

Reply = tuple[int, bytes]

_NONE: Final = Message("", "", b"", "")


class Conversation:
    """One connection, opened and logged in by `client`, that carries one message at a time.

    `checkpoint` is called between the steps of each message, for tests that end the process there.
    """

    def __init__(self, client: Any, checkpoint: Checkpoint) -> None:
        self._client, self._checkpoint = client, checkpoint
        self._socket = client.smtp.sock
        self._socket.setblocking(False)
        # A secured connection may hold more than the system knows of.
        self._held_back: Callable[[], int] = getattr(self._socket, "pending", int)
        offers = client.smtp.has_extn
        self._pipelined, self._sized = offers("pipelining"), offers("size")
        self._takes_octets, self._takes_unicode = offers("8bitmime"), offers("smtputf8")
        self._leaving: bytes | memoryview = b""
        self._heard = b""
        self._unsaid: deque[tuple[Command, bytes]] = deque()
        self._awaited: deque[Command] = deque()  # those whose replies are still to come
        self._refusal: tuple[Step, int, str] | None = None
        self._message = _NONE
        self._following: Message | None = None
        self._ahead: Message | None = None  # of which MAIL, RCPT and DATA have been said, or are leaving, and no more
        self._dotted = False  # the message's end has been said, or is leaving
        self._behind = 0  # octets of what is said behind that end
        self._careful = self._holds_dot = False
        self._needs_reset = False
        self._until, self._end = 0.0, math.inf

    @property
    def security(self) -> str:
        """How the connection is secured, for a person: `TLSv1.3, certificate verified`."""
        version = getattr(self._socket, "version", None)
        return f"{version()}, certificate verified" if version is not None else "not secured"

    @property
    def looks_ahead(self) -> bool:
        """Whether the next message can be announced together with the body of the one before."""
        return bool(self._pipelined)

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
    def deadline(self) -> float:
        """By when what it waits for must have come, by the monotonic clock."""
        return min(self._until, self._end)

    def hurry(self, seconds: float) -> None:
        """Waits no longer than so many seconds for all the rest: the message in hand is the last one."""
        self._end = time.monotonic() + seconds

    def send(self, message: Message) -> Outcome:
        """Hands over one message and waits for what comes of it."""
        outcome = self.begin(message)
        while outcome is None:
            poll = select.poll()
            poll.register(self.fileno(), self.waits_for)
            ready = poll.poll(max(0.0, self.deadline - time.monotonic()) * 1000)
            outcome = self.go_on() if ready else self.give_up()
        return outcome

    def begin(self, message: Message, careful: bool = False, following: Message | None = None) -> Outcome | None:
        """Starts with a message. None: more has to come; what could be taken for another command never leaves.

        A `careful` one says its final dot only when the server has not hung up over the rest for a moment: then a
        server that does leaves no doubt. The `following` one may be announced with the body of any other; then only
        that one can begin next, over this connection.
        """
        announced, self._ahead = self._ahead, None
        self._message, self._refusal, self._dotted = message, None, False
        self._careful, self._holds_dot = careful, False
        if announced is not None and announced is not message:
            return self._lost(None, "another message was announced", Step.MAIL)
        envelope: tuple[bytes, ...] = ()
        if announced is None:
            if fault := fault_of(message):
                return Outcome(Fate.REFUSED, Step.MAIL, None, fault)
            try:
                envelope = self._envelope(message)
            except UnicodeError:
                fault = "the server doesn't take addresses beyond ASCII (SMTPUTF8)"
                return Outcome(Fate.REFUSED, Step.RCPT, None, fault)
        self._following, self._behind = None if careful else following, 0
        if announced is not None:
            self._until = time.monotonic() + TIMEOUT
            return self._guarded(self._resumed)
        # A refused message is forgotten on the way to the next one.
        if self._needs_reset:
            self._unsaid.append((RESET, b"RSET\r\n"))
            self._needs_reset = False
        self._unsaid.extend(zip(ENVELOPE, envelope, strict=True))
        return self._guarded(self._say_more)

    def go_on(self) -> Outcome | None:
        """Reads or writes what it can; what came of the message, or None while more has to come."""
        return self._guarded(self._pushed if self._leaving else self._listened)

    def overdue(self) -> Outcome | None:
        """What it waits for has not come in time: it gives up, or says the dot that it held back."""
        if self._holds_dot and not self._leaving and time.monotonic() < self._end:
            self._holds_dot = False
            return self._guarded(self._say_dot)
        return self.give_up()

    def give_up(self, words: str = TIMED_OUT) -> Outcome:
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

    def _envelope(self, message: Message) -> tuple[bytes, bytes, bytes]:
        addresses = message.envelope_sender + message.recipient
        options = f" size={len(message.body)}" if self._sized else ""
        if self._takes_octets and not (message.is_transparent or message.body.isascii()):
            options += " body=8bitmime"
        if not addresses.isascii():
            if not self._takes_unicode:
                addresses.encode("ascii")
            options += " smtputf8"
        return (
            f"MAIL FROM:<{message.envelope_sender}>{options}\r\n".encode(),
            f"RCPT TO:<{message.recipient}>\r\n".encode(),
            b"DATA\r\n",
        )

    # Speaking

    def _announcement(self) -> bytes:
        """MAIL, RCPT and DATA of the next message, where the server takes them behind the body of this one."""
        following = self._following
        if following is None or not self._pipelined or fault_of(following):
            return b""
        try:
            envelope = self._envelope(following)
        except UnicodeError:
            return b""
        self._ahead = following
        self._awaited.extend(ENVELOPE)
        return b"".join(envelope)

    def _say_more(self) -> Outcome | None:
        """The next command, or all of them where the server takes them together."""
        said = b""
        while self._unsaid and (self._pipelined or not self._awaited):
            command, octets = self._unsaid.popleft()
            self._awaited.append(command)
            said += octets
        return self._say(said, TIMEOUT)

    def _say(self, octets: bytes, patience: float) -> Outcome | None:
        self._leaving, self._until = octets, time.monotonic() + patience
        return self._pushed()

    def _pushed(self) -> Outcome | None:
        """Writes as much as the connection takes; only when the last octet has left may a reply be waited for."""
        while self._leaving:
            taken = self._socket.send(self._leaving)
            self._leaving = memoryview(self._leaving)[taken:] if taken < len(self._leaving) else b""
        if self._dotted:
            self._checkpoint("after_dot")
            self._until = time.monotonic() + FINAL_TIMEOUT
        elif self._holds_dot:
            self._until = time.monotonic() + _HESITATION
        return None

    # Listening

    def _resumed(self) -> Outcome | None:
        """Goes on with a message that was announced: the replies to that may have come already."""
        outcome = self._answered()
        return self._listened() if outcome is None and self._held_back() else outcome

    def _listened(self) -> Outcome | None:
        while True:
            more = self._socket.recv(_AT_ONCE)
            if not more:
                return self._lost(None, "Connection unexpectedly closed")
            self._heard += more
            outcome = self._answered()
            if self._holds_dot and (reply := self._next_reply()) is not None:
                return self._interrupted(*reply)
            if outcome is not None or not self._held_back():
                return outcome

    def _answered(self) -> Outcome | None:
        """Deals with the replies that are there."""
        if len(self._awaited) == len(ENVELOPE) and self._is_welcome():
            return self._say_body()
        while self._awaited and (reply := self._next_reply()) is not None:
            command = self._awaited.popleft()
            well = reply[0] in command.welcome and self._refusal is None
            outcome = self._went_well(command) if well else self._heed(command, reply)
            if outcome is not None:
                return outcome
        return None

    def _is_welcome(self) -> bool:
        """Whether MAIL, RCPT and DATA were said together and answered together, each as it should be."""
        if self._refusal is not None or self._awaited[0] is not MAIL:
            return False
        if _ALL_WELL.fullmatch(self._heard) is None:
            return False
        self._heard = b""
        self._awaited.clear()
        for command in ENVELOPE:
            self._checkpoint(command.passed)
        return True

    def _next_reply(self) -> Reply | None:
        """The next whole reply of one or several lines, as it came; ValueError for what is none."""
        heard = self._heard
        found = _REPLY.match(heard)
        if found is None:
            for line in heard.split(b"\n")[:-1]:
                if not line[:3].isdigit():
                    raise ValueError(f"a reply that is none: {words(line)}")
            if len(heard) > _LONGEST_REPLY:
                raise ValueError("a reply without an end")
            return None
        self._heard = heard[found.end() :]
        said = found[2] if found.start(1) == 0 else b"\n".join(line[4:] for line in found[0].split(b"\n"))
        return int(found[1]), said

    def _heed(self, command: Command, reply: Reply) -> Outcome | None:
        """What a reply means for the message in hand that isn't the one to go on with."""
        code, said = reply
        step = command.step
        if step is Step.END:
            return self._concluded(code, words(said))
        if code == 421 or not 200 <= code < 600:  # the server is leaving, or talks nonsense
            return self._lost(code, words(said), step)
        if step is None:
            return self._lost(code, words(said))
        if self._refusal is None:
            self._refusal = step, code, words(said)
            self._unsaid.clear()
        elif code in command.welcome and step is Step.DATA:
            # It waits for a body although it refused the recipient: it gets none, and nothing comes of that.
            return self._say_dot()
        return self._refused_at_last()

    def _went_well(self, command: Command) -> Outcome | None:
        if command.passed:
            self._checkpoint(command.passed)
        if command is DATA:
            return self._say_body()
        return None if self._awaited else self._say_more()

    def _say_body(self) -> Outcome | None:
        body, is_transparent = self._message.body, self._message.is_transparent
        if self._careful:
            self._holds_dot = True
            return self._say(transparent(body, is_transparent).removesuffix(DOT), TIMEOUT)
        self._dotted = True
        self._awaited.append(END)
        announcement = self._announcement()
        self._behind = len(announcement)
        return self._say(transparent(body, is_transparent, announcement), TIMEOUT)

    def _say_dot(self) -> Outcome | None:
        self._dotted = self._refusal is None
        self._awaited.append(END)
        return self._say(DOT, TIMEOUT)

    def _refused_at_last(self) -> Outcome | None:
        """The outcome of a refusal, once the replies to all that was said have come."""
        if self._awaited or self._refusal is None:
            return None
        self._needs_reset = True
        return refused(*self._refusal)

    def _concluded(self, code: int, text: str) -> Outcome | None:
        """The reply to the final dot: only here can a failure leave the message in doubt."""
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
        in_body = self._holds_dot or (self._dotted and len(self._leaving) > self._behind)
        is_speaking = self._holds_dot or (self._dotted and bool(self._leaving))
        if is_speaking and self._refusal is None and (reply := self._last_words()) is not None:
            return self._interrupted(*reply) if in_body else self._answered_at_last(*reply)
        hang_up(self._client)
        if self._refusal is not None:
            return refused(*self._refusal)
        if self._dotted and not in_body:
            return Outcome(Fate.UNKNOWN, Step.END, code, words)
        awaited = next((command.step for command in self._awaited if command.step is not None), Step.MAIL)
        return Outcome(Fate.BROKEN, Step.BODY if in_body else at or awaited, code, words)

    def _last_words(self) -> Reply | None:
        """What the server said before it hung up over a body, or what stands behind one."""
        try:
            while more := self._socket.recv(_AT_ONCE):
                self._heard += more
        except OSError:
            pass  # no more will come
        try:
            return self._next_reply()
        except ValueError:
            return None

    def _answered_at_last(self, code: int, said: bytes) -> Outcome:
        """The reply to the final dot, where the server heard no more of what stands behind it."""
        hang_up(self._client)
        return self._concluded(code, words(said)) or self._lost(code, words(said))

    def _interrupted(self, code: int, said: bytes) -> Outcome:
        """A reply before the end of the body: the server wants no more of it."""
        hang_up(self._client)
        if 400 <= code < 600 and code != 421:
            return refused(Step.BODY, code, words(said))
        return Outcome(Fate.BROKEN, Step.BODY, code, words(said))


def hang_up(client: Any) -> None:
    """Closes a connection without a word."""
    client.is_closed = True
    if client.smtp is not None:
        client.smtp.close()
