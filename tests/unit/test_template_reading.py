"""What templates read of a variable is known before they are rendered, and told too widely rather than too narrowly."""

from pathlib import Path

import pytest

from pipeline.outputs.site import SHARED_FACTS
from pipeline.rendering import Renderer


def is_sharp(folder: Path, text: str, name: str = "site/event.html") -> bool:
    (folder / "site").mkdir()
    (folder / name).write_text(text)
    return Renderer([folder]).reads_only("site/event.html", "en", "edition", SHARED_FACTS)


@pytest.mark.parametrize("name", ["site/event.html", "site/retired.html"])
def test_the_pages_of_single_events_read_nothing_of_others(name: str) -> None:
    assert Renderer().reads_only(name, "en", "edition", SHARED_FACTS)


def test_the_home_page_reads_of_all_events() -> None:
    assert not Renderer().reads_only("site/index.html", "en", "edition", SHARED_FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "{{ edition.series.title|said }}",
        "{{ edition.catalogue.group_of(listing.event) }}",
        '{% extends "tocsin/site/event.html" %}{% block kicker %}{{ edition.address("x") }}{% endblock %}',
    ],
)
def test_what_belongs_to_the_series_is_no_other_event(tmp_path: Path, text: str) -> None:
    assert is_sharp(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ edition.next.event.id }}",
        "{% if false %}{{ edition.upcoming }}{% endif %}",
        "{{ edition }}",
        '{{ edition["shown"] }}',
        '{{ edition|attr("shown") }}',
        "{% set all = edition %}{{ all.shown }}",
        "{{ edition.catalogue.events }}",
        "{{ edition.series.__class__ }}",
        "{% macro told(of=edition) %}{{ of.shown }}{% endmacro %}{{ told() }}",
        '{% extends "tocsin/site/event.html" %}{% block kicker %}{{ edition.past|length }}{% endblock %}',
        '{% include "site/" ~ page.path %}',
        '{% include "site/nowhere.html" %}',
        "{% this is no template",
    ],
)
def test_whatever_may_lead_to_other_events_counts(tmp_path: Path, text: str) -> None:
    assert not is_sharp(tmp_path, text)


def test_what_a_template_takes_in_counts_as_well(tmp_path: Path) -> None:
    text = '{% extends "tocsin/site/base.html" %}{% block footer %}{{ edition.next.event.id }}{% endblock %}'
    assert not is_sharp(tmp_path, text, "site/base.html")
