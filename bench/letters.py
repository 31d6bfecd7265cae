"""One more recipient of a letter, against building an `EmailMessage` for each, and signing it, against dkimpy."""

import itertools
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from seed import NOW, seed_letter
from timing import Ratio, paired

from pipeline.actions.send import usable_cores
from pipeline.letters import Message, Recipient, finish
from pipeline.letters.dkim import SIGNED
from pipeline.letters.dkim_keys import read_key


def built(parsed: EmailMessage, address: str) -> bytes:
    """The same letter by the standard library, as one would write it."""
    message = EmailMessage(policy=SMTP)
    for name in ("From", "Subject", "Date", "Message-ID", "List-Id", "Auto-Submitted"):
        message[name] = str(parsed[name])
    message["To"] = address
    parts = [part for part in parsed.walk() if not part.is_multipart()]
    message.set_content(parts[0].get_content())
    message.add_alternative(parts[1].get_content(), subtype="html")
    calendar = parts[2].get_content()
    message.add_attachment(calendar, subtype="calendar", params={"method": "PUBLISH"}, filename="event.ics")
    return message.as_bytes()


def cost(work: Callable[[], object], times: int) -> float:
    """CPU seconds of one piece of work."""
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times


def measure_composing(runs: int = 5) -> Ratio:
    """How many times the CPU of one more recipient an `EmailMessage` for each takes."""
    letter, post, key = seed_letter()
    readers = [Recipient(number, f"reader{number}@example.org", secrets.token_urlsafe(12)) for number in range(5000)]
    parsed = BytesParser(policy=default).parsebytes(finish(letter, readers[0], key, NOW, post).body)
    ours, theirs = [], []
    each = itertools.cycle(readers)
    for _ in range(runs):
        ours.append(cost(lambda: finish(letter, next(each), key, NOW, post), len(readers)))
        theirs.append(cost(lambda: built(parsed, next(each).address), 50))
    note = f"an EmailMessage built for each recipient, over ours ({min(ours) * 1e6:.0f} µs; goal at most 10)"
    return Ratio("one more recipient", paired(theirs, ours), 250, note, more_is_better=True)


def measure_signing(runs: int = 5) -> Ratio:
    """How many times faster mail is composed and signed with RSA-2048, as for sending, than dkimpy alone signs it."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    letter, post, key = seed_letter()
    signing = replace(post, keys=(read_key("mail._domainkey.example.org", pem),))
    readers = [Recipient(number, f"reader{number}@example.org", secrets.token_urlsafe(12)) for number in range(400)]
    plain = finish(letter, readers[0], key, NOW, post).body
    head = plain.partition(b"\r\n\r\n")[0].lower()
    fields = [name for name in SIGNED if b"\n" + name + b":" in b"\n" + head]
    each, makers = itertools.cycle(readers), usable_cores()

    def signed() -> Message:
        return finish(letter, next(each), key, NOW, signing)

    def signed_by_dkimpy() -> None:
        relaxed = (b"relaxed", b"relaxed")
        dkim.sign(plain, b"mail", b"example.org", pem, include_headers=fields, canonicalize=relaxed)

    ours, theirs, alone, cpu, bare = [], [], [], [], []
    with ThreadPoolExecutor(makers) as pool:
        for _ in range(runs):
            started = time.monotonic()
            for made in [pool.submit(signed) for _ in readers]:
                made.result()
            ours.append((time.monotonic() - started) / len(readers))
            started = time.monotonic()
            cpu.append(cost(signed_by_dkimpy, 15))
            theirs.append((time.monotonic() - started) / 15)
            alone.append(cost(signed, 100))
            bare.append(cost(lambda: private.sign(plain[:1000], PKCS1v15(), SHA256()), 100))
    note = (
        f"messages composed and RSA-2048-signed as for sending, by {makers} threads, over dkimpy's signatures in "
        f"as long, which no thread makes faster; in CPU {paired(cpu, alone):.1f}, where OpenSSL's bare signature "
        f"allows {paired(cpu, bare):.1f}"
    )
    return Ratio("DKIM signature", paired(theirs, ours), 15, note, more_is_better=True)


def measure() -> list[Ratio]:
    """Both."""
    return [measure_composing(), measure_signing()]


if __name__ == "__main__":
    for result in measure():
        print(f"{result.name}: {result.value:.1f}, {result.note}")
