"""Telling the operator never stops the work, whatever the other side answers."""

import socket
import threading
from collections.abc import Iterator

import pytest
from patience import PATIENCE

from pipeline.alerts import messenger


@pytest.fixture
def nonsense() -> Iterator[str]:
    """The address of a server that takes one request and answers with what is no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            taken, _ = listening.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(b"no HTTP at all\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/key"
        thread.join(PATIENCE)


def test_an_answer_that_makes_no_sense_is_logged_without_the_address(
    nonsense: str, caplog: pytest.LogCaptureFixture
) -> None:
    messenger(nonsense)("tocsin: trouble")
    assert "could not be told" in caplog.text
    assert "key" not in caplog.text
