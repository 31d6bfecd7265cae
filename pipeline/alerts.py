"""Telling the operator about trouble that mail can't tell: by a command, or by a POST to an address (TOCSIN_ALERT)."""

import json
import logging
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final
from urllib.request import Request, urlopen

from pipeline.errors import N_, SettingsError, TocsinError, in_our_words, unchanged

PATIENCE: Final = 20
"""Seconds that a command or an address may take."""

_OURS: Final = {
    "closing quotation": N_("a quote is opened and not closed"),
    "escaped character": N_("it ends with a backslash"),
}
"""In our words what is wrong with a command."""

log = logging.getLogger("tocsin.alerts")


def messenger(target: str) -> Callable[[str], None]:
    """How a text is told: `https://…` gets it as JSON `{"text": …}`, a command on its standard input.

    SettingsError where neither can be meant. What goes wrong in telling is logged and doesn't stop the work.
    """
    if not target:
        return lambda _text: None
    if target.startswith(("https://", "http://")):
        return lambda text: _post(target, text)
    try:
        command = shlex.split(target)
    except ValueError as error:
        raise SettingsError(
            "TOCSIN_ALERT can't be understood ({reason}); write a command, or https://…",
            reason=in_our_words(str(error), _OURS),
        ) from None
    return lambda text: _call(command, text)


def _post(target: str, text: str) -> None:
    body = json.dumps({"text": text}).encode()
    request = Request(target, body, {"Content-Type": "application/json", "User-Agent": "tocsin"})  # noqa: S310
    try:
        with urlopen(request, timeout=PATIENCE):  # noqa: S310 - only http and https come here
            pass
    except (OSError, ValueError, HTTPException) as error:
        # The address may hold a key, so it isn't told.
        log.warning("the address of TOCSIN_ALERT could not be told: %s", type(error).__name__)


def _call(command: list[str], text: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own command
            command, input=text + "\n", text=True, timeout=PATIENCE, check=False, capture_output=True
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("the command of TOCSIN_ALERT could not be run: %s", type(error).__name__)
        return
    if done.returncode:
        log.warning("the command of TOCSIN_ALERT ended with %s", done.returncode)


@dataclass
class Alarm:
    """Tells each trouble once; one that is over may be told again when it comes back.

    `speech` gives the translation into the language of whoever hears of it, which may change with what is published.
    """

    tell: Callable[[str], None]
    speech: Callable[[], Callable[[str], str]] = lambda: unchanged
    _told: set[str] = field(default_factory=set)

    def troubles(self, now: Mapping[str, TocsinError], screened: Callable[[str], str] = unchanged) -> None:
        """All trouble there is at this moment: a name that stays the same, and its words; `screened` hides some."""
        for name, trouble in now.items():
            if name not in self._told:
                self.say(trouble, screened)
        self._told = set(now)

    def say(self, news: TocsinError, screened: Callable[[str], str] = unchanged) -> None:
        """Something that is told whenever it happens."""
        self.tell(f"tocsin: {screened(news.said(self.speech()))}")
