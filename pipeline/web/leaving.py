"""Leaving by the link in a mail, with a button or by the one-click request of a mail program."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from pipeline.actions.farewell import reader_of, unsubscribe
from pipeline.web.room import Room


@dataclass(frozen=True)
class Leaving(Room):
    """`/unsubscribe/…`."""

    def unsubscribe(self, request: Request) -> Response:
        """The button; any POST to this address unsubscribes (RFC 8058), whatever its body, and a second one too."""
        reader = reader_of(self.database, self.programmes, self.token_of(request), self.secret)
        if reader is None:
            return self.pages.trouble(request, "leave", 404)
        state = "ask"
        if request.method == "POST":
            unsubscribe(self.database, reader, self.clock.now())
            state = "left"
        return self.pages.show("unsubscribe", reader.language, None, state=state, reader=reader)
