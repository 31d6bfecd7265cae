"""One connection to the service: who is silent in the middle of a request, or takes no answer, is let go."""

import asyncio
import socket
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST_HEAD: Final = 10.0
"""Seconds for the head of a request to arrive, on a new connection from its beginning."""
LONGEST_UNREAD: Final = 60_000
"""Milliseconds that an answer waits while its reader takes nothing of it."""


class Connection(H11Protocol):
    """An HTTP connection that comes to an end: the server's own class waits for ever for the rest of a head."""

    _deadline: asyncio.TimerHandle | None = None
    _heard_all = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the class above has it
        """A connection begins, and its first request is awaited."""
        super().connection_made(transport)
        wire = transport.get_extra_info("socket")
        if wire is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LONGEST_UNREAD)
        self._expect_an_end()

    def data_received(self, data: bytes) -> None:
        """More of a request: one that has begun must go on in time, however slowly its octets come."""
        super().data_received(data)
        # What still comes after the answer was given is thrown away, for as long and no longer.
        if self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE:
            self._expect_an_end()
        else:
            self._be_content()

    def eof_received(self) -> bool:  # type: ignore[override] # as the class above has it
        """No more will come: what was asked is answered all the same, and then the connection ends."""
        self._heard_all = True
        return self._owes_an_answer()

    def on_response_complete(self) -> None:
        """An answer was given; where nothing more will come it may have been the last one."""
        super().on_response_complete()
        if self._heard_all and not self._owes_an_answer():
            self.transport.close()
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._expect_an_end()  # the next head has begun meanwhile

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection has ended."""
        self._be_content()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Tells that it is no request; whoever works on an answer meanwhile learns that nobody waits for it."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.abort()
            return
        super().send_400_response(msg)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _owes_an_answer(self) -> bool:
        whole = self.conn.their_state is not h11.SEND_BODY
        return whole and self.cycle is not None and not self.cycle.response_complete

    def _expect_an_end(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(LONGEST_HEAD, self.transport.abort)

    def _be_content(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
