"""Programs of the independent web read pages too: each event is an h-event with its name, address, date and place."""

from html.parser import HTMLParser

from html_reader import site
from publishing import TALK, edition

from pipeline.rendering import Renderer

VOID = {"meta", "link", "img", "input", "br", "hr", "base"}
MORE = 'tags = ["law"]\nonline = "https://live.example/"\nabstract = "Words about it."\nduration = "2h"\n'
OFF = TALK.replace('"talk"', '"off"').replace("2026-10-20", "2026-11-20") + 'status = "cancelled"\nnotice = "No."\n'


class _Roots(HTMLParser):
    """The properties of each element that is an h-event: by name the address or time that it bears, else its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._open: list[tuple[list[str], bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        names = said.get("class", "").split()
        if "h-event" in names:
            self.found.append({})
        properties = [name for name in names if name.startswith(("p-", "u-", "dt-", "e-"))]
        for name in properties if self.found else ():
            self.found[-1].setdefault(name, said.get("href") or said.get("datetime") or said.get("value") or "")
        if tag not in VOID:
            self._open.append((properties, "h-event" in names))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for properties, _ in self._open:
            for name in properties if self.found else ():
                if name.startswith(("p-", "e-")):
                    self.found[-1][name] = " ".join(f"{self.found[-1].get(name, '')} {data}".split())


def events(html: str) -> list[dict[str, str]]:
    roots = _Roots()
    roots.feed(html)
    return roots.found


def test_an_event_page_is_one_h_event_with_all_its_facts(renderer: Renderer) -> None:
    [event] = events(site(edition(TALK + MORE), renderer)["events/talk/index.html"])
    assert event["p-name"].startswith("A talk")
    assert event["u-url"] == "https://talks.example/cycle/events/talk/"
    assert (event["dt-start"], event["dt-end"]) == ("2026-10-20T19:00:00+02:00", "2026-10-20T21:00:00+02:00")
    assert "Town hall" in event["p-location"]
    assert event["p-locality"] == "Paris"
    assert event["p-category"] == "law"
    assert event["e-content"] == "Words about it."


def test_each_event_of_the_home_page_is_one(renderer: Renderer) -> None:
    found = events(site(edition(TALK + OFF), renderer)["index.html"])
    assert [(event["u-url"], event["dt-start"]) for event in found] == [
        ("events/talk/index.html", "2026-10-20T19:00:00+02:00"),
        ("events/off/index.html", "2026-11-20T19:00:00+01:00"),
    ]
