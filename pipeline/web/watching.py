"""For those who watch over the service: whether it is well, and numbers for Prometheus."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from pipeline.actions.numbers import numbers
from pipeline.clock import Clock
from pipeline.store.database import Database
from pipeline.store.switch import last_tick

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Watching:
    """`/healthz` and `/metrics`."""

    database: Database
    clock: Clock
    age: Callable[[], float | None]
    patience: float
    watchers: tuple[IPv4Network | IPv6Network, ...]

    def health(self, _request: Request) -> Response:
        """200 while the ticker does its rounds, else 503; the age of its last sign of life in seconds."""
        ticked = self._last_tick()
        age = self.age()
        if age is None and ticked is not None:
            age = (self.clock.now() - ticked).total_seconds()
        well = age is not None and age <= self.patience
        return JSONResponse({"ok": well, "seconds_since_tick": age}, 200 if well else 503)

    def metrics(self, request: Request) -> Response:
        """The numbers; for machines that may see them, since they tell how many people read."""
        if not self._may_watch(request.client.host if request.client else ""):
            raise HTTPException(404)
        text = numbers(self.database, self.clock.now())
        return PlainTextResponse(text, media_type=METRICS_TYPE)

    def _may_watch(self, machine: str) -> bool:
        try:
            address = ip_address(machine)
        except ValueError:
            return False
        return address.is_loopback or any(address in network for network in self.watchers)

    def _last_tick(self) -> datetime | None:
        with self.database.look() as connection:
            return last_tick(connection)
