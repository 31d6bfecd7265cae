"""One reader's way in a real browser and with real mail: join, confirm, choose, receive, leave; every page judged."""

import re
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from capture import Mailboxes, capture
from judges import AXE
from patience import until
from test_publishing import project, tocsin
from test_service import ADA, free_place, parsed, ready, serving, standing

__all__ = ["project"]

pytestmark = [
    pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here"),
    pytest.mark.skipif(AXE is None, reason="axe-core isn't here: make judges"),
]
BOB = "bob@reader.example"
AT_THE_REMINDER = "2022-10-11T08:04:00Z"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Mailboxes, str]]:
    with capture(tmp_path / "mail") as running:
        yield running


@pytest.fixture
def page(tmp_path: Path) -> Iterator[chromium.Browser]:
    with chromium.browser(tmp_path / "browser") as page:
        page.size(320)
        yield page


def judged(page: chromium.Browser, heading: str) -> None:
    """The page that is shown fits a small phone, can be touched, and axe finds nothing in the light and in the dark."""
    assert AXE is not None
    assert heading in page.ask("document.querySelector('h1').textContent")
    assert page.ask("document.documentElement.scrollWidth") <= 320, heading
    small = "[...document.querySelectorAll('button, label, summary, input[type=email], input[type=date], select')]"
    assert (
        page.ask(f"{small}.filter(e => !e.closest('.trap, .stacked') && e.getBoundingClientRect().height < 24).length")
        == 0
    )
    page.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.ask(AXE.read_text(encoding="utf-8") + "; 0")
    for dark in (False, True):
        page.dark(dark)
        found = page.ask(
            "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ').slice(0, 200)))"
        )
        assert found == [], (heading, found)


def press(page: chromium.Browser, selector: str = "main form button") -> None:
    """Presses what leads to another page, and waits for all of that."""
    page.ask(f"window.isLeft = true; document.querySelector({selector!r}).click()")
    page.until("!window.isLeft && document.readyState === 'complete'")


def link(boxes: Mailboxes, address: str, kind: str) -> str:
    """A whole link of the newest mail, as its reader would follow it."""
    body = parsed(boxes.messages[address][-1]).get_body(("plain",))
    assert body is not None
    return re.findall(rf"http://[\w.:]+/{kind}/\S+", body.get_content())[0]


def test_join_confirm_choose_receive_and_leave_in_a_browser(
    project: Path, server: tuple[Mailboxes, str], page: chromium.Browser
) -> None:
    boxes, url = server
    listen = free_place()
    catalogue = project / "events.toml"
    text = catalogue.read_text(encoding="utf-8").replace("[site]\n", f'[site]\nservice = "http://{listen}"\n', 1)
    catalogue.write_text(text, encoding="utf-8")
    ready(project)
    with serving(project, url, listen=listen):
        page.open((project / "out" / "subscribe" / "index.html").as_uri())
        page.ask(f"document.querySelector('input[name=address]').value = {ADA!r}")
        press(page, "form[method=post] button")
        judged(page, "Look into your mail")
        until(lambda: boxes.messages.get(ADA))
        page.open(link(boxes, ADA, "confirm"))
        judged(page, "Send mails to this address?")
        assert "pending" in standing(project)
        press(page)
        judged(page, "You are subscribed")
        assert "active" in standing(project)
        press(page, "main a[href*=preferences]")
        judged(page, "Your mails")
        page.ask("document.querySelector('input[name=language][value=fr]').click()")
        page.ask("document.querySelector('input[name=form]').click()")
        press(page, "main form button[type=submit]")
        assert page.ask("document.documentElement.lang") == "fr"
        judged(page, "")
        for path, heading in (
            ("subscribe", "Subscribe by mail"), ("subscribe?event=non-take-up", "Subscribe by mail"),
            ("privacy?lang=en", "What we keep"), ("confirm/x", "doesn’t work"), ("unsubscribe/x", "doesn’t work"),
        ):  # fmt: skip
            page.open(f"http://{listen}/{path}")
            judged(page, heading)
        assert page.console == [] or all("404" in line for line in page.console)

    tocsin(project, "subscribers", "add", BOB)
    sent = tocsin(project, "send", "--now", AT_THE_REMINDER, TOCSIN_SMTP_URL=url)
    assert "2 sent" in sent.stdout, sent.stderr
    reminder = parsed(boxes.messages[ADA][-1])
    assert reminder["Content-Language"] == "fr"
    assert reminder.get_body(("html",)) is None
    assert {part.get_content_type() for part in reminder.walk()} >= {"text/plain", "text/calendar"}

    with serving(project, url, listen=listen, now=AT_THE_REMINDER) as client:
        page.open(link(boxes, ADA, "preferences"))
        assert page.ask("document.querySelector('input[name=language][value=fr]').checked")
        page.open(page.ask("document.querySelector('a[href$=erase]').href"))
        judged(page, "")
        page.open(link(boxes, ADA, "unsubscribe"))
        judged(page, "")
        assert "  active" in standing(project)
        press(page)
        assert "unsubscribed" in standing(project)
        judged(page, "")
        left = client.post(
            re.findall(r"<(http://[^>]+/unsubscribe/[^>]+)>", parsed(boxes.messages[BOB][-1])["List-Unsubscribe"])[0],
            content="List-Unsubscribe=One-Click", headers={"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert left.status_code == 200
        assert "unsubscribed" in standing(project, BOB)
