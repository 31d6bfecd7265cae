"""How long a test waits for what must come: it waits for the thing itself, and for nothing in vain."""

import time
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds until a test gives up; what it waits for takes a fraction of them, and many on a loaded machine."""


def until(happened: Callable[[], object]) -> None:
    """Waits until something has happened; AssertionError if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
