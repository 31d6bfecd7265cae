"""What comes back: delivery reports (RFC 3464), complaints (RFC 5965), irregular bounces, requests to leave. Pure."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from enum import StrEnum
from typing import Final

from flufl.bounce import all_failures

_LARGEST: Final = 200_000
"""Octets of a report that are read: what it says stands at its beginning, and it may carry a whole letter."""
_TO_WHOM: Final = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_ADDRESS: Final = re.compile(r"[^\s<>\"(),;:@]+@[^\s<>\"(),;:@]+")
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
# What the mail is about that the address in List-Unsubscribe opens, also answered, passed on, or marked by a server on
# the way: "AW: [EXTERNAL] unsubscribe …".
_LEAVES: Final = re.compile(r"(?:(?:[^\W\d_]{2,12} ?:|\[[^][]{1,40}\]) *)*unsubscribe +(.{23,400})", re.IGNORECASE)
_TOKEN: Final = re.compile(r"/unsubscribe/([\w-]{23,200})")
# `not-spam` takes a complaint back; `auth-failure` and `dmarc` are about us and not about the letter.
_COMPLAINTS: Final = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "other", "virus", "miscategorized"})


class Sort(StrEnum):
    """What a message in the bounce mailbox is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    LEAVING = "leaving"
    OTHER = "other"  # an automatic answer, a delay that is still being tried, a letter from a person


@dataclass(frozen=True, slots=True)
class Report:
    """What a message says.

    `addresses` may hold the envelope sender that tells whose mail came back, `tokens` the unsubscribe token of a letter
    that was complained about, or by which somebody leaves, as it was given; `status` is that of RFC 3463, empty where
    none is given.
    """

    sort: Sort
    addresses: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    status: str = ""


def read_report(raw: bytes, recipient: str = "") -> Report:
    """What a message that came to the bounce address says; `recipient` is its envelope recipient, where it is known."""
    message = _parsed(raw[:_LARGEST])
    told = [recipient, *(str(value) for name in _TO_WHOM for value in message.get_all(name, []))]
    addresses = _addresses_in(told)
    kind = str(message.get_param("report-type", "")).lower() if message.get_content_type() == "multipart/report" else ""
    if kind == "feedback-report":
        return _complaint(message, addresses)
    if kind == "delivery-status":
        return _delivery(message, addresses)
    return _irregular(message, addresses)


def identity_of(raw: bytes) -> str:
    """A digest of a message that stays the same wherever it is read: programs add fields of their own on top.

    What it reports counts too, so that nobody can hide a report behind the Message-ID of another one.
    """
    message = _parsed(raw[:_LARGEST])
    _, _, body = raw[:_LARGEST].replace(b"\r\n", b"\n").partition(b"\n\n")
    names = ("Message-ID", "Date", "From", "To", "Subject")
    fields = [" ".join(str(message.get(name, "")).split()) for name in names]
    return hashlib.sha256("\n".join(fields).encode(errors="surrogateescape") + b"\n" + body.rstrip()).hexdigest()


def _parsed(raw: bytes) -> "Message[str, str]":
    return message_from_bytes(raw, policy=policy.compat32)


def _addresses_in(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for value in values for found in _ADDRESS.findall(value)))


def _complaint(message: "Message[str, str]", addresses: tuple[str, ...]) -> Report:
    report = next(_blocks(message, "message/feedback-report"), None)
    letters = list(_letters(message))
    told = [str(value) for value in report.get_all("Original-Mail-From", [])] if report is not None else []
    told += [str(value) for letter in letters for value in letter.get_all("Return-Path", [])]
    # A fold within an address is no part of it.
    left = ["".join(str(value).split()) for letter in letters for value in letter.get_all("List-Unsubscribe", [])]
    tokens = tuple(dict.fromkeys(token for value in left for token in _TOKEN.findall(value)))
    kind = str(report.get("Feedback-Type", "abuse")).strip().lower() if report is not None else "abuse"
    sort = Sort.COMPLAINT if kind in _COMPLAINTS else Sort.OTHER
    return Report(sort, tuple(dict.fromkeys((*_addresses_in(told), *addresses))), tokens)


def _delivery(message: "Message[str, str]", addresses: tuple[str, ...]) -> Report:
    for block in _blocks(message, "message/delivery-status"):
        if str(block.get("Action", "")).strip().lower().startswith("failed"):
            found = _STATUS.search(str(block.get("Status", "")))
            return Report(Sort.BOUNCE, addresses, status=found.group() if found else "")
    return Report(Sort.OTHER, addresses)  # delayed, relayed, delivered, expanded


def _irregular(message: "Message[str, str]", addresses: tuple[str, ...]) -> Report:
    if _is_automatic_answer(message):
        return Report(Sort.OTHER, addresses)
    if found := _LEAVES.fullmatch(_subject(message)):
        return Report(Sort.LEAVING, addresses, (found[1],))
    if message.get("From") is None:
        return Report(Sort.OTHER, addresses)
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - anybody may send such a mail, and it must not stop the reading of others
        return Report(Sort.OTHER, addresses)
    if permanent:
        return Report(Sort.BOUNCE, addresses)
    return Report(Sort.BOUNCE, addresses, status="4.0.0") if temporary else Report(Sort.OTHER, addresses)


def _subject(message: "Message[str, str]") -> str:
    given = str(message.get("Subject", ""))
    # What is in an encoding of somebody's own is read as it stands.
    with suppress(HeaderParseError, UnicodeError, LookupError, ValueError):
        given = str(make_header(decode_header(given)))
    return " ".join(given.split())


def _is_automatic_answer(message: "Message[str, str]") -> bool:
    answered = str(message.get("Auto-Submitted", "")).strip().lower().startswith("auto-replied")
    precedence = str(message.get("Precedence", "")).strip().lower() == "auto_reply"
    return answered or precedence or any(message.get(name) is not None for name in ("X-Autoreply", "X-Autorespond"))


def _blocks(message: "Message[str, str]", kind: str) -> "Iterator[Message[str, str]]":
    """The groups of fields in the machine-readable part."""
    for part in message.walk():
        if part.get_content_type() == kind:
            # The standard library reads the fields of such a part as inner messages, or leaves them as its body.
            inner = list(_inside(part)) or [part]
            yield from (block if _is_field_group(block, kind) else _parsed(_content(block).lstrip()) for block in inner)


def _is_field_group(block: "Message[str, str]", kind: str) -> bool:
    return bool(block.keys()) and block.get_content_type() != kind


def _letters(message: "Message[str, str]") -> "Iterator[Message[str, str]]":
    """The letter that was complained about, or its header."""
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            yield from _inside(part)
        elif part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            yield _parsed(_content(part).lstrip())


def _inside(part: "Message[str, str]") -> "Iterator[Message[str, str]]":
    inner = part.get_payload()
    yield from (each for each in inner if isinstance(each, Message)) if isinstance(inner, list) else ()


def _content(part: "Message[str, str]") -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
