"""The mail server's address, and what a reply means, without any network."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.actions.verdicts import bounce_of, is_impersonal, settlement, wait_before
from pipeline.delivery import Fate, MailServer, Outcome, Step, is_loopback, mail_server
from pipeline.delivery.replies import words, words_of
from pipeline.errors import SettingsError
from pipeline.store.deliveries import Bounce
from pipeline.store.tables import State
from pipeline.testing import ACCEPTED, BROKEN, UNKNOWN, CapturingTransport, crash_point, deferred, refused

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (
            "smtp+starttls://ada:p%40ss%2Fword@mail.example.org:2587",
            MailServer("mail.example.org", 2587, "smtp+starttls", "ada", "p@ss/word"),
        ),
        (
            "smtps://a%40example.org:x@mail.example.org",
            MailServer("mail.example.org", 465, "smtps", "a@example.org", "x"),
        ),
        ("smtp+starttls://mail.example.org", MailServer("mail.example.org", 587, "smtp+starttls")),
        ("smtp://localhost", MailServer("localhost", 25, "smtp")),
        ("smtp://[::1]:1025?helo=me.example.org", MailServer("::1", 1025, "smtp", helo="me.example.org")),
        ("smtp://mail.example.org?plain=yes", MailServer("mail.example.org", 25, "smtp")),
        ("smtps://h.example?ca=/etc/our-ca.pem", MailServer("h.example", 465, "smtps", ca="/etc/our-ca.pem")),
    ],
)
def test_urls_that_are_understood(url: str, server: MailServer) -> None:
    assert mail_server(url) == server


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("", "write smtp"),
        ("mail.example.org:25", "write smtp"),
        ("http://mail.example.org", "write smtp"),
        ("smtp://", "write smtp"),
        ("smtp://localhost:port", "write smtp"),
        ("smtp://localhost:99999", "write smtp"),
        ("smtp://mail.example.org", "plain=yes"),
        ("smtp://mail.example.org?plain=no", "plain=yes"),
        ("smtp://ada:secret@mail.example.org", "no password leaves"),
        ("smtp://ada:secret@localhost", "no password leaves"),
        ("smtp://ada:secret@mail.example.org?plain=yes", "no password leaves"),
        ("smtps://ada@mail.example.org", "a user without a password"),
        ("smtps://:secret@mail.example.org", "a password without a user"),
        ("smtps://mail.example.org?tls=no", "'tls' is no option"),
        ("smtps://ada:x@mail.example.org?auth=plain", "xoauth2"),
        ("smtp+starttls://ada@mail.example.org?auth=xoauth2&oauth2=x.json", "smtps://"),
        ("smtps://ada@mail.example.org?auth=xoauth2", "oauth2=FILE"),
        ("smtps://ada@mail.example.org?auth=xoauth2&oauth2=missing.json", "oauth2=FILE"),
    ],
)
def test_urls_that_are_refused_say_what_to_write_and_never_the_password(url: str, what: str) -> None:
    with pytest.raises(SettingsError, match="TOCSIN_SMTP_URL") as caught:
        mail_server(url)
    assert what in str(caught.value)
    assert "secret" not in str(caught.value)


def test_oauth2_names_the_file_that_yagmail_made(tmp_path: Path) -> None:
    file = tmp_path / "token.json"
    file.write_text("{}")
    assert mail_server(f"smtps://ada@mail.example.org?auth=xoauth2&oauth2={file}").oauth2 == str(file)


def test_a_server_never_shows_its_password() -> None:
    assert "hunter2" not in repr(mail_server("smtps://ada:hunter2@mail.example.org"))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback(f"{host}.example.org")


@pytest.mark.parametrize(
    ("text", "status"),
    [("5.1.1 no such user", "5.1.1"), ("4.7.0", "4.7.0"), ("no such user 5.1.1", ""), ("5.1.1x", ""), ("", "")],
)
def test_the_enhanced_status_is_read(text: str, status: str) -> None:
    assert Outcome(Fate.REFUSED, Step.RCPT, 550, text).status == status


@pytest.mark.parametrize(
    ("outcome", "bounce"),
    [
        (refused("5.1.1 no such user"), Bounce.SUSPENDING),
        (refused("5.1.10 null MX", 556), Bounce.SUSPENDING),
        (refused("5.1.8 your address", 550), Bounce.NONE),
        (refused("no such user", 550), Bounce.COUNTED),
        (refused("5.2.1 disabled", 550), Bounce.COUNTED),
        (refused("5.2.2 full", 550), Bounce.NONE),
        (refused("5.7.1 policy", 550), Bounce.NONE),
        (refused("no", 554), Bounce.NONE),
        (refused("5.1.1 no such user", 550, Step.END), Bounce.NONE),
        (deferred("5.1.1 odd"), Bounce.NONE),
        (ACCEPTED, Bounce.NONE),
    ],
)
def test_what_a_refusal_says_of_the_address(outcome: Outcome, bounce: Bounce) -> None:
    assert bounce_of(outcome) is bounce


def test_refusals_that_may_be_meant_for_us() -> None:
    assert is_impersonal(refused("5.7.1 policy"))
    assert is_impersonal(refused("no", 554, Step.END))
    assert is_impersonal(Outcome(Fate.UNWELCOME, Step.MAIL, 530, "log in first"))
    assert not is_impersonal(refused("no such user"))
    assert not is_impersonal(refused("5.1.1 no such user", 550, Step.END))
    assert not is_impersonal(deferred())


def test_waits_grow_to_an_hour_and_jitter_stays_within_a_tenth() -> None:
    minutes = [wait_before(attempt, 0.5).total_seconds() / 60 for attempt in range(1, 7)]
    assert minutes == [1, 5, 15, 60, 60, 60]
    assert wait_before(4, 0.0) == timedelta(minutes=54)
    assert wait_before(4, 1.0) == timedelta(minutes=66)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (ACCEPTED, State.SENT),
        (deferred(), State.RETRY),
        (refused(), State.FAILED),
        (BROKEN, State.PENDING),
        (UNKNOWN, State.DOUBT),
        (Outcome(Fate.UNWELCOME, Step.MAIL, 550, "not you"), State.RETRY),
    ],
)
def test_every_fate_has_its_state(outcome: Outcome, state: State) -> None:
    settled = settlement(outcome, 1, NOW + timedelta(hours=1), NOW, 0.5, timedelta(0))
    assert settled.state is state
    assert outcome.text in settled.text


def test_a_try_that_would_be_too_late_is_dropped() -> None:
    settled = settlement(deferred(), 4, NOW + timedelta(hours=1), NOW, 0.5, timedelta(0))
    assert settled.state is State.DROPPED
    assert settled.text.startswith("late")


@pytest.mark.parametrize("step", [Step.RCPT, Step.DATA, Step.END])
def test_a_connection_that_breaks_in_the_middle_of_a_message_defers_it_and_the_ninth_time_is_the_last(
    step: Step,
) -> None:
    lost = Outcome(Fate.BROKEN, step, None, "Connection unexpectedly closed")
    told = [settlement(lost, attempt, NOW + timedelta(days=1), NOW, 0.5, timedelta(0)) for attempt in range(1, 10)]
    assert [each.state for each in told] == [*[State.RETRY] * 8, State.FAILED]
    assert (told[-1].bounce, told[-1].text[:22]) == (Bounce.NONE, "given up after 9 tries")


def test_a_crash_point_without_the_variable_does_nothing() -> None:
    crash_point({})("after_claim")
    crash_point({"TOCSIN_CRASH_AT": "after_claim:2"})("after_claim")


def test_the_capturing_transport_keeps_answering_the_last_answer() -> None:
    from pipeline.letters import Message

    transport = CapturingTransport({"a@x.org": (deferred(), refused())})
    message = Message("", "a@x.org", b"", "<1@x>")
    fates = [transport.send(message).fate for _ in range(3)]
    assert fates == [Fate.LATER, Fate.REFUSED, Fate.REFUSED]
    assert transport.sent == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"2.0.0 kept\r\nas  42", "2.0.0 kept as 42"),
        (b"\x1b]0;owned\x07no \x9b2J\x08such user", "�]0;owned�no �2J�such user"),
        ("\u202eresu on é".encode(), "�resu on é"),
    ],
)
def test_nothing_that_a_server_says_is_an_order_to_a_terminal(said: bytes, told: str) -> None:
    assert words(said) == told
    assert words_of(OSError(5, said.decode("utf-8", "replace"))) == told
