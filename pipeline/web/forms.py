"""What a form sent: its fields, as a plain HTML form sends them."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request

_MOST_FIELDS: Final = 300
BODY: Final = "tocsin.body"
"""Where the door leaves the body of a request in its scope."""


class FormError(ValueError):
    """The body isn't one that our forms send."""


def fields_of(request: Request) -> Mapping[str, Sequence[str]]:
    """The fields of a posted form, from the body that the door has read; FormError for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise FormError
    try:
        return parse_qs(request.scope[BODY].decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise FormError from error


def only(fields: Mapping[str, Sequence[str]], name: str) -> str:
    """The first value of a field; empty where there is none."""
    return next(iter(fields.get(name, ())), "")
