"""Composing a letter: text, HTML and calendar of one occasion in one language, as the bytes of a whole message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pipeline.catalogue.models import Event, Newsletter, Rule, Status
from pipeline.edition import Edition, Listing
from pipeline.errors import PermanentDeliveryError, SettingsError
from pipeline.language import direction
from pipeline.letters.digests import digest_view
from pipeline.letters.heading import choosing, head_of, leave
from pipeline.letters.inlining import inlined
from pipeline.letters.marks import Marks, marks_for
from pipeline.letters.message import Letter, Post
from pipeline.letters.mime import Part, calendar_part, multipart, text_part
from pipeline.letters.pages import Notice, Page, joined
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

    See `compose_in`.
    """
    return compose_in(
        edition, occasion, rule, (language,), post, renderer, now, name=language, calendar=calendar, secrets=secrets
    )


def compose_in(
    edition: Edition,
    occasion: Occasion,
    rule: Rule | Newsletter,
    languages: Sequence[str],
    post: Post,
    renderer: Renderer,
    now: datetime,
    *,
    name: str,
    calendar: bytes | None = None,
    secrets: Mapping[str, str] = NO_SECRETS,
    notice: Notice | None = None,
    text_only: bool = False,
) -> Letter:
    """One letter that says an occasion in several languages one after the other, kept under `name`.

    `now` (aware) decides only what is over. `calendar` is a whole VCALENDAR with its METHOD, or None; `secrets` maps
    the environment's names to the links of online events; `notice` is what the organiser is told above a proof. Raises
    TemplateError, SettingsError for a link that a reminder needs and nobody set, and PermanentDeliveryError for what
    can't be said in a letter.
    """
    drafts = [_drafted(edition, occasion, rule, language, post, now, secrets) for language in languages]
    first = drafts[0]
    subject = " / ".join(dict.fromkeys(draft.subject for draft in drafts))
    attached = calendar if isinstance(rule, Rule) and rule.attach_calendar else None
    pages = [] if notice is None else [(notice.language, "proof", {"notice": notice, "subject": subject})]
    pages += [
        (language, draft.template, {**draft.context, "subject": draft.subject})
        for language, draft in zip(languages, drafts, strict=True)
    ]
    # The edition's stamp is not part of the name: one occasion has one letter in a language.
    frame = Frame(
        name, notice.titled(subject) if notice else subject, tuple(languages), first.reply_to, attached,
        first.filename, text_only,
    )  # fmt: skip
    return assembled(edition, frame, pages, f"{occasion.key} {name}", post, renderer)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a letter has once, whatever stands on its pages; `calendar` is attached under `filename`."""

    name: str
    subject: str
    languages: tuple[str, ...]
    reply_to: str | None = None
    calendar: bytes | None = None
    filename: str = "calendar.ics"
    text_only: bool = False


def assembled(
    edition: Edition,
    frame: Frame,
    pages: Sequence[tuple[str, str, Mapping[str, Any]]],
    identity: str,
    post: Post,
    renderer: Renderer,
) -> Letter:
    """A letter from its pages: for each its language, its template and what that is told.

    `identity` tells it from all other letters of the series.
    """
    marks = marks_for(f"{edition.series.id} {identity}", post.secret)
    rendered = []
    for number, (language, template, said) in enumerate(pages, 1):
        context = _everywhere(edition, language, post, marks)
        context |= {"attached": frame.calendar is not None, "goes_on": number < len(pages), **said}
        rendered.append(_rendered(renderer, language, template, context))
    text, html = joined(rendered)
    body = _body(text, "" if frame.text_only else html, frame.calendar, frame.filename, marks)
    head = head_of(edition, frame.subject, frame.languages, post, marks, frame.reply_to)
    return Letter(frame.name, frame.subject, head + body.fields + b"\r\n" + body.body)


def _drafted(
    edition: Edition,
    occasion: Occasion,
    rule: Rule | Newsletter,
    language: str,
    post: Post,
    now: datetime,
    secrets: Mapping[str, str],
) -> _Draft:
    if isinstance(rule, Newsletter) or not occasion.event:
        return _digest(edition, occasion, rule, language, now)
    return _about_event(edition, occasion, rule, language, post, now, secrets)


def _rendered(renderer: Renderer, language: str, template: str, context: Mapping[str, Any]) -> Page:
    text, html = f"mail/{template}.txt", f"mail/{template}.html"
    return Page(
        language,
        wrapped(renderer.render(text, language, context)),
        inlined(renderer.render(html, language, context), html),
    )


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
            'the reminder of event "{event}" needs the link from {variable}: set it in the environment or in .env',
            event=event.id,
            variable=event.online.secret if event.online else "",
        )
    subject = subject_of_event(occasion.kind, event, when, news, language, edition.series.timezone)
    if not listing.cancelled:
        subject = subject_by_pattern(rule, edition, event, when, language) or subject
    return _Draft(
        subject,
        template_for(occasion.kind, rule, event),
        {
            "kind": occasion.kind.value,
            "event": view,
            "news": news,
            "changes": changes(news, language, edition.series.timezone) if news else (),
            "noticed": news is not None and "notice" in news.changed,
        },
        _reply_to(edition, event),
        f"{event.id}.ics",
    )


def _listing(edition: Edition, occasion: Occasion) -> Listing:
    found = next((listing for listing in edition.listings if listing.event.id == occasion.event), None)
    if found is None:
        raise PermanentDeliveryError(
            '{occasion}: event "{event}" is not in the published edition', occasion=occasion.key, event=occasion.event
        )
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
        "direction": direction(language),
        "organisers": [organiser.name for organiser in edition.series.organiser],
        "site": edition.address("", language),
        "leave": leave(post, marks.token),
        "preferences": choosing(post, marks.preferences),
        "postal_address": edition.catalogue.mail.postal_address,
    }


# --------------------------------------------------------------------------------------------- its bytes


def _body(text: str, html: str, calendar: bytes | None, filename: str, marks: Marks) -> Part:
    readable = text_part("plain", text, *marks.in_texts)
    if html:
        readable = multipart(
            "alternative",
            (text_part("plain", text, *marks.in_texts), text_part("html", html, *marks.in_texts)),
            f"{marks.boundary}a",
        )
    if calendar is None:
        return readable
    return multipart("mixed", (readable, calendar_part(calendar, filename)), f"{marks.boundary}m")
