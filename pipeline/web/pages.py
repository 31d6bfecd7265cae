"""Pages for people: in their language, in the design of the site, in one file each."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pipeline.actions.made_once import MadeOnce
from pipeline.actions.programmes import takes_subscriptions
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.texts import Line
from pipeline.language import direction, say_language
from pipeline.rendering import Renderer

SPOKEN: Final = ("en", "fr")
"""The languages of pages that belong to no series."""
_MOST_REMEMBERED: Final = 300


@dataclass(frozen=True, slots=True)
class Way:
    """A way on for who has gone astray: a series, its home page, and where one subscribes to it (or nothing)."""

    title: Line
    home: str
    subscribe: str


class Pages:
    """Renders the pages of the service; the one style sheet stands in each, allowed by its digest."""

    def __init__(self, renderer: Renderer, known: Callable[[], Mapping[str, Catalogue]]) -> None:
        """`known` tells the series to which a page about a trouble shows the ways back."""
        self._renderer, self._known = renderer, known
        self._rendered: MadeOnce[bytes] = MadeOnce(_MOST_REMEMBERED)
        style = renderer.render("service/style.css", "en", {}).strip()
        self._style = Markup(style)  # noqa: S704 - a file of ours, without variables
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.headers: Mapping[str, str] = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            # A token in the address must not travel to the next site.
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex",
        }
        """What goes with every answer of the service."""

    def show(
        self,
        template: str,
        language: str,
        catalogue: Catalogue | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """The page of a template in a language, about one series or none; one that it doesn't speak gives its first."""
        if catalogue is not None and language not in catalogue.languages:
            language = catalogue.languages[0]
        shared = {
            "style": self._style,
            "direction": direction(language),
            "series": catalogue.series if catalogue else None,
            "site": home_of(catalogue, language) if catalogue else "",
        }
        html = self._renderer.render(f"service/{template}.html", language, {**shared, **context})
        return HTMLResponse(html, status, dict(headers or {}))

    def same_for_all(
        self,
        what: str,
        template: str,
        language: str,
        catalogue: Catalogue | None,
        context: Callable[[], dict[str, Any]],
    ) -> Response:
        """A page that is the same whoever asks: rendered once for each edition. `what` tells it from its likes."""

        def made() -> bytes:
            return bytes(self.show(template, language, catalogue, **context()).body)

        return HTMLResponse(self._rendered.get(catalogue, (template, what, language), made))

    def trouble(self, request: Request, state: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """A page that says what didn't work and what to do; `state` names its words in the template."""
        language = language_of(request, SPOKEN)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers = {"Retry-After": "60", **(headers or {})}
        return self.show(
            "trouble", language, None, status, headers,
            state=state, ways=[] if status == HTTPStatus.MISDIRECTED_REQUEST else self._ways(request, language),
        )  # fmt: skip

    def _ways(self, request: Request, language: str) -> list[Way]:
        # The service may answer below a path that it doesn't know: only a relative address leads to its other pages.
        top = "../" * (request.scope["path"].count("/") - 1)
        return [
            Way(
                catalogue.series.title, home_of(catalogue, language),
                f"{top}subscribe?{urlencode({'series': series, 'lang': language})}"
                if takes_subscriptions(catalogue) else "",
            )
            for series, catalogue in self._known().items()
        ]  # fmt: skip


def home_of(catalogue: Catalogue, language: str) -> str:
    """The home page of a series in a language, or in its first one where it doesn't speak that."""
    return catalogue.site.base + (f"{language}/" if language in catalogue.languages[1:] else "")


def language_of(request: Request, languages: Iterable[str]) -> str:
    """The reader's language: the one asked for by `lang`, else the best of the browser's list, else the first."""
    known = list(languages)
    asked = request.query_params.get("lang", "")
    if asked in known:
        return asked
    for wanted in preferred(request.headers.get("accept-language", "")):
        for language in known:
            if wanted in {language.lower(), language.lower().partition("-")[0]}:
                return language
    return known[0]


def preferred(accepted: str) -> list[str]:
    """The languages of an Accept-Language field without their regions, the most wanted first."""
    weighed = []
    for part in accepted[:200].split(","):
        name, _, weight = part.partition(";")
        number = weight.strip().removeprefix("q=")
        quality = float(number) if number.replace(".", "", 1).isdecimal() else 1.0
        if quality:
            weighed.append((-quality, name.strip().lower().partition("-")[0]))
    return [name for _, name in sorted(weighed, key=lambda pair: pair[0])]


def language_names(languages: Iterable[str]) -> list[tuple[str, str]]:
    """Each language with its own name."""
    return [(language, say_language(language, language)) for language in languages]
