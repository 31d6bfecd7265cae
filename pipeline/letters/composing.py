"""Composing a letter: text, HTML and calendar of one occasion in one language, as the bytes of a whole message."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import css_inline

from pipeline.catalogue.models import Event, Newsletter, Rule, Status
from pipeline.edition import Edition, Listing
from pipeline.errors import PermanentDeliveryError, SettingsError, TemplateError
from pipeline.letters.digests import digest_view
from pipeline.letters.headers import addresses, field, identified, mailbox, unstructured
from pipeline.letters.marks import Marks, marks_for
from pipeline.letters.message import Letter, Post
from pipeline.letters.mime import Part, calendar_part, multipart, text_part
from pipeline.letters.plain import wrapped
from pipeline.letters.subjects import subject_by_pattern, subject_of_digest, subject_of_event, title_of_digest
from pipeline.letters.views import as_it_stands, event_view, news_for, when_of
from pipeline.phrases import changes
from pipeline.reminders.occasions import Kind, Occasion
from pipeline.rendering import Renderer

TEMPLATES = MappingProxyType(
    {
        Kind.ANNOUNCEMENTS: "announcement",
        Kind.REMINDERS: "reminder",
        Kind.CHANGES: "change",
        Kind.FOLLOW_UPS: "follow-up",
        Kind.NEWSLETTERS: "digest",
    }
)
"""The template of each kind of mail, where the rule names none."""

NO_SECRETS: Mapping[str, str] = MappingProxyType({})

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is decided before anything is rendered."""

    subject: str
    template: str
    context: Mapping[str, Any]
    reply_to: str | None = None
    filename: str = "calendar.ics"


def compose(
    edition: Edition,
    occasion: Occasion,
    rule: Rule | Newsletter,
    language: str,
    post: Post,
    renderer: Renderer,
    now: datetime,
    *,
    calendar: bytes | None = None,
    secrets: Mapping[str, str] = NO_SECRETS,
) -> Letter:
    """The letter of an occasion in a language, with marks for `finish`. The same arguments give the same bytes.

    `now` (aware) decides only what is over. `calendar` is a whole VCALENDAR with its METHOD, or None; `secrets` maps
    the environment's names to the links of online events. Raises TemplateError, SettingsError for a link that a
    reminder needs and nobody set, and PermanentDeliveryError for what can't be said in a letter.
    """
    if isinstance(rule, Newsletter) or not occasion.event:
        draft = _digest(edition, occasion, rule, language, now)
    else:
        draft = _about_event(edition, occasion, rule, language, post, now, secrets)
    attached = calendar if isinstance(rule, Rule) and rule.attach_calendar else None
    # The edition's stamp is not part of the name: one occasion has one letter in a language.
    marks = marks_for(f"{edition.series.id} {occasion.key} {language}", post.secret)
    context = {**_everywhere(edition, language, post, marks), "attached": attached is not None, **draft.context}
    context["subject"] = draft.subject
    text = wrapped(renderer.render(f"mail/{draft.template}.txt", language, context))
    html = _inlined(renderer.render(f"mail/{draft.template}.html", language, context), draft.template)
    body = _body(text, html, attached, draft.filename, marks)
    head = _head(edition, draft, language, post, marks)
    return Letter(language, draft.subject, head + body.fields + b"\r\n" + body.body)


# ------------------------------------------------------------------------------------------- what it says


def _about_event(
    edition: Edition,
    occasion: Occasion,
    rule: Rule,
    language: str,
    post: Post,
    now: datetime,
    secrets: Mapping[str, str],
) -> _Draft:
    listing = _listing(edition, occasion)
    event, when = listing.event, when_of(listing.event, occasion)
    news = news_for(edition, occasion) if occasion.kind is Kind.CHANGES or listing.cancelled else None
    news = as_it_stands(news, listing) if news else None
    # A list's archive may be public, so a link that only subscribers may know is not for it.
    view = event_view(edition, listing, when, language, NO_SECRETS if post.is_to_list else secrets, now)
    if view.online_follows and occasion.kind is Kind.REMINDERS and not post.is_to_list:
        raise SettingsError(
            f'the reminder of event "{event.id}" needs the link from {event.online.secret if event.online else ""}: '
            "set it in the environment or in .env"
        )
    subject = subject_of_event(occasion.kind, event, when, news, language)
    if not listing.cancelled:
        subject = subject_by_pattern(rule, edition, event, when, language) or subject
    return _Draft(
        subject,
        template_for(occasion.kind, rule, event),
        {
            "kind": occasion.kind.value,
            "event": view,
            "news": news,
            "changes": changes(news, language) if news else (),
            "noticed": news is not None and "notice" in news.changed,
        },
        _reply_to(edition, event),
        f"{event.id}.ics",
    )


def _listing(edition: Edition, occasion: Occasion) -> Listing:
    found = next((listing for listing in edition.listings if listing.event.id == occasion.event), None)
    if found is None:
        raise PermanentDeliveryError(f'{occasion.key}: event "{occasion.event}" is not in the published edition')
    return found


def template_for(kind: Kind, rule: Rule, event: Event) -> str:
    """The template's name; an event that is off has but one, whatever the rule wants: nobody shall come in vain."""
    if event.status in {Status.CANCELLED, Status.POSTPONED}:
        return "cancelled"
    return rule.template or TEMPLATES[kind]


def _reply_to(edition: Edition, event: Event) -> str | None:
    return next((group.reply_to for group in edition.catalogue.groups if group.id == event.group), None)


def _digest(edition: Edition, occasion: Occasion, rule: Rule | Newsletter, language: str, now: datetime) -> _Draft:
    title = title_of_digest(edition, occasion, language)
    if isinstance(rule, Newsletter):
        title = subject_of_digest(edition, occasion, rule, language)
    return _Draft(
        subject_of_digest(edition, occasion, rule, language),
        (rule.template if isinstance(rule, Rule) else None) or TEMPLATES[Kind.NEWSLETTERS],
        {
            "kind": Kind.NEWSLETTERS.value,
            "digest": digest_view(edition, occasion, rule, language, now),
            "words": rule.text if isinstance(rule, Newsletter) else None,
            "headline": title,
        },
    )


def _everywhere(edition: Edition, language: str, post: Post, marks: Marks) -> dict[str, Any]:
    """What every template may use."""
    return {
        "series": edition.series,
        "organisers": [organiser.name for organiser in edition.series.organiser],
        "site": edition.address("", language),
        "leave": leave(post, marks.token),
        "postal_address": edition.catalogue.mail.postal_address,
    }


@dataclass(frozen=True, slots=True)
class Leave:
    """How a subscriber leaves: an address to follow, or a mail to write. False on a mailing list, which has its own."""

    href: str
    address: str
    subject: str

    @property
    def by_mail(self) -> bool:
        """Whether only a mail will do."""
        return self.href.startswith("mailto:")

    @property
    def mailto(self) -> str:
        """The mail to write, as an address to follow."""
        return f"mailto:{self.address}?subject={self.subject.replace(' ', '%20')}"

    def __bool__(self) -> bool:
        return bool(self.href)


def leave(post: Post, token: str) -> Leave:
    """How the bearer of the token leaves: on the web, or by mail where there is no service."""
    way = Leave("", post.unsubscribe or "", f"unsubscribe {token}")
    if post.service is not None:
        return replace(way, href=f"{post.service}/unsubscribe/{token}")
    return way if post.is_to_list else replace(way, href=way.mailto)


# --------------------------------------------------------------------------------------------- its bytes


def _inlined(html: str, template: str) -> str:
    try:
        return _INLINER.inline(html)
    except (css_inline.InlineError, ValueError) as error:
        raise TemplateError(f"mail/{template}.html: its styles can't be inlined: {error}") from error


def _body(text: str, html: str, calendar: bytes | None, filename: str, marks: Marks) -> Part:
    readable = multipart(
        "alternative",
        (text_part("plain", text, marks.token), text_part("html", html, marks.token)),
        f"{marks.boundary}a",
    )
    if calendar is None:
        return readable
    return multipart("mixed", (readable, calendar_part(calendar, filename)), f"{marks.boundary}m")


def _head(edition: Edition, draft: _Draft, language: str, post: Post, marks: Marks) -> bytes:
    """The header; Date comes first since its mark tells what the other marks are."""
    series = edition.series.title.said_in(language).text
    reply_to = draft.reply_to or post.reply_to
    lines = [
        field("Date", marks.date),
        mailbox("From", post.sender),
        mailbox("Reply-To", reply_to) if reply_to else b"",
        field("To", marks.to),
        unstructured("Subject", draft.subject),
        field("Message-ID", marks.message_id),
        field("MIME-Version", "1.0"),
        field("Content-Language", language),
    ]
    if not post.is_to_list:
        lines += [identified("List-Id", series, post.list_id), *_list_fields(edition, language, post, marks)]
    lines += [
        field("Auto-Submitted", "auto-generated"),
        field("Precedence", "bulk"),
        field("X-Auto-Response-Suppress", "OOF, AutoReply"),
    ]
    return b"".join(lines)


def _list_fields(edition: Edition, language: str, post: Post, marks: Marks) -> list[bytes]:
    way = leave(post, marks.token)
    lines = [
        addresses("List-Help", edition.address("subscribe/", language)),
        addresses("List-Unsubscribe", *dict.fromkeys((way.href, way.mailto))),
    ]
    if post.one_click:
        lines.append(field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return lines
