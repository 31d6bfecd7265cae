"""The transports in a real conversation with a real server on loopback."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from answering_servers import Answering, Scripted, script, serve
from patience import PATIENCE

from pipeline.delivery import Fate, MailServer, Outcome, Step, connection, conversation
from pipeline.delivery.connection import connect
from pipeline.errors import PermanentDeliveryError, SettingsError, TransientDeliveryError
from pipeline.letters import Message

__all__ = ["script", "serve"]

BODY = b"Subject: Soon\r\nMessage-ID: <1@x>\r\n\r\n.dot\r\n..two\r\nSoon.\r\n.\r\nend\r\n"


def message(recipient: str = "ada@example.org", body: bytes = BODY, sender: str = "b+1@example.org") -> Message:
    return Message(sender, recipient, body, "<1@x>")


def test_the_bytes_arrive_as_they_were_given(serve: Callable[..., MailServer]) -> None:
    handler = Answering()
    transport = connect(serve(handler))
    body = "Subject: Soon\r\n\r\nÉté\r\n".encode() + BODY
    for sent in (BODY, body):
        outcome = transport.send(message(body=sent))
        assert outcome == Outcome(Fate.ACCEPTED, Step.END, 250, "2.0.0 kept")
    transport.close()
    assert [each.content for each in handler.kept] == [BODY, body]
    assert handler.kept[0].mail_from == "b+1@example.org"
    assert handler.kept[0].rcpt_tos == ["ada@example.org"]
    assert handler.kept[0].peer == handler.kept[1].peer  # one connection
    assert "BODY=8BITMIME" in [option.upper() for option in handler.kept[1].mail_options]


def test_a_body_that_does_not_end_its_line_still_ends(serve: Callable[..., MailServer]) -> None:
    handler = Answering()
    transport = connect(serve(handler))
    assert transport.send(message(body=b".\r\n\r\nlast")).fate is Fate.ACCEPTED
    transport.close()
    assert handler.kept[0].content == b".\r\n\r\nlast\r\n"


@pytest.mark.parametrize("bare", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\n.\r\n"])
def test_a_bare_line_end_never_leaves(serve: Callable[..., MailServer], bare: bytes) -> None:
    handler = Answering()
    transport = connect(serve(handler))
    assert transport.send(message(body=bare)).fate is Fate.REFUSED
    assert transport.send(message()).fate is Fate.ACCEPTED
    transport.close()
    assert len(handler.kept) == 1


@pytest.mark.parametrize("address", ["ada@example.org>\r\nRCPT TO:<eve@example.org", "ada@example.org\nx"])
def test_an_address_cannot_smuggle_a_command(serve: Callable[..., MailServer], address: str) -> None:
    handler = Answering()
    transport = connect(serve(handler))
    assert transport.send(message(address)).fate is not Fate.ACCEPTED
    transport.close()
    assert handler.kept == []


@pytest.mark.parametrize(
    ("step", "line", "fate"),
    [
        ("MAIL", "451 4.3.0 later", Fate.LATER),
        ("MAIL", "550 5.7.1 not from you", Fate.UNWELCOME),
        ("MAIL", "530 5.7.0 log in first", Fate.UNWELCOME),
        ("RCPT", "450 4.2.0 greylisted", Fate.LATER),
        ("RCPT", "550 5.1.1 no such user", Fate.REFUSED),
        ("RCPT", "554 5.7.1 Relay access denied", Fate.UNWELCOME),
        ("END", "452 4.3.1 no room", Fate.LATER),
        ("END", "554 5.6.0 no", Fate.REFUSED),
    ],
)
def test_replies_and_the_connection_goes_on(serve: Callable[..., MailServer], step: str, line: str, fate: Fate) -> None:
    handler = Answering(**{step: line})
    transport = connect(serve(handler))
    outcome = transport.send(message())
    assert outcome == Outcome(fate, Step["END" if step == "END" else step], int(line[:3]), line[4:])
    assert line in outcome.told
    handler.answers.clear()
    assert transport.send(message("bob@example.org")).fate is Fate.ACCEPTED
    transport.close()


def test_refusing_data_itself_is_no_doubt(script: Callable[..., Scripted]) -> None:
    server = script(DATA="451 4.3.0 not now")
    transport = connect(server.server)
    assert transport.send(message()) == Outcome(Fate.LATER, Step.DATA, 451, "4.3.0 not now")
    server.lines["DATA"] = "554 5.5.1 no"
    assert transport.send(message()).fate is Fate.REFUSED
    server.lines["DATA"] = "354 go on"
    assert transport.send(message()).fate is Fate.ACCEPTED
    transport.close()


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("line", [None, "421 4.3.2 closing", "nonsense"])
def test_lost_before_the_final_dot_blames_nobody(script: Callable[..., Scripted], step: str, line: str | None) -> None:
    server = script(**{step: line})
    transport = connect(server.server)
    outcome = transport.send(message())
    assert (outcome.fate, outcome.step) == (Fate.BROKEN, Step[step])
    transport.close()
    assert server.accepted == 0


@pytest.mark.parametrize("line", [None, "nonsense"])
def test_lost_after_the_final_dot_is_in_doubt_and_never_sent_again_by_itself(
    script: Callable[..., Scripted], line: str | None
) -> None:
    server = script(END=line)
    transport = connect(server.server)
    outcome = transport.send(message())
    assert (outcome.fate, outcome.step) == (Fate.UNKNOWN, Step.END)
    transport.close()
    assert server.accepted == 1


def test_421_to_the_final_dot_is_a_no_and_no_doubt(script: Callable[..., Scripted]) -> None:
    transport = connect(script(END="421 4.3.2 closing").server)
    assert transport.send(message()).fate is Fate.BROKEN
    transport.close()


def test_hanging_up_in_the_middle_of_a_long_body_is_no_doubt(script: Callable[..., Scripted]) -> None:
    # More than any buffer on the way holds: the final dot can't have left.
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        wire, _ = listening.accept()
        with wire:
            for line in (b"220 hi\r\n", b"250 hi\r\n", b"250 fine\r\n", b"250 fine\r\n", b"354 go on\r\n"):
                wire.sendall(line)
                wire.recv(1000)
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        transport = connect(MailServer("127.0.0.1", listening.getsockname()[1], "smtp", helo="localhost"))
        outcome = transport.send(message(body=b"a\r\n" * 10_000_000))
        assert (outcome.fate, outcome.step) == (Fate.BROKEN, Step.BODY)
        transport.close()
    thread.join(PATIENCE)


def test_a_silent_server_is_given_up(script: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch) -> None:
    transport = connect(script(RCPT=PATIENCE).server)
    monkeypatch.setattr(conversation, "TIMEOUT", 0.2)
    assert transport.send(message()).fate is Fate.BROKEN
    transport.close()
    monkeypatch.undo()
    monkeypatch.setattr(conversation, "FINAL_TIMEOUT", 0.2)
    transport = connect(script(END=PATIENCE).server)
    assert transport.send(message()).fate is Fate.UNKNOWN
    transport.close()


def test_internationalised_addresses_where_the_server_knows_them(
    serve: Callable[..., MailServer], script: Callable[..., Scripted]
) -> None:
    handler = Answering()
    transport = connect(serve(handler))
    assert transport.send(message("pelé@exemple.fr")).fate is Fate.ACCEPTED
    assert transport.send(message("ada@example.org")).fate is Fate.ACCEPTED
    transport.close()
    assert handler.kept[0].rcpt_tos == ["pelé@exemple.fr"]
    old = connect(script().server)
    refusal = old.send(message("pelé@exemple.fr"))
    assert (refusal.fate, "SMTPUTF8" in refusal.text) == (Fate.REFUSED, True)
    assert old.send(message("ada@example.org")).fate is Fate.ACCEPTED
    old.close()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TransientDeliveryError, match=f"127.0.0.1:{port}: nobody listens there"):
        connect(MailServer("127.0.0.1", port, "smtp"))


@pytest.mark.parametrize(
    ("hello", "error"), [("554 no service", PermanentDeliveryError), ("421 busy", TransientDeliveryError)]
)
def test_a_server_that_does_not_want_to_talk(
    script: Callable[..., Scripted], hello: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=hello.partition(" ")[2]):
        connect(script(HELLO=hello).server)


def test_quitting_a_dead_connection_raises_nothing(script: Callable[..., Scripted]) -> None:
    transport = connect(script(QUIT=None).server)
    transport.close()
    transport.close()


# Secured connections, with a certificate made on the spot.


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate for this test, isn't installed")
    folder = tmp_path_factory.mktemp("certificate")
    subject = ("-subj", "/CN=tocsin test", "-addext", "subjectAltName=IP:127.0.0.1")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem")
    made = [openssl, "req", "-x509", "-days", "2", *key, "-out", "ca.pem", *subject]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secured(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")
    return context


def _options(scheme: str, context: ssl.SSLContext) -> dict[str, Any]:
    if scheme == "smtps":
        return {"ssl_context": context}
    return {"tls_context": context, "require_starttls": True}


def _log_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    known = (data.login, data.password) == (b"ada", b"p@ss")
    return AuthResult(success=known, handled=known, auth_data=data.login)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_certificate_that_nobody_vouches_for_ends_it(
    serve: Callable[..., MailServer], secured: ssl.SSLContext, scheme: str
) -> None:
    handler = Answering()
    server = serve(handler, scheme, login="ada:p%40ss@", **_options(scheme, secured))
    with pytest.raises(PermanentDeliveryError, match=r"can't be trusted.*\?ca=FILE"):
        connect(server)
    assert handler.kept == []


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_trusted_certificate_secures_login_and_mail(
    serve: Callable[..., MailServer], secured: ssl.SSLContext, certificate: Path, scheme: str
) -> None:
    handler = Answering()
    # Over implicit TLS, aiosmtpd doesn't know that the connection is secured.
    login = {"authenticator": _log_in, "auth_required": scheme != "smtps", "auth_require_tls": scheme != "smtps"}
    query = f"&ca={certificate / 'ca.pem'}"
    server = serve(handler, scheme, query, "ada:p%40ss@", **_options(scheme, secured), **login)
    transport = connect(server)
    assert transport.send(message()).fate is Fate.ACCEPTED
    transport.close()
    assert handler.kept[0].login == b"ada"
    with pytest.raises(PermanentDeliveryError, match="the login was refused"):
        connect(MailServer(server.host, server.port, server.security, "ada", "wrong", server.ca))


@contextmanager
def _secured_after(
    consent: bytes, context: ssl.SSLContext, certificate: Path
) -> Iterator[tuple[MailServer, list[bytes]]]:
    """A server that offers more in the clear than it does secured; what it then hears, packet by packet."""
    heard: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain, _ = listening.accept()
        with plain:
            plain.sendall(b"220 hi\r\n")
            plain.recv(1000)
            plain.sendall(b"250-hi\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 STARTTLS\r\n")
            plain.recv(1000)
            plain.sendall(consent)
            if consent.count(b"\n") > 1:
                heard.append(plain.recv(1000))
                return
            with context.wrap_socket(plain, server_side=True) as wire:
                for line in (b"250 hi\r\n", b"250 fine\r\n", b"250 fine\r\n", b"354 go on\r\n", b"250 kept\r\n"):
                    heard.append(wire.recv(1000))
                    wire.sendall(line)
                wire.recv(1000)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        port = listening.getsockname()[1]
        ca = str(certificate / "ca.pem")
        yield MailServer("127.0.0.1", port, "smtp+starttls", ca=ca, helo="localhost"), heard
    thread.join(PATIENCE)


def test_words_put_between_starttls_and_the_handshake_end_the_connection(
    secured: ssl.SSLContext, certificate: Path
) -> None:
    injected = b"220 ready\r\n250 injected\r\n"
    told = pytest.raises(PermanentDeliveryError, match=r"in the clear after STARTTLS.*250 injected")
    with _secured_after(injected, secured, certificate) as (server, heard), told:
        connect(server)
    assert heard == [b""]


def test_what_was_offered_before_the_handshake_is_forgotten(secured: ssl.SSLContext, certificate: Path) -> None:
    with _secured_after(b"220 ready\r\n", secured, certificate) as (server, heard):
        transport = connect(server)
        assert transport.send(message()).fate is Fate.ACCEPTED
        transport.close()
    assert heard[:4] == [
        b"ehlo localhost\r\n", b"MAIL FROM:<b+1@example.org>\r\n", b"RCPT TO:<ada@example.org>\r\n", b"DATA\r\n"
    ]  # fmt: skip


def test_without_starttls_on_offer_no_password_leaves(script: Callable[..., Scripted]) -> None:
    said: list[str] = []
    server = script()
    heard = server._say
    server._say = lambda wire, verb: said.append(verb) or heard(wire, verb)  # type: ignore[method-assign,func-returns-value]
    place = server.server
    with pytest.raises(TransientDeliveryError, match="STARTTLS"):
        connect(MailServer(place.host, place.port, "smtp+starttls", "ada", "secret", helo="localhost"))
    assert "AUTH" not in said


def test_a_certificate_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.pem"):
        connect(MailServer("127.0.0.1", 1, "smtps", ca=str(tmp_path / "none.pem")))


@pytest.mark.parametrize(("token", "welcome"), [("R09PRA==", True), ("QkFE", False)], ids=["good", "bad"])
def test_an_oauth2_token_is_used_and_its_refusal_noticed(
    serve: Callable[..., MailServer],
    secured: ssl.SSLContext,
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    welcome: bool,
) -> None:
    class OAuth2(Answering):
        async def auth_XOAUTH2(self, _server: Any, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's name
            good = args[1] == "R09PRA=="
            return AuthResult(success=good, handled=False, auth_data=args[1])

    file = tmp_path / "token.json"
    known = ("email_address", "google_client_id", "google_client_secret", "google_refresh_token")
    file.write_text(json.dumps(dict.fromkeys(known, "x")))
    monkeypatch.setattr(connection.yagmail.Client, "get_oauth_string", staticmethod(lambda _user, _info: token))
    query = f"&ca={certificate / 'ca.pem'}&auth=xoauth2&oauth2={file}"
    options = {"ssl_context": secured, "auth_require_tls": False}
    server = serve(OAuth2(), "smtps", query, "ada%40x.org@", **options)
    if welcome:
        transport = connect(server)
        assert transport.send(message()).fate is Fate.ACCEPTED
        transport.close()
    else:
        with pytest.raises(PermanentDeliveryError, match="login was refused"):
            connect(server)
    file.write_text("{}")
    with pytest.raises(SettingsError, match="yagmail made"):
        connect(server)
