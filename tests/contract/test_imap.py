"""Bounces over IMAP: fetched over a trusted connection, marked once they were dealt with, counted once."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from bounce_mail import AUTO_REPLY, QMAIL, delivery_report
from imap_server import LOGIN, Folder, serving

from pipeline.delivery.imap import MailAccount, is_address, mail_account, unseen
from pipeline.delivery.reports import identity_of
from pipeline.errors import SettingsError, TransientDeliveryError


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for 127.0.0.1, made on the spot."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate for this test, isn't installed")
    folder = tmp_path_factory.mktemp("authority")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem")
    made = [openssl, "req", "-x509", "-days", "2", *key, "-out", "ca.pem", *subject]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def folder(authority: Path) -> Iterator[Folder]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "ca.pem", authority / "key.pem")
    with serving(context, Folder({7: delivery_report(), 8: AUTO_REPLY, 11: QMAIL})) as running:
        yield running


def url(folder: Folder, authority: Path | None, name: str = "Bounced%20mail") -> str:
    trusted = f"?ca={authority / 'ca.pem'}" if authority else ""
    return f"imaps://{LOGIN[0]}:{quote(LOGIN[1])}@127.0.0.1:{folder.port}/{name}{trusted}"


def test_each_unseen_message_is_fetched_whole_and_marked_once_it_was_dealt_with(
    folder: Folder, authority: Path
) -> None:
    found = []
    with unseen(mail_account(url(folder, authority), None)) as messages:
        for raw in messages:
            assert len(folder.seen) == len(found)
            found.append(raw)
    assert found == list(folder.messages.values())
    assert folder.seen == {7, 8, 11}
    with unseen(mail_account(url(folder, authority), None)) as messages:
        assert list(messages) == []


def test_who_dies_over_a_message_finds_it_again(folder: Folder, authority: Path) -> None:
    with unseen(mail_account(url(folder, authority), None)) as messages:
        next(messages)
    assert folder.seen == set()


def test_a_server_that_nobody_vouches_for_gets_no_password(folder: Folder) -> None:
    with (
        pytest.raises(TransientDeliveryError, match=r"can't be trusted.*\?ca=FILE"),
        unseen(mail_account(url(folder, None), None)),
    ):
        pass
    assert folder.commands == []


@pytest.mark.parametrize(("name", "password", "said"), [
    ("Elsewhere", None, "no such folder"), ("Bounced%20mail", "wrong", "wrong password"),
])  # fmt: skip
def test_the_servers_own_words_say_what_is_wrong(
    folder: Folder, authority: Path, name: str, password: str | None, said: str
) -> None:
    with (
        pytest.raises(TransientDeliveryError, match=said),
        unseen(mail_account(url(folder, authority, name), password)),
    ):
        pass


@pytest.mark.parametrize("at", ["SEARCH", "FETCH 8", "STORE 7"])
def test_a_server_that_hangs_up_is_told_without_a_traceback(folder: Folder, authority: Path, at: str) -> None:
    folder.hang_up_at = at
    with (
        pytest.raises(TransientDeliveryError, match="can't be read"),
        unseen(mail_account(url(folder, authority), None)) as messages,
    ):
        list(messages)


def test_the_password_may_come_from_the_environment_and_is_never_shown() -> None:
    found = mail_account("imaps://post@mail.example", "hunter2")
    assert found == MailAccount("mail.example", 993, "post", "hunter2", "INBOX")
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "bad", ["imap://post:x@mail.example", "imaps://mail.example", "imaps://post:x@mail.example:no", "imaps://post@h"]
)
def test_what_would_not_be_safe_or_whole_is_refused_without_showing_it(bad: str) -> None:
    assert is_address(bad)
    with pytest.raises(SettingsError, match="TOCSIN_IMAP_PASSWORD") as caught:
        mail_account(bad, None)
    assert ":x@" not in str(caught.value)


def test_a_report_is_the_same_one_wherever_it_is_read() -> None:
    report = delivery_report()
    stored = b"Received: from mx.example.org\r\nStatus: RO\r\n" + report
    assert identity_of(stored.replace(b"\r\n", b"\n") + b"\n") == identity_of(report)
    assert identity_of(delivery_report(status="5.2.2")) != identity_of(report)
