"""A trial letter: shows that mail from this machine arrives, and how it looks."""

from pipeline.edition import Edition
from pipeline.language import words
from pipeline.letters.composing import Frame, assembled
from pipeline.letters.message import Letter, Post
from pipeline.rendering import Renderer


def trial_letter(edition: Edition, post: Post, renderer: Renderer) -> Letter:
    """A letter in the series' own language about nothing but itself; it holds no token."""
    language = edition.languages[0]
    series = edition.series.title.said_in(language).text
    subject = words(language)("[Test] Mail of {series}").format(series=series)
    frame = Frame("test", subject, (language,))
    pages = [(language, "test", {"subject": subject})]
    return assembled(edition, frame, pages, "test", post.to_mailing_list(), renderer)
