"""The reference of templates names every template, every block and every variable there is, and no other."""

import re
from pathlib import Path

from html_reader import HOSTILE, edition_of

from pipeline.outputs.pages import Page
from pipeline.outputs.site import Site
from pipeline.rendering import Renderer

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference/templates.md").read_text(encoding="utf-8")
TEMPLATES = ROOT / "templates"
OF_THE_FRAME = {"direction", "icon", "lasting", "made_pieces", "stylesheet", "structured", "structured_source", "up"}
"""What only `base.html` itself needs."""


def rows() -> dict[str, set[str]]:
    """The blocks of each template, by the reference's table."""
    table = REFERENCE.partition("## Templates and their blocks")[2].partition("## Variables")[0]
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`(site/[^`]+)`", cells[0]):
            own = "" if "those of" in cells[-1] else cells[-1]
            found[name] = set(re.findall(r"`(\w+)`", own))
    return found


def test_every_template_is_named_with_its_blocks() -> None:
    known = rows()
    files = {str(path.relative_to(TEMPLATES)) for path in (TEMPLATES / "site").rglob("*") if path.is_file()}
    assert known.keys() == files
    frame = set(re.findall(r"{% block (\w+)", (TEMPLATES / "site/base.html").read_text()))
    assert known["site/base.html"] == frame
    for name in files - {"site/base.html", "site/next.html"}:
        assert known[name] == set(re.findall(r"{% block (\w+)", (TEMPLATES / name).read_text())) - frame, name


def test_every_variable_is_named() -> None:
    site = Site(edition_of(HOSTILE), Renderer())
    variables = set(site.context(Page("index.html", "en", "Title", "Description"), None)) - OF_THE_FRAME
    named = set(re.findall(r"`(\w+)", REFERENCE.partition("## Variables")[2]))
    assert variables <= named, variables - named


def test_every_filter_is_named() -> None:
    ours = set(re.findall(r"^            (\w+)=", (ROOT / "pipeline/rendering.py").read_text(), re.MULTILINE))
    filters = set(re.findall(r"`(\w+)`", REFERENCE.partition("Filters:")[2]))
    assert filters <= ours
    assert {"said", "prose", "when", "language_name"} <= filters
