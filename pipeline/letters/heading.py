"""The header of a letter: who writes, what it is about, and how its reader leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.edition import Edition
from pipeline.letters.headers import addresses, field, identified, mailbox, unstructured
from pipeline.letters.marks import Marks
from pipeline.letters.message import Post


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


def choosing(post: Post, token: str) -> str:
    """The address where the bearer of the token chooses which mails to get; empty where there is no service."""
    return "" if post.service is None else f"{post.service}/preferences/{token}"


def head_of(
    edition: Edition, subject: str, languages: Sequence[str], post: Post, marks: Marks, reply_to: str | None
) -> bytes:
    """The header; Date comes first since its mark tells what the other marks are."""
    series = edition.series.title.said_in(languages[0]).text
    reply_to = reply_to or post.reply_to
    lines = [
        field("Date", marks.date),
        mailbox("From", post.sender),
        mailbox("Reply-To", reply_to) if reply_to else b"",
        field("To", marks.to),
        unstructured("Subject", subject),
        field("Message-ID", marks.message_id),
        field("MIME-Version", "1.0"),
        field("Content-Language", ", ".join(languages)),
    ]
    if not post.is_to_list:
        lines += [identified("List-Id", series, post.list_id), *_list_fields(edition, languages[0], post, marks)]
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
