"""Letters as messages: headers, parts, the two bodies, the post; read by the standard library's parser."""

import re
from io import BytesIO

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment
from letter_writing import (
    ANA,
    CANCEL,
    MORNING,
    MOVED,
    PUBLISH,
    REMINDER,
    SECRET,
    TITLE,
    html_of,
    occasion,
    published,
    read_html,
    text_of,
    write,
)

from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import Group
from pipeline.catalogue.texts import Line
from pipeline.edition import Edition
from pipeline.errors import SettingsError
from pipeline.language import LOCALES
from pipeline.letters import Letter, finish, unsubscribe_token
from pipeline.letters.composing import TEMPLATES, compose
from pipeline.letters.posting import post_of
from pipeline.reminders.occasions import Kind
from pipeline.rendering import Renderer, shipped_templates

# --------------------------------------------------------------------------------------------- the message


def test_a_reminder_has_the_headers_of_list_mail(seed_text: str) -> None:
    message = write(published(seed_text), occasion("non-take-up"))
    token = unsubscribe_token(ANA.public_id, SECRET)
    assert message["Subject"] == f"Reminder: Tue 25 Oct 2022, 19:00 · {TITLE}"
    assert str(message["From"]) == "Le Mouton Numérique <annonces@digitize.example>"
    assert message["To"] == "ana@example.org"
    assert message["Date"].datetime == MORNING
    assert re.fullmatch(r"<[0-9a-f]{32}@digitize\.example>", message["Message-ID"])
    assert message["List-Id"].endswith("<digitize-and-conquer.digitize.example>")
    assert message["List-Unsubscribe"] == (
        f"<https://digitize.example/unsubscribe/{token}>, "
        f"<mailto:annonces-unsubscribe@digitize.example?subject=unsubscribe%20{token}>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] == "bulk"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["Content-Language"] == "en"
    assert message["MIME-Version"] == "1.0"
    assert not [name for name in message if message.get_all(name) and len(message.get_all(name, [])) > 1]


def test_without_a_known_date_to_attach_it_is_text_and_html(seed_text: str) -> None:
    message = write(published(seed_text), occasion("conference-5", Kind.ANNOUNCEMENTS))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "Title to be announced" in text_of(message)
    assert "date to be announced" in text_of(message)
    assert message["Subject"].startswith("Announcement: date to be announced")


@pytest.mark.parametrize(("calendar", "method"), [(PUBLISH, "PUBLISH"), (CANCEL, "CANCEL")])
def test_the_calendar_is_the_last_part_under_its_own_method(seed_text: str, calendar: bytes, method: str) -> None:
    message = write(published(seed_text), occasion("non-take-up"), calendar=calendar)
    readable, attached = message.iter_parts()
    assert message.get_content_type() == "multipart/mixed"
    assert readable.get_content_type() == "multipart/alternative"
    assert attached.get_content_type() == "text/calendar"
    assert attached["Content-Type"].params == {"method": method, "charset": "utf-8", "name": "non-take-up.ics"}
    assert attached.get_filename() == "non-take-up.ics"
    assert attached.get_payload(decode=True) == calendar


def test_a_rule_may_leave_the_calendar_out(seed_text: str) -> None:
    rule = REMINDER.model_copy(update={"attach_calendar": False})
    message = write(published(seed_text), occasion("non-take-up"), rule, calendar=PUBLISH)
    assert message.get_content_type() == "multipart/alternative"
    assert "attached" not in text_of(message)


def test_text_and_html_say_the_same(seed_text: str) -> None:
    edition = published(seed_text, MOVED)
    for about in (occasion("non-take-up"), occasion("non-take-up", Kind.CHANGES, 1)):
        message = write(edition, about, calendar=PUBLISH)
        text = " ".join(text_of(message).split())
        html, links = read_html(html_of(message))
        for fact in (
            TITLE,
            "hursday 27 October 2022, 20:00",
            "Centre Social le Picoulet, 59, rue",
            "The hall is taken",
        ):
            assert fact in text
            assert fact in html
        for link in links:
            assert link in text
            assert link.startswith("https://")
    assert "Tuesday 25 October 2022, 19:00" in text
    assert "Tuesday 25 October 2022, 19:00" in html


def test_html_fetches_nothing_and_names_its_language(seed_text: str) -> None:
    html = html_of(write(published(seed_text), occasion("non-take-up"), language="fr"))
    assert '<html lang="fr"' in html
    assert '<span lang="en">The consequences' in html
    assert not re.search(r"<(?:img|link|script|iframe|object)|url\(|@import", html)
    assert '<h1 style="' in html
    assert "prefers-color-scheme" in html


def test_a_letter_is_in_the_readers_language(seed_text: str) -> None:
    message = write(published(seed_text), occasion("non-take-up"), language="fr")
    assert "mar. 25 oct. 2022, 19:00" in message["Subject"]
    assert "mardi 25 octobre 2022, 19:00" in text_of(message)
    assert "https://digitize.example/fr/events/non-take-up/" in text_of(message)
    assert "Dématérialiser pour mieux régner" in text_of(message)
    assert message["Content-Language"] == "fr"


def test_the_same_arguments_give_the_same_bytes(seed_text: str, renderer: Renderer) -> None:
    edition = published(seed_text)
    post = post_of(edition.catalogue, SECRET)
    letters = {
        compose(edition, occasion("non-take-up"), REMINDER, "en", post, renderer, MORNING, calendar=PUBLISH).source
        for _ in range(3)
    }
    assert len(letters) == 1


# --------------------------------------------------------------------------------------------- the post


def test_a_series_without_a_sender_says_what_to_write(seed_text: str) -> None:
    catalogue = load(Source("events.toml", seed_text.replace("from = ", "reply_to = "))).catalogue
    with pytest.raises(SettingsError, match=r'from = "Name <address@example\.org>" under \[mail\]'):
        post_of(catalogue, SECRET)


def test_addresses_default_to_the_senders_and_hosts_become_ascii(seed_text: str) -> None:
    text = seed_text.replace("annonces@digitize.example", "annonces@münchen.example")
    post = post_of(load(Source("events.toml", text)).catalogue, SECRET)
    assert post.sender == "Le Mouton Numérique <annonces@xn--mnchen-3ya.example>"
    assert post.unsubscribe == "annonces-unsubscribe@xn--mnchen-3ya.example"
    assert post.bounces == "annonces-bounces@xn--mnchen-3ya.example"
    assert post.service == "https://digitize.example"
    assert "secret" not in repr(post)


def test_where_there_is_no_service_leaving_goes_by_mail(seed_text: str) -> None:
    text = seed_text.replace('url = "https://digitize.example/"', 'url = "https://digitize.example/"\nservice = false')
    message = write(published(text), occasion("non-take-up"))
    token = unsubscribe_token(ANA.public_id, SECRET)
    assert message["List-Unsubscribe"] == (
        f"<mailto:annonces-unsubscribe@digitize.example?subject=unsubscribe%20{token}>"
    )
    assert message["List-Unsubscribe-Post"] is None
    assert f"annonces-unsubscribe@digitize.example\nunsubscribe {token}\n" in text_of(message)
    assert f"mailto:annonces-unsubscribe@digitize.example?subject=unsubscribe%20{token}" in html_of(message)


def test_a_post_to_a_mailing_list_has_no_way_of_its_own_to_leave(seed_text: str) -> None:
    edition = published(seed_text)
    post = post_of(edition.catalogue, SECRET).to_mailing_list()
    message = write(edition, occasion("non-take-up"), post=post)
    assert not [name for name in message if name.startswith("List-")]
    assert "unsubscribe" not in (text_of(message) + html_of(message)).lower()
    nonce = b"0" * 22
    letter = Letter("en", "", b"Date: " + nonce + b".date\r\nTo: " + nonce + b".to\r\n\r\n")
    assert finish(letter, ANA, "k", MORNING, post).envelope_sender == "annonces@digitize.example"


def test_answers_about_a_groups_event_go_to_the_group(seed_text: str) -> None:
    edition = published(seed_text)
    group = Group(id="north", name=Line({"en": "North"}), reply_to="North <north@example.org>")
    events = tuple(event.altered(group="north") for event in edition.catalogue.events)
    grouped = edition.catalogue.altered(groups=(group,), events=events)
    message = write(Edition(grouped, edition.ledger, edition.day), occasion("non-take-up"))
    assert message["Reply-To"] == "North <north@example.org>"


# ---------------------------------------------------------------------------------------------- templates


def test_every_word_of_letters_is_said_in_french() -> None:
    folder = LOCALES / "fr" / "LC_MESSAGES"
    said = {
        message.id
        for path in folder.glob("*.po")
        for message in read_po(BytesIO(path.read_bytes()), locale="fr")
        if message.id and message.string
    }
    environment = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, autoescape=True)
    asked = {
        text[0] if isinstance(text, tuple) else text
        for path in (shipped_templates() / "mail").iterdir()
        for _, _, text in environment.extract_translations(path.read_text("utf-8"))
    }
    assert asked - said == set()


def test_each_kind_of_mail_has_its_templates() -> None:
    for name in (*TEMPLATES.values(), "cancelled"):
        for suffix in ("txt", "html"):
            assert (shipped_templates() / "mail" / f"{name}.{suffix}").is_file()
