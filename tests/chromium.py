"""A Chromium that a test drives over its own pipe (the DevTools protocol): no driver, no port, no library."""

import json
import os
import select
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from patience import PATIENCE

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
    "--disable-dev-shm-usage",
)  # fmt: skip


class Browser:
    """One page. Every call waits for its answer; what a page says to its console is in `console`."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.console: list[str] = []
        self.events: list[dict[str, Any]] = []

    def attach(self) -> None:
        """Opens a page and listens to it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol; AssertionError where the browser refuses."""
        answer = self._called(method, parameters)
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    def _called(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The whole answer to a call."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self._number:
                return answer

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))[0], "no answer"
            piece = os.read(self._reading, 1 << 16)
            assert piece, "the browser has ended"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        self._note(found)
        return found

    def _note(self, message: dict[str, Any]) -> None:
        said = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled":
                self.console.append(" ".join(str(item.get("value", "")) for item in said["args"]))
            case "Runtime.exceptionThrown":
                self.console.append(said["exceptionDetails"]["text"])
            case "Log.entryAdded":
                self.console.append(said["entry"]["text"])
            case str():
                self.events.append(message)

    def open(self, address: str) -> None:
        """Goes to a page and waits until all of it is there: of this one, not of one that reloads meanwhile."""
        self.events.clear()
        went = self.call("Page.navigate", url=address)
        assert not went.get("errorText"), (address, went)
        deadline = time.monotonic() + PATIENCE
        # Within one page, to another of its anchors, nothing loads.
        while "loaderId" in went and not any(self._loaded(event, went["loaderId"]) for event in self.events):
            self._next(deadline)

    @staticmethod
    def _loaded(event: dict[str, Any], loader: str) -> bool:
        said = event["params"]
        return event["method"] == "Page.lifecycleEvent" and (said["name"], said["loaderId"]) == ("load", loader)

    def ask(self, expression: str) -> Any:
        """What a JavaScript expression gives, awaited; AssertionError where it throws."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """Waits until an expression gives something true, also over a reload of the page; AssertionError if never."""
        deadline = time.monotonic() + PATIENCE
        while True:
            asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
            answer = self._called("Runtime.evaluate", asked)  # refused where the page goes meanwhile
            if found := answer.get("result", {}).get("result", {}).get("value"):
                return found
            assert time.monotonic() < deadline, (expression, answer)
            time.sleep(0.05)

    def size(self, width: int, height: int = 900) -> None:
        """Makes the window so large, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def dark(self, on: bool = True) -> None:
        """Prefers the dark, or the light."""
        self.look("dark" if on else "light")

    def look(self, name: str) -> None:
        """Shows pages in the `light`, in the `dark`, or as they `print`."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if name == "dark" else "light"}]
        self.call("Emulation.setEmulatedMedia", media="print" if name == "print" else "", features=features)

    def scripts(self, on: bool) -> None:
        """Whether pages may run scripts, from the next one on."""
        self.call("Emulation.setScriptExecutionDisabled", value=not on)

    def picture(self, whole: bool = False) -> bytes:
        """The window, or the whole page, as PNG."""
        return b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def paper(self) -> bytes:
        """The page as it prints, as PDF, by the page's own size."""
        return b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile in that folder; it ends with the test."""
    assert PROGRAM is not None
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", PROGRAM, *QUIET, f"--user-data-dir={profile}"],
        pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        page = Browser(ours_in, ours_out)
        page.attach()
        yield page
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
        os.close(ours_in)
        os.close(ours_out)
