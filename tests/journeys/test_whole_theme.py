"""A theme that fills every documented block and uses every documented variable and filter, on each kind of page."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from html_reader import Reader
from publishing import HEAD, TALK

from pipeline.actions.build import build
from pipeline.actions.project import Project, project_at

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference/templates.md").read_text(encoding="utf-8")
NOW = datetime(2026, 2, 1, 10, tzinfo=UTC)

CATALOGUE = (
    'include = ["groups/*.toml"]\n'
    + HEAD.replace("[site]", '[mail]\nfrom = "post@talks.example"\n[site]\ntheme = "slate"', 1).replace(
        "[series]\n", '[series]\ndescription = "Talks *and* tea."\n', 1
    )
    + TALK
    + 'tags = ["law"]\nspeakers = [{ name = "Ada" }]\nabstract = "See [more](more.html)."\n'
    + 'recordings = ["https://video.example/1"]\nresources = ["https://texts.example/1"]\n'
    + '[[newsletter]]\nid = "first"\nsend = 2026-01-06T08:00:00\nsubject = "First"\ntext = "Hello."\n'
)
GROUP = '[group]\nid = "north"\nname = "North"\n' + TALK.replace('"talk"', '"moss"')

PAGES = {
    "index": "index.html", "group": "groups/north/index.html", "event": "events/talk/index.html",
    "next": "next/index.html", "subscribe": "subscribe/index.html", "newsletter": "newsletters/first/index.html",
    "poster": "poster/index.html", "embed": "embed/index.html",
}  # fmt: skip
"""A page of each template."""

EVERYWHERE = """
{% set version = versions|last %}
{{ series.title|said }} {{ series.title|plain }} {{ "Pourquoi ?"|spaced("fr") }}
{{ edition.next.event.id }} {{ edition.upcoming|length }} {{ edition.after_next|length }}
{{ edition.to_be_announced|length }} {{ edition.to_come|length }} {{ edition.past|length }}
{{ edition.tags|listed }} {{ edition.tagged("law")|length }} {{ at_several_places(edition.upcoming) }}
{{ page.path }} {{ page.language|language_name }} {{ page.title }} {{ page.description }} {{ page.picture is none }}
{% if page.card %}{{ page.card.path }} {{ picture_address(page.card) }}{% endif %}
{{ version.language }} {{ version.name }} {{ version.address }} {{ version.href }}
{{ to("index.html") }} {{ to("index.html", "fr") }} {{ shared("assets/style.css") }} {{ address("calendar.ics") }}
{{ canonical }} {{ mail_subscription.name }} {{ mail_subscription.url }}
{% for link in subscribe_links %}{{ link.name }} {{ link.url }}{% endfor %}
{{ webcal(address("calendar.ics")) }} {{ host(canonical) }} {{ capitalised("word") }}
{% set one = edition.next %}
{% set date = tile(one.event.when) %}
{{ date.weekday }} {{ date.day }} {{ date.month }} {{ date.hour }} {{ date.instant }}
{{ machine_readable(one.event.when)[0] }} {{ title_of(one.event).text }} {{ status_word(one.event) or "as planned" }}
{{ place_line(one.venue) }} {{ short_place(one.venue) }} {{ country_name("FR") }} {{ later_dates(one) }}
{{ one.event.when|when }} {{ one.event.when.start|day }} {{ one.event.when.start|time }} {{ one.event.when.start|zone }}
{{ series.description|text(canonical) }} {{ series.description|prose(canonical) }}
{{ _("Calendar") }} {{ ngettext("%(num)s seat", "%(num)s seats", 2) }}
"""
OF_ONE_KIND = {
    "event": """{% reused lasting(listing), "slate" %}{{ listing.event.id }}{% endreused %} {{ listing.venue.id }}
{{ listing.cancelled }} {{ about.previous is none }} {{ about.next is none }} {{ about.dates|length }}
{% for item in about.news %}{% for change in changes(item) %}{{ change.fact }} {{ change.before }} {{ change.after }}
{% endfor %}{% endfor %}{{ about.access|length }} {{ about.organisations|length }} {{ about.picture is none }}
{% for link in about.add_links %}{{ link.url }}{% endfor %} {% for link in about.map_links %}{{ link.url }}{% endfor %}
{{ about.over }}""",
    "index": """{{ opening.text }} {{ joining.url }} {{ joining.origin }}
{% for run in runs(edition.upcoming) %}{% reused lasting(*run), "slate" %}
{% for listing in run %}<p>told: {{ listing.event.id }}</p>{% endfor %}{% endreused %}{% endfor %}""",
    "group": "{{ group.id }} {{ group.name|said }} {{ group.organiser|length }} {{ upcoming|length }} "
    "{{ to_be_announced|length }} {{ past|length }}",
    "newsletter": "{{ newsletter.id }} {{ newsletter.subject|said }} {{ newsletter.text|said }} "
    "{{ newsletter.send|day }} {{ about.told.news|length }} "
    "{{ about.told.upcoming|length }} {{ about.told.recordings|length }} "
    "{{ about.previous is none }} {{ about.next is none }} {{ about.corrects is none }} "
    "{{ about.corrected_by is none }}",
    "poster": "{{ poster.events|length }} {{ poster.more }} {{ poster.size }} {{ poster.place is none }} {{ sheet }}",
}  # fmt: skip
"""What only some pages have."""


def documented() -> dict[str, list[str]]:
    """The blocks of each page's template by the reference."""
    table = REFERENCE.partition("## Templates and their blocks")[2].partition("## Variables")[0]
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if name := re.match(r"`site/([\w-]+)\.html`", cells[0]):
            found[name[1]] = re.findall(r"`(\w+)`", "" if "those of" in cells[-1] else cells[-1])
    return found


BLOCKS = documented()
FRAME = {"title": "Slate: ", "form_action": "", "body_class": ' data-theme="slate"', "head": '<meta name="slate">'}
"""What stands in the blocks of the frame that are no place for a paragraph."""


@pytest.fixture(scope="module")
def themed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("themed")
    theme = folder / "templates" / "themes" / "slate" / "site"
    theme.mkdir(parents=True)
    (folder / "groups").mkdir()
    (folder / "groups" / "north.toml").write_text(GROUP)
    (folder / "events.toml").write_text(CATALOGUE)
    for name, blocks in BLOCKS.items():
        if blocks:
            (theme / f"{name}.html").write_text(template(name, blocks))
    (theme / "assets").mkdir()
    (theme / "assets" / "style.css").write_text(
        '{% include "tocsin/site/assets/style.css" %}\n:root { --accent: #1f4e79; --serif: Georgia, serif; }\n'
    )
    project = project_at(folder / "events.toml")
    build(project, NOW)
    return project


def template(name: str, blocks: list[str]) -> str:
    lines = [f'{{% extends "tocsin/site/{name}.html" %}}']
    for block in blocks:
        own = FRAME.get(block, f"<p>own {name} {block}</p>") if name == "base" else f"<p>own {name} {block}</p>"
        lines.append(f"{{% block {block} %}}{own}{{{{ super() }}}}{{% endblock %}}")
    told = EVERYWHERE if name == "base" else OF_ONE_KIND.get(name, "")
    lines[-1] = lines[-1].replace("{{ super() }}", "{{ super() }}" + told)
    return "\n".join(lines)


def page(project: Project, name: str) -> Reader:
    return Reader((project.out / PAGES[name]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_block_of_a_page_can_be_filled(themed: Project, name: str) -> None:
    text = page(themed, name).text + " "
    template = "event" if name == "next" else name
    for block in BLOCKS[template]:
        # `next/` has a kicker of its own.
        assert (f"own {template} {block} " in text) is ((name, block) != ("next", "kicker")), block
    for block in () if name == "embed" else ("header", "foot", "footer"):
        assert f"own base {block} " in text, block


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_frame_s_head_title_and_body_are_the_theme_s(themed: Project, name: str) -> None:
    read = page(themed, name)
    assert "<title>Slate: " in read.html
    assert read.all("meta", name="slate")
    # The looks of these two hang on a name of their own.
    assert read.all("body", **({"class": name} if name in ("embed", "poster") else {"data-theme": "slate"}))


def test_what_the_theme_prints_of_the_variables_is_true(themed: Project) -> None:
    text = page(themed, "event").text
    for words in (
        "Evening talks; tea, cake",
        "https://talks.example/cycle/events/talk/",
        "webcal://talks.example/cycle/",
        "Tuesday 20 October 2026",
        "19:00",
        "Town hall",
        "Paris",
        "France",
        "2 seats",
        "post@talks.example",
    ):
        assert words in text, words
    assert "told: moss told: talk" in page(themed, "index").text
    assert "--accent: #1f4e79" in (themed.out / "assets/style.css").read_text()
    french = (themed.out / "fr" / PAGES["event"]).read_text(encoding="utf-8")
    assert "Pourquoi\u202f?" in french


def test_the_theme_uses_every_name_that_the_reference_has() -> None:
    told = REFERENCE.partition("## Variables")[2]
    used = set(re.findall(r"\w+", EVERYWHERE + " ".join(OF_ONE_KIND.values())))
    found = re.findall(r"`(\w+)[`.(]|`\.(\w+)`|`(\w+)`", told)
    names = {name for alternatives in found for name in alternatives if name}
    assert names - used == {"phrase", "datetime"}  # of examples, and of HTML
