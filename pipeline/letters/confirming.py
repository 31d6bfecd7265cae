"""The mail that asks whether an address's owner asked for mail, and tells one who gets it already how to change it."""

from dataclasses import dataclass
from datetime import datetime

import css_inline

from pipeline.catalogue.models import Catalogue
from pipeline.errors import TemplateError
from pipeline.language import say_day, words
from pipeline.letters.headers import field, mailbox, unstructured
from pipeline.letters.marks import Marks, marks_for
from pipeline.letters.message import Letter, Post
from pipeline.letters.mime import multipart, text_part
from pipeline.letters.plain import wrapped
from pipeline.rendering import Renderer

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What the mail says: the link to confirm by, or (`known`) the link to one's choices; both absolute."""

    link: str
    until: datetime
    known: bool
    consent: str
    """The words to which a click agrees, in the reader's language."""
    about: str = ""
    """The title of the single event that it is about, in the reader's language; empty for the whole series."""


def compose_confirmation(
    catalogue: Catalogue, question: Question, name: str, language: str, post: Post, renderer: Renderer
) -> Letter:
    """The letter to one address, with the marks that `finish` fills in; `name` tells it from every other letter.

    It offers no unsubscribing: who doesn't answer is on no list. Raises TemplateError and PermanentDeliveryError.
    """
    say, about = words(language), question.about or catalogue.series.title.said_in(language).text
    pattern = say("You are subscribed: {series}") if question.known else say("Please confirm: {series}")
    subject = pattern.format(series=about)
    marks = marks_for(f"{catalogue.series.id} confirmation {name} {language}", post.secret)
    context = {
        "series": catalogue.series,
        "site": post.site,
        "organisers": [organiser.name for organiser in catalogue.series.organiser],
        "postal_address": catalogue.mail.postal_address,
        "subject": subject,
        "question": question,
        "about": about,
        "last_day": say_day(question.until.astimezone(catalogue.series.zone).date(), language),
    }
    text = wrapped(renderer.render("mail/confirm.txt", language, context))
    html = _inlined(renderer.render("mail/confirm.html", language, context))
    body = multipart(
        "alternative",
        (text_part("plain", text, *marks.in_texts), text_part("html", html, *marks.in_texts)),
        marks.boundary,
    )
    return Letter(language, subject, _head(subject, language, post, marks) + body.fields + b"\r\n" + body.body)


def _inlined(html: str) -> str:
    try:
        return _INLINER.inline(html)
    except (css_inline.InlineError, ValueError) as error:
        raise TemplateError(f"mail/confirm.html: its styles can't be inlined: {error}") from error


def _head(subject: str, language: str, post: Post, marks: Marks) -> bytes:
    return b"".join(
        (
            field("Date", marks.date),
            mailbox("From", post.sender),
            mailbox("Reply-To", post.reply_to) if post.reply_to else b"",
            field("To", marks.to),
            unstructured("Subject", subject),
            field("Message-ID", marks.message_id),
            field("MIME-Version", "1.0"),
            field("Content-Language", language),
            field("Auto-Submitted", "auto-generated"),
            field("X-Auto-Response-Suppress", "All"),
        )
    )
