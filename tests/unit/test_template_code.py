"""Templates run as leaner code: what they say is what Jinja itself would have said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from pipeline import markdown
from pipeline.errors import TemplateError
from pipeline.rendering import Renderer


class Marked:
    """A value that brings its own HTML."""

    def __html__(self) -> str:
        return "<i>marked</i>"


VALUES: Mapping[str, Any] = {
    "text": "<b> & \"quoted\" & 'so'",
    "safe": Markup("<b>bold</b>"),
    "number": 3.5,
    "nothing": None,
    "own": Marked(),
    "call": lambda text, end="": f"{text}{end}<",
    "safely": lambda: Markup("<u>"),
    "table": {"key": "<", "items": "an item of that name", "inner": {"deep": Markup("&amp;")}},
}
SAYINGS = (
    "{{ text }}|{{ safe }}|{{ number }}|{{ nothing }}|{{ own }}",
    "{{ call('a', end='>') }}|{{ safely() }}|{{ text.upper() }}",
    "{{ text ~ safe }}|{{ text|e }}|{{ safe|e }}|{{ text|safe }}",
    "{% macro m(a, b='<') %}<p>{{ a }}{{ b }}</p>{% endmacro %}{{ m(text) }}{{ m(safe, b=text) }}",
    "{% macro m(a, b) %}{{ a }}{{ b is defined }}{{ varargs }}{% endmacro %}{{ m(text) }}{{ m(safe, text, '<') }}",
    "{{ table.key }}{{ table.inner.deep }}{{ table.none is defined }}{{ (table.inner or text).deep.lower() }}",
    "{% for one in [table, table.inner] if one.deep is defined %}{{ call(one.deep, end='>') }}{% endfor %}{{ text }}",
    "{% macro m(a) %}<p>{{ a }}{{ caller() }}</p>{% endmacro %}{% call m('&') %}{{ text }}{% endcall %}",
    "{{ lacking is defined }}{{ lacking|default('<') }}{{ (lacking.deep if lacking is defined else text) }}",
    "{% if nothing %}{% set x = 1 %}{% endif %}{{ x is defined }}{% if number %}{% set x = safe %}{% endif %}{{ x }}",
    "{{ nothing is none }}{{ text is not none }}{{ text ~ '<' }}{{ '<' ~ safe }}{{ number ~ '<' }}{{ '<' ~ number }}",
    "{% if nothing %}{{ text|no_such_filter }}{% endif %}{{ range(3)|list }}{{ dict(a=1) }}{{ text.upper().lower() }}",
    "{% macro m(a=1, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m() }}{{ m(b=1) }}{{ m(text) ~ '<' }}{{ m(*[1, 2]) }}",
    "{% block a %}{{ text }}{% for one in [1] %}{% block b scoped %}{{ one }}{% endblock %}{% endfor %}{% endblock %}",
    "{% autoescape false %}{{ text }}{% macro m() %}<{% endmacro %}{{ m() }}{% endautoescape %}{{ text }}",
    "{% set x %}{% block a %}<{{ text }}{% if text %}{% block b %}>{% endblock %}{% endif %}{% endblock %}{% endset %}",
    "{% filter upper %}{% block a %}<{{ text }}{% endblock %}{% endfilter %}{% for x in [1] %}{{ x }}{% endfor %}",
    "{% block a %}<{{ text }}{% endblock %}{{ self.a() }}{% with x = text %}{{ x }}{% endwith %}",
    "{% for a in [[1, [2]]] recursive %}{{ a }}{{ loop(a[1]) if a is iterable }}{% endfor %}",
    "{% set x %}<i>{{ text }}</i>{% endset %}{{ x }}{% for one in [text, safe] %}{{ loop.index }}{{ one }}{% endfor %}",
)


@pytest.mark.parametrize("source", SAYINGS)
def test_what_is_written_out_is_escaped_as_by_jinja_itself(source: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(source)
    own = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(source)
    assert Renderer((tmp_path,)).render("page.html", "en", VALUES) == own.render(VALUES)


ABOVE = {
    "top.html": "<{% block a %}top {{ text }}{% endblock %}|{% block b %}{% block c %}c{% endblock %}{% endblock %}>",
    "middle.html": '{% extends "top.html" %}{% set x = "<" %}{% block a %}{{ x }} over {{ super() }}{% endblock %}',
    "page.html": '{% extends "middle.html" %}{% block a %}page over {{ super() }}{% endblock %}'
    '{% block c %}{% include "part.html" %}{{ super() }}{{ self.a() }}{% endblock %}',
    "all.html": '{% import "part.html" as part with context %}{{ part }}{{ part.x }}{% include "part.html" %}'
    '{% macro m() %}{% include "part.html" %}{% endmacro %}{{ m() }}'
    '{% set y %}{% include "part.html" %}{% endset %}{{ y }}',
    "part.html": "{% set x = text %}{{ x }}{% for one in [1, 2] %}{{ one }}{% endfor %}",
    "either.html": '{% if number %}{% extends "middle.html" %}{% else %}{% extends "top.html" %}{% endif %}'
    "{% block a %}either over {{ super() }}{% endblock %}",
}


@pytest.mark.parametrize("name", ["top.html", "middle.html", "page.html", "either.html", "all.html"])
def test_blocks_stand_over_one_another_as_by_jinja_itself(name: str, tmp_path: Path) -> None:
    for file, source in ABOVE.items():
        (tmp_path / file).write_text(source)
    environment = jinja2.Environment(autoescape=True, loader=jinja2.FileSystemLoader(tmp_path))
    renderer = Renderer((tmp_path,))
    for number in (1, 0, 1):
        context = {**VALUES, "number": number}
        found = environment.get_template(name).render(context)
        assert renderer.render(name, "en", context) == found
        assert renderer.render_encoded(name, "en", context) == found.encode()
        assert "".join(renderer.render_in_parts(name, "en", context)) == found


def test_a_word_that_a_page_lacks_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("a page\n{{ lacking }}")
    with pytest.raises(TemplateError, match=r"page\.html:2: 'lacking' is undefined"):
        Renderer((tmp_path,)).render_encoded("page.html", "en", {})


def test_a_long_list_is_given_on_run_by_run(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "{% block main %}<ul>{% for run in runs([1, 2]) %}{% for one in run %}<li>{{ one }}{% endfor %}{% endfor %}"
        "{% endblock %}"
    )
    parts = Renderer((tmp_path,)).render_in_parts("page.html", "en", {"runs": lambda listed: [[one] for one in listed]})
    assert list(parts) == ["<ul>", "<li>1", "<li>2"]


MACROS = """
{% macro named(a, b='<') %}{{ name }}{{ a }}{{ b }}{% endmacro %}

{% macro around(a) %}{{ named(a, b=text) }}({{ caller() }}){% endmacro %}
"""


@pytest.mark.parametrize("above", ["", "{% set name = name|upper %}"])
def test_a_macro_that_is_imported_speaks_of_the_page_that_calls_it(above: str, tmp_path: Path) -> None:
    page = (
        '{% import "parts.html" as parts with context %}{{ parts.named(1) }}{{ parts.named(b=2, a=text) }}'
        "{% call parts.around(3) %}{{ name }}{% endcall %}"
    )
    (tmp_path / "parts.html").write_text(above + MACROS)
    (tmp_path / "page.html").write_text(page)
    environment = jinja2.Environment(autoescape=True, loader=jinja2.FileSystemLoader(tmp_path))
    renderer = Renderer((tmp_path,))
    for name in ("one", "<two>", "one"):
        context = {**VALUES, "name": name}
        assert renderer.render("page.html", "en", context) == environment.get_template("page.html").render(context)


@pytest.mark.parametrize("call", ["m(1, 2)", "m(1, other=2)", "m(1, a=2)"])
def test_a_macro_that_is_called_with_what_it_does_not_take_is_told(call: str, tmp_path: Path) -> None:
    (tmp_path / "parts.html").write_text("{% macro m(a) %}{{ a }}{% endmacro %}")
    (tmp_path / "page.html").write_text(f'{{% import "parts.html" as parts %}}\n{{{{ parts.{call} }}}}')
    with pytest.raises(TemplateError, match=r"page\.html:2: TypeError: macro 'm'"):
        Renderer((tmp_path,)).render("page.html", "en", {})


def pieces(folder: Path, key: str, contexts: list[dict[str, Any]]) -> list[str]:
    (folder / "page.html").write_text(f"{{% reused {key} %}}{{{{ text }}}}{{% endreused %}}")
    renderer = Renderer((folder,))
    return [renderer.render("page.html", "en", context) for context in contexts]


def test_a_piece_is_made_once_for_pages_that_give_the_same_keys(tmp_path: Path) -> None:
    kept: dict[Any, str] = {}
    found = pieces(tmp_path, "a, b", [
        {"made_pieces": kept, "a": a, "b": b, "text": f"<{number}>"}
        for number, (a, b) in enumerate([("x", 1), ("x", 1), ("x", 2), ("y", 1), ("x", 2)])
    ])  # fmt: skip
    assert found == ["&lt;0&gt;", "&lt;0&gt;", "&lt;2&gt;", "&lt;3&gt;", "&lt;2&gt;"]


def test_a_key_that_is_none_means_each_time(tmp_path: Path) -> None:
    kept: dict[Any, str] = {}
    contexts = [{"made_pieces": kept, "a": None, "text": text} for text in ("one", "two")]
    assert pieces(tmp_path, "a", contexts) == ["one", "two"]
    assert not kept


def test_without_a_place_to_keep_them_pieces_are_made_each_time(tmp_path: Path) -> None:
    assert pieces(tmp_path, "a", [{"a": 1, "text": text} for text in ("one", "two")]) == ["one", "two"]


def test_a_block_that_the_template_above_has_lost_is_refused_though_the_code_was_kept(tmp_path: Path) -> None:
    """A running preview makes a renderer for each look."""
    above, page = tmp_path / "above.html", tmp_path / "page.html"
    frame, block = '{% extends "frame.html" %}', "{% block own %}words{% endblock %}"
    (tmp_path / "frame.html").write_text("<p>{% block own %}{% endblock %}</p>")
    above.write_text(frame)
    page.write_text('{%- extends ("above.html") %}' + block)
    assert Renderer((tmp_path,)).render("page.html", "en", {}) == "<p>words</p>"
    (tmp_path / "frame.html").write_text("<p>{% block other %}{% endblock %}</p>")
    with pytest.raises(TemplateError, match="no block 'own'"):
        Renderer((tmp_path,)).render("page.html", "en", {})
    above.write_text(frame + block.replace("own", "other"))
    page.write_text('{%- extends ("above.html") %}' + block.replace("own", "other"))
    assert Renderer((tmp_path,)).render("page.html", "en", {}) == "<p>words</p>"


def test_a_remark_that_names_another_template_hides_no_change_of_the_one_above(tmp_path: Path) -> None:
    above = tmp_path / "above.html"
    above.write_text("<p>{% block own %}{% endblock %}</p>")
    (tmp_path / "page.html").write_text(
        '{# It once said: extends "old.html" #}{% extends "above.html" %}{% block own %}words{% endblock %}'
    )
    assert Renderer((tmp_path,)).render("page.html", "en", {}) == "<p>words</p>"
    above.write_text("<p>{% block other %}{% endblock %}</p>")
    with pytest.raises(TemplateError, match="no block 'own'"):
        Renderer((tmp_path,)).render("page.html", "en", {})


@pytest.mark.parametrize(
    "wrong",
    ["{{ 1 + 'one' }}", "{{ 1 // 0 }}", "{% for x in 3 %}{% endfor %}", "{{ 'a'.split(1, 2, 3) }}", "{{ 'x'|day }}"],
)
def test_what_their_line_asks_for_and_can_not_be_is_told_with_its_place(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "part.html").write_text(f"a part\n{wrong}")
    (tmp_path / "page.html").write_text('{% include "part.html" %}')
    with pytest.raises(TemplateError, match=r"part\.html:2: \w+Error: "):
        Renderer((tmp_path,)).render("page.html", "en", {})


class Faulty:
    """As a fault of the program would show itself."""

    @property
    def language(self) -> str:
        raise ZeroDivisionError


def test_a_fault_of_the_program_in_a_template_of_ours_is_not_told_as_theirs(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('{% extends "tocsin/site/base.html" %}')
    with pytest.raises(ZeroDivisionError):
        Renderer((tmp_path,)).render("page.html", "en", {"page": Faulty()})


LINES = st.text(alphabet="aé1 -+.:=!?\"'\xa0\u202f²*<", max_size=12)


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_plain_prose_is_what_the_parser_would_have_made_of_it(text: str) -> None:
    assert markdown.to_html(text) == markdown._html(text, "")
    assert markdown.to_text(text) == markdown._text(text, "")
