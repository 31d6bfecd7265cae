"""The mail that asks whether an address's owner asked for mail, and tells one who gets it already how to change it."""

from dataclasses import dataclass
from datetime import date

from pipeline.catalogue.models import Catalogue
from pipeline.language import direction, say_day, words
from pipeline.letters.headers import field, mailbox, unstructured
from pipeline.letters.inlining import inlined
from pipeline.letters.marks import Marks, marks_for
from pipeline.letters.message import Letter, Post
from pipeline.letters.mime import multipart, text_part
from pipeline.letters.plain import wrapped
from pipeline.rendering import Renderer

HTML = "mail/confirm.html"


@dataclass(frozen=True, slots=True)
class Question:
    """What the mail asks: to confirm until the end of a day, or (`known`) to look at one's choices."""

    language: str
    last_day: date
    known: bool
    consent: str
    """The words to which a click agrees, in the reader's language."""
    event: str = ""
    """The id of the single event that it is about; empty for the whole series."""
    about: str = ""
    """What that event is called in the reader's language."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as the templates see it, with an absolute link."""

    link: str
    known: bool
    consent: str


def compose_confirmation(catalogue: Catalogue, question: Question, post: Post, renderer: Renderer) -> Letter:
    """The letter to everybody of whom the same is asked; `answered` makes it one person's, `finish` their message.

    It offers no unsubscribing: who doesn't answer is on no list. Raises TemplateError and PermanentDeliveryError.
    """
    language = question.language
    say, about = words(language), question.about or catalogue.series.title.said_in(language).text
    pattern = say("You are subscribed: {series}") if question.known else say("Please confirm: {series}")
    subject = pattern.format(series=about)
    name = f"{question.event} {question.known} {question.last_day}"
    marks = marks_for(f"{catalogue.series.id} confirmation {name} {language}", post.secret)
    context = {
        "series": catalogue.series,
        "direction": direction(language),
        "site": post.site,
        "organisers": [organiser.name for organiser in catalogue.series.organiser],
        "postal_address": catalogue.mail.postal_address,
        "subject": subject,
        "question": _Asked(_link(question, marks, post), question.known, question.consent),
        "about": about,
        "last_day": say_day(question.last_day, language),
    }
    text = wrapped(renderer.render("mail/confirm.txt", language, context))
    html = inlined(renderer.render(HTML, language, context), HTML)
    in_texts = (*marks.in_texts, marks.confirmation)
    body = multipart(
        "alternative",
        (text_part("plain", text, *in_texts), text_part("html", html, *in_texts)),
        marks.boundary,
    )
    return Letter(language, subject, _head(subject, language, post, marks) + body.fields + b"\r\n" + body.body)


def _link(question: Question, marks: Marks, post: Post) -> str:
    if question.known:
        return f"{post.service}/preferences/{marks.preferences}"
    return f"{post.service}/confirm/{marks.confirmation}" + (f"?event={question.event}" if question.event else "")


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
