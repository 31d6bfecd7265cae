"""What templates were compiled to, and what was found in their texts, kept beside the catalogue for the next run.

It is code, as templates are. What another program wrote, this one on another machine, or another user, counts for
nothing; so does what is damaged.
"""

import hashlib
import json
import marshal
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline import template_reading
from pipeline.actions.verdict_memory import is_this_program, program
from pipeline.errors import FileError
from pipeline.files import write_whole
from pipeline.template_code import Compiled

KEPT_IN = Path("var", "templates.bin")


@contextmanager
def remembered_templates(folder: Path) -> Iterator[None]:
    """Meanwhile templates that are as they were need not be compiled; what was new is kept at the end."""
    file = folder / KEPT_IN
    kept: tuple[dict[Any, Any], dict[Any, Any]] = ({}, {})
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError):
        kept = _read(_written_by_us(file))
    codes, verdicts = kept
    Compiled.codes.update((name, code) for name, code in codes.items() if name not in Compiled.codes)
    template_reading.verdicts.update(
        (asked, found) for asked, found in verdicts.items() if asked not in template_reading.verdicts
    )
    Compiled.used.clear()
    yield
    used = {name: Compiled.codes[name] for name in Compiled.used.copy()}
    if _checksums(used) != _checksums(codes) or template_reading.verdicts != verdicts:
        with suppress(OSError, FileError):  # where nothing can be written, nothing is kept
            write_whole(file, _written(used, template_reading.verdicts))


def _checksums(codes: dict[Any, Any]) -> dict[Any, str]:
    return {name: checksum for name, (checksum, _) in codes.items()}


def _written(codes: dict[Any, Any], verdicts: dict[Any, Any]) -> bytes:
    head = json.dumps({"python": sys.version, "program": program()}).encode()
    rest = head + b"\n" + marshal.dumps((codes, verdicts))
    return _seal(rest) + b"\n" + rest


def _written_by_us(file: Path) -> bytes:
    """What a file holds; ValueError where it is another user's, who may write in `var/` and yet no templates."""
    with file.open("rb") as opened:
        if os.fstat(opened.fileno()).st_uid != os.geteuid():
            raise ValueError
        return opened.read()


def _read(data: bytes) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What was kept; one of the errors that are suppressed above where it counts for nothing."""
    seal, _, rest = data.partition(b"\n")
    head, _, body = rest.partition(b"\n")
    known = json.loads(head)
    if seal != _seal(rest) or known["python"] != sys.version or not is_this_program(known["program"]):
        raise ValueError
    codes, verdicts = marshal.loads(body)  # noqa: S302 - the stamps of this installation's files are known only here
    return codes, verdicts


def _seal(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).hexdigest().encode()
