"""One's own choices, data and erasure, by the link that only the mailbox's owner has."""

import json
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from pipeline.actions.offers import offers
from pipeline.actions.preferences import choices_in, choose, data_of, erase, holder_of
from pipeline.catalogue.models import Catalogue
from pipeline.reminders.occasions import Kind
from pipeline.store.subscribers import Subscriber
from pipeline.store.tables import Standing
from pipeline.web.forms import FormError, fields_of
from pipeline.web.pages import language_names
from pipeline.web.room import Room


@dataclass(frozen=True)
class Choosing(Room):
    """`/preferences/…`."""

    def preferences(self, request: Request) -> Response:
        """The choices; posted, they hold for every mail from now on."""
        who, catalogue = self._holder(request)
        if who is None or catalogue is None:
            return self.pages.trouble(request, "link", 404)
        if request.method != "POST":
            return self._shown(request, who, catalogue, "asked")
        try:
            wanted = choices_in(fields_of(request), catalogue, who, self.clock.now())
        except FormError:
            return self.pages.trouble(request, "form", 400)
        if wanted is None:
            return self._shown(request, who, catalogue, "none", 400)
        who = choose(self.database, who, wanted, self.clock.now())
        return self._shown(request, who, catalogue, "stored")

    def data(self, request: Request) -> Response:
        """All that is kept about somebody, as a file."""
        who, _ = self._holder(request)
        if who is None:
            return self.pages.trouble(request, "link", 404)
        kept = data_of(self.database, who)
        text = json.dumps(kept, ensure_ascii=False, indent=2) + "\n"
        return Response(
            text, media_type="application/json", headers={"Content-Disposition": 'attachment; filename="my-data.json"'}
        )

    def erase(self, request: Request) -> Response:
        """The question whether to erase all; posted, it is done."""
        who, catalogue = self._holder(request)
        if who is None:
            return self.pages.trouble(request, "link", 404)
        if request.method == "POST":
            erase(self.database, who)
        done = request.method == "POST"
        return self.pages.show("erase", who.language, catalogue, address=who.address, done=done)

    def _holder(self, request: Request) -> tuple[Subscriber | None, Catalogue | None]:
        found = holder_of(self.database, self.programmes, self.token_of(request), self.secret)
        return found or (None, None)

    def _shown(
        self, request: Request, who: Subscriber, catalogue: Catalogue, state: str, status: int = 200
    ) -> Response:
        now, paused = self.clock.now(), who.wishes.paused_until
        return self.pages.show(
            "preferences", who.language, catalogue, status,
            state=state, who=who, active=who.state is Standing.ACTIVE, token=self.token_of(request),
            kinds=[(kind.value, kind in who.kinds) for kind in Kind],
            offers=offers(catalogue, who, now), languages=language_names(catalogue.languages),
            paused=paused.astimezone(catalogue.series.zone).date() if paused and paused > now else None,
            tomorrow=now.astimezone(catalogue.series.zone).date() + timedelta(days=1),
        )  # fmt: skip
