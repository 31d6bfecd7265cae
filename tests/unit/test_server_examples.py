"""The example files for web servers give each calendar and feed, archives too, its media type."""

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from publishing import TALK, edition

from pipeline.catalogue.references import PICTURE
from pipeline.outputs import calendar, each, feeds
from pipeline.rendering import Renderer

EXAMPLES = Path(__file__).parents[2] / "contrib"
Rule = tuple[Callable[[str], object], str]
"""Whether a path is meant, and the media type that it then has."""


@cache
def published() -> dict[str, str]:
    of = edition(
        "".join(TALK.replace('"talk"', f'"talk-{number}"') + 'tags = ["tea"]\n' for number in range(101))
    )  # fmt: skip
    artifacts = [artifact for output in (calendar, feeds) for artifact in each(output.render(of, Renderer()))]
    return {artifact.path: artifact.media_type for artifact in artifacts}


def nginx(text: str) -> Iterator[Rule]:
    for pattern, body in re.findall(r"location ~ (\S+) \{(.*?)\n    \}", text, re.DOTALL):
        if named := re.search(r"default_type ([^;]+);", body):
            yield re.compile(pattern).search, named[1]
    for media_type, endings in re.findall(r"^        (\w+/\S+) ([\w ]+);", text, re.MULTILINE):
        yield re.compile(rf"\.({'|'.join(endings.split())})$").search, media_type


def apache(text: str) -> Iterator[Rule]:
    for pattern, media_type in re.findall(r'<FilesMatch "([^"]+)">\s+ForceType (\S+)', text):
        yield lambda path, named=re.compile(pattern): named.search(path.rpartition("/")[2]), media_type
    for media_type, ending in re.findall(r"AddType (\S+) (\.\w+)", text):
        yield lambda path, ending=ending: path.endswith(ending), media_type


def caddy(text: str) -> Iterator[Rule]:
    for name, how, what in re.findall(r"@(\w+) (path|path_regexp) (.+)", text):
        if named := re.search(rf'header @{name} Content-Type "([^";]+)', text):
            if how == "path":
                yield lambda path, what=what: any(fnmatchcase(path, pattern) for pattern in what.split()), named[1]
            else:
                yield re.compile(what).search, named[1]


@pytest.mark.parametrize("ending", ["png", "jpg", "jpeg", "gif", "webp", "avif", "svg"])
def test_nginx_knows_every_kind_of_picture_that_a_catalogue_may_name(ending: str) -> None:
    """Its example takes the place of all types that it would know by itself."""
    assert re.search(PICTURE, f"talk.{ending}")
    found = list(nginx((EXAMPLES / "nginx.conf").read_text(encoding="utf-8")))
    kind = {"jpg": "jpeg", "svg": "svg+xml"}.get(ending, ending)
    assert next((given for meant, given in found if meant(f"/assets/talk.{ending}")), None) == f"image/{kind}"


@pytest.mark.parametrize(("file", "rules"), [("nginx.conf", nginx), ("apache.conf", apache), ("Caddyfile", caddy)])
def test_each_calendar_and_feed_has_its_type(file: str, rules: Callable[[str], Iterator[Rule]]) -> None:
    found = list(rules((EXAMPLES / file).read_text(encoding="utf-8")))
    assert "archive/1.json" in published()
    for path, media_type in published().items():
        assert next((given for meant, given in found if meant(f"/{path}")), None) == media_type, path
