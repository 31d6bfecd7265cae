"""Joining: the form, the page that confirms, and what we keep of whom."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pipeline.actions.joining import (
    Answer,
    Joining,
    Wanted,
    ask,
    candidate,
    confirmed,
    consent_text,
    preferences_token,
)
from pipeline.actions.offers import is_live
from pipeline.actions.personal_data import KEPT
from pipeline.actions.programmes import takes_subscriptions
from pipeline.catalogue.models import Catalogue
from pipeline.language import words
from pipeline.web.forms import FormError, fields_of, only
from pipeline.web.pages import SPOKEN, language_names, language_of
from pipeline.web.room import Room

HONEYPOT = "website"
"""A field that people don't see: what fills it in is a program."""


@dataclass(frozen=True)
class Entrance(Room):
    """`/subscribe`, `/confirm/…` and `/privacy`."""

    joining: Joining
    wake: Callable[[], None] = lambda: None

    def subscribe(self, request: Request) -> Response:
        """The form; posted, a mail goes to the address, and the answer tells nothing about it."""
        try:
            fields = fields_of(request) if request.method == "POST" else {}
        except FormError:
            return self.pages.trouble(request, "form", 400)
        open_to_all = {
            series: catalogue for series, catalogue in self.programmes.all().items() if takes_subscriptions(catalogue)
        }
        catalogue = _chosen(open_to_all, only(fields, "series") or request.query_params.get("series", ""))
        if catalogue is None:
            return self._which(request, open_to_all)
        language = only(fields, "language")
        if language not in catalogue.languages:
            language = language_of(request, catalogue.languages)
        wanted = Wanted(
            only(fields, "address"), language, only(fields, "event") or request.query_params.get("event", "")
        )
        if wanted.event and not _takes_place(catalogue, wanted.event, self.clock.now()):
            return self.pages.show("trouble", language, catalogue, 404, state="event")
        if request.method != "POST":
            return self._form(catalogue, wanted)
        if only(fields, HONEYPOT):
            return self.pages.show("asked", language, catalogue)
        return self._ask(request, catalogue, wanted)

    def _ask(self, request: Request, catalogue: Catalogue, wanted: Wanted) -> Response:
        machine = request.client.host if request.client else ""
        answer = ask(self.database, self.joining, catalogue, wanted, machine, self.clock.now())
        if answer is Answer.WRONG:
            return self._form(catalogue, wanted, 400)
        if answer is Answer.TOO_MANY:
            return self.pages.show("trouble", wanted.language, catalogue, 429, {"Retry-After": "3600"}, state="many")
        self.wake()
        return self.pages.show("asked", wanted.language, catalogue)

    def _form(self, catalogue: Catalogue, wanted: Wanted, status: int = 200) -> Response:
        def shown() -> dict[str, Any]:
            return {
                "typed": wanted.address[:254], "wrong": status != HTTPStatus.OK, "honeypot": HONEYPOT,
                "languages": language_names(catalogue.languages), "event": catalogue.event_by_id.get(wanted.event),
            }  # fmt: skip

        if wanted.address or status != HTTPStatus.OK:
            return self.pages.show("subscribe", wanted.language, catalogue, status, **shown())
        return self.pages.same_for_all(wanted.event, "subscribe", wanted.language, catalogue, shown)

    def _which(self, request: Request, open_to_all: dict[str, Catalogue]) -> Response:
        if not open_to_all:
            return self.pages.trouble(request, "nothing", 404)
        titles = [(series, catalogue.series.title) for series, catalogue in open_to_all.items()]
        return self.pages.show("series", language_of(request, SPOKEN), titles=titles)

    def confirm(self, request: Request) -> Response:
        """The button; pressed, the mails begin."""
        now = self.clock.now()
        token, event = self.token_of(request), request.query_params.get("event", "")
        found = candidate(self.database, self.programmes, token, self.secret, now, event)
        if found is None:
            return self.pages.trouble(request, "link", 404)
        who, catalogue = found.subscriber, found.catalogue
        if found.expired or catalogue is None:
            return self.pages.show("trouble", who.language, catalogue, 410, state="expired")
        if request.method == "POST":
            found = confirmed(self.database, found, now)
            self.wake()
        return self.pages.show(
            "confirm", who.language, catalogue,
            address=who.address, done=found.is_confirmed, consent=consent_text(catalogue, who.language, found.event),
            preferences=f"../preferences/{preferences_token(who.public_id, self.secret)}",
        )  # fmt: skip

    def privacy(self, request: Request) -> Response:
        """What is kept, from the list that the file of one's own data is made by."""
        language = language_of(request, SPOKEN)
        say = words(language)
        return self.pages.same_for_all(
            "", "privacy", language, None,
            lambda: {"kept": [(say(each.name), say(each.meaning), name) for name, each in KEPT.items()]},
        )  # fmt: skip


def _takes_place(catalogue: Catalogue, event: str, now: datetime) -> bool:
    """Whether one can still subscribe to a single event."""
    found = catalogue.event_by_id.get(event)
    return found is not None and is_live(found, now)


def _chosen(open_to_all: dict[str, Catalogue], series: str) -> Catalogue | None:
    """The series asked for, or the only one there is."""
    if series:
        return open_to_all.get(series)
    return next(iter(open_to_all.values())) if len(open_to_all) == 1 else None
