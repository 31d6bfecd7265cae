"""A build after any edits holds what a build from nothing holds, byte for byte, and touches nothing else."""

import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from publishing import FIRST, edition

from pipeline import ledger as journal
from pipeline.actions.build import build, draft
from pipeline.actions.project import project_at
from pipeline.actions.publish import retire
from pipeline.edition import Edition
from pipeline.files import write_whole
from pipeline.outputs import render_all
from pipeline.outputs.keys import keys
from pipeline.rendering import Renderer
from pipeline.staging import Staged

State = dict[str, Any]
"""A project in the simplest terms: its series, places, events in the order of the file, a group, and templates."""

RECORDING = "https://video.example/1"
PICTURE = b"\x89PNG\r\n\x1a\n"
PICTURED = 'image = "door.png"\nimage_alt = "A door"'
LETTER = '[[newsletter]]\nid = "news"\nsend = 2026-01-06T06:00:00\nsubject = "News"\ntext = "All of *it*."'
GROUP = '[group]\nid = "north"\nname = "North"\n[[event]]\nid = "northern"\nvenue = "hall"\ntitle = "{title}"\n{when}\n'
EVENTS = ("one", "two", "three", "four")


def event(number: int) -> State:
    return {
        "title": {"en": f"Event {number}", "fr": f"Rencontre {number}"}, "date": f"2026-03-{10 + number}",
        "time": '"19:00"', "venue": "hall", "status": "confirmed", "speaker": "Ada Lovelace", "tags": ["tea"],
        "more": "", "repeats": "",
    }  # fmt: skip


def beginning() -> State:
    return {
        "series": {"title": "Talks", "subtitle": "", "organiser": "The Society", "languages": ["en", "fr"]},
        "site": {"color": "teal", "url": "https://talks.example/"}, "cities": {"hall": "Paris", "library": "Lyon"},
        "organisation": "", "events": {name: event(number) for number, name in enumerate(EVENTS[:3])}, "templates": {},
        "newsletter": "", "group": "",
    }  # fmt: skip


def toml(state: State) -> str:
    series, site = state["series"], state["site"]
    lines = [
        "format = 1", "[series]", 'id = "talks"', f'title = "{series["title"]}"', 'default_language = "en"',
        f"languages = {series['languages']}", 'timezone = "Europe/Paris"', f'organiser = "{series["organiser"]}"',
        series["subtitle"], "[site]", f'color = "{site["color"]}"', f'url = "{site["url"]}"', state["organisation"],
        state["newsletter"],
    ]  # fmt: skip
    for venue, city in state["cities"].items():
        lines += ["[[venue]]", f'id = "{venue}"', f'name = "The {venue}"', f'city = "{city}"']
    for name, facts in state["events"].items():
        lines += event_toml(name, facts, series["languages"])
    return "\n".join(lines).replace("'", '"') + "\n"


def event_toml(name: str, facts: State, languages: list[str]) -> list[str]:
    known = {"date": facts["date"], "time": facts["date"] and facts["time"]}
    lines = ["[[event]]", f'id = "{name}"', f'venue = "{facts["venue"]}"', f'status = "{facts["status"]}"']
    lines += [f'title.{code} = "{said}"' for code, said in facts["title"].items() if code in languages]
    lines += [f"{key} = {value}" for key, value in known.items() if value]
    lines += [f"tba = {[key for key, value in known.items() if not value]}"]
    lines += [f'repeats = "{facts["repeats"]}"'] if facts["repeats"] and known["time"] else []
    lines += ['notice = "Something happened."'] if facts["status"] != "confirmed" else []
    return [*lines, f'speakers = [{{ name = "{facts["speaker"]}" }}]', f"tags = {facts['tags']}", facts["more"]]


# --------------------------------------------------------------------------------------------- edits

Edit = Callable[[State], None]


def of_event(key: str, *values: Any) -> st.SearchStrategy[Edit]:
    def edit(name: str, value: Any) -> Edit:
        return lambda state: state["events"].get(name, {}).update({key: deepcopy(value)})

    return st.builds(edit, st.sampled_from(EVENTS), st.sampled_from(values))


def of_project(*place: str, values: tuple[Any, ...]) -> st.SearchStrategy[Edit]:
    def edit(value: Any) -> Edit:
        def change(state: State) -> None:
            for key in place[:-1]:
                state = state[key]
            state[place[-1]] = deepcopy(value)

        return change

    return st.sampled_from(values).map(edit)


def template(name: str, *texts: str | None) -> st.SearchStrategy[Edit]:
    def edit(text: str | None) -> Edit:
        if text is None:
            return lambda state: state["templates"].pop(name, None)
        return lambda state: state["templates"].update({name: text})

    return st.sampled_from(texts).map(edit)


def goes_to_the_end(name: str) -> Edit:
    def edit(state: State) -> None:
        if name in state["events"]:
            state["events"][name] = state["events"].pop(name)

    return edit


def is_called_otherwise(name: str) -> Edit:
    """Another id: to readers another event in its place."""
    return lambda state: state.update(
        events={("five" if known == name else known): facts for known, facts in state["events"].items()}
    )


def comes_or_goes(name: str) -> Edit:
    return lambda state: state["events"].pop(name, None) or state["events"].update({name: event(7)})


FOOTS = (
    '{% extends "tocsin/site/base.html" %}{% block footer %}A foot.{% endblock %}',
    '{% extends "tocsin/site/base.html" %}{% block footer %}{{ edition.past|length }}{{ edition.day }}{% endblock %}',
    '{% extends "tocsin/site/base.html" %}{% set e = edition %}{% block footer %}{{ e.shown|length }}{% endblock %}',
)
EDITS = st.one_of(
    of_event("title", {"en": "Tea & <cake>", "fr": "Thé"}, {"en": "Only in English"}),
    of_event("date", "2026-03-09", "2026-03-12", "2026-04-01", ""),
    of_event("time", '"08:15"', ""),
    of_event("venue", "hall", "library"),
    of_event("status", "confirmed", "tentative", "cancelled", "postponed"),
    of_event("speaker", "Émilie du Châtelet", "Ada Lovelace"),
    of_event("tags", [], ["tea", "walk"], ["walk"]),
    of_event("more", "", 'abstract = "Some *words*."', 'price = "5 euros"', f"recordings = ['{RECORDING}']", PICTURED),
    of_event("repeats", "", "FREQ=WEEKLY;COUNT=5"),
    st.sampled_from(EVENTS).map(comes_or_goes),
    st.sampled_from(EVENTS).map(goes_to_the_end),
    st.sampled_from(EVENTS).map(is_called_otherwise),
    of_project("cities", "hall", values=("Paris", "Nancy")),
    of_project("series", "title", values=("Talks", "Evening talks")),
    of_project("series", "subtitle", values=("", 'subtitle = "All of them"')),
    of_project("series", "organiser", values=("The Society", "The Club")),
    of_project("series", "languages", values=(["en", "fr"], ["en"], ["en", "de", "fr"])),
    of_project("site", "color", values=("teal", "#a03020")),
    of_project("site", "url", values=("https://talks.example/", "https://other.example/talks/")),
    of_project(
        "organisation", values=("", '[[organisation]]\nname = "The Society"\nurl = "https://society.example/"')
    ),
    of_project("newsletter", values=(LETTER,)),
    of_project(
        "group",
        values=(
            GROUP.format(title="Far up", when='date = 2026-03-12\ntime = "18:00"'),
            GROUP.format(title="Farther up", when='tba = ["date", "time"]'),
        ),
    ),
    template("site/base.html", None, *FOOTS),
    template("site/event.html", None, '{% extends "tocsin/site/event.html" %}{% block kicker %}Hear!{% endblock %}'),
)  # fmt: skip


# --------------------------------------------------------------------------------------------- the keys

RENDERER = Renderer()


def made(of: Edition) -> Mapping[str, tuple[str, bytes]]:
    whole = keys(of).everything
    return {file.path: (file.key or whole, file.body) for file in render_all(of, RENDERER)}


@settings(max_examples=15)
@given(
    st.lists(EDITS, min_size=1, max_size=4),
    st.lists(EDITS, max_size=3),
    st.sampled_from([0, 1, 45]),
    st.sampled_from([timedelta(hours=1), timedelta(days=1), timedelta(days=68)]),
)
def test_files_of_the_same_key_are_the_same(before: list[Edit], edits: list[Edit], days: int, step: timedelta) -> None:
    state, day = beginning(), date(2026, 3, 11)
    for edit in before:
        edit(state)
    first = deepcopy(state)
    for edit in edits:
        edit(state)
    old = edition(toml(first), head="", day=day, step=step)
    new = edition(toml(first), toml(state), head="", day=day + timedelta(days=days), step=step)
    earlier, later = made(old), made(new)
    for path in earlier.keys() & later.keys():
        if earlier[path][0] == later[path][0]:
            assert earlier[path][1] == later[path][1], path


@settings(max_examples=15)
@given(st.lists(EDITS, min_size=1, max_size=4))
def test_a_line_that_says_what_the_catalogue_says_is_read_alike(edits: list[Edit]) -> None:
    first, state = toml(beginning()), beginning()
    for edit in edits:
        edit(state)
    plain = edition(first, toml(state), head="")
    known = Edition(plain.catalogue, journal.recognised(plain.catalogue, plain.ledger), plain.day)
    assert len(known.ledger.known) == len(plain.catalogue.events)
    assert known.news == plain.news
    assert journal.pending_lines(plain.catalogue, known.ledger, FIRST) == ()
    # Of what is not yet published the line is read as it stands.
    draft = Edition(plain.catalogue, journal.recognised(plain.catalogue, edition(first, head="").ledger), plain.day)
    assert draft.news == Edition(plain.catalogue, edition(first, head="").ledger, plain.day).news


# --------------------------------------------------------------------------------------------- the folder


def write(state: State, folder: Path) -> None:
    include = 'include = ["north.toml"]\n' if state["group"] else ""
    (folder / "events.toml").write_text(include + toml(state))
    (folder / "north.toml").write_text(state["group"])
    if not (folder / "door.png").exists():
        (folder / "door.png").write_bytes(PICTURE)
    shutil.rmtree(folder / "templates", ignore_errors=True)
    for name, text in state["templates"].items():
        file = folder / "templates" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def publish(folder: Path, hours: int) -> None:
    """Grows the ledger as `tocsin publish` does, after taking out what is no longer in the catalogue."""
    project, now = project_at(folder / "events.toml"), FIRST + timedelta(hours=hours)
    text = project.catalogue.read_text() + (folder / "north.toml").read_text()
    for gone in sorted(published_in(folder)):
        if f'id = "{gone}"' not in text and not _is_retired(folder, gone):
            retire(project, gone, now)
    write_whole(project.ledger, journal.write(draft(project, now).edition.ledger).encode())


def published_in(folder: Path) -> set[str]:
    """The events that were ever published."""
    ledger = folder / "ledger.jsonl"
    return set(journal.read(ledger.read_text()).events) if ledger.exists() else set()


def _is_retired(folder: Path, event: str) -> bool:
    return journal.read((folder / "ledger.jsonl").read_text()).of(event)[-1].kind is journal.LineKind.RETIRED


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def inodes_in(folder: Path) -> dict[str, tuple[int, int]]:
    found = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path.relative_to(folder).as_posix(): (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


def spoil(folder: Path, how: str) -> None:
    """What happens to files that are ours alone."""
    notes, page = folder / "var" / "files.json", folder / "out" / "events" / "two" / "index.html"
    reading = folder / "var" / "reading.json"
    match how:
        case "no notes":
            shutil.rmtree(folder / "var", ignore_errors=True)
        case "cut notes" if notes.exists():
            notes.write_bytes(notes.read_bytes()[: notes.stat().st_size // 2])
        case "other notes" if notes.exists():
            notes.write_text('{"files": 3}')
        case "cut reading" if reading.exists():
            reading.write_bytes(reading.read_bytes()[: reading.stat().st_size // 2])
        case "no reading" if reading.exists():
            reading.unlink()
        case "edited page" if page.exists():
            # As long as before: only its time, or its bytes, tell.
            page.write_bytes(page.read_bytes().replace(b"Event", b"EvenT"))
        case "no page" if page.exists():
            page.unlink()
        case "another picture":
            # As long as before: only its bytes tell.
            (folder / "door.png").write_bytes(PICTURE[::-1])
        case "killed":
            # While these two waited to be put in their places.
            killed = Staged(folder / "out")
            killed.add("events/guest/index.html", b"never to be seen")
            killed.add("index.html", b"half of it")


SPOILT = st.sampled_from(
    [
        "",
        "",
        "no notes",
        "cut notes",
        "other notes",
        "cut reading",
        "no reading",
        "edited page",
        "no page",
        "another picture",
        "killed",
    ]
)
DAYS = st.sampled_from([None, None, None, date(2026, 3, 12), date(2026, 6, 1)])


@settings(max_examples=8)
@given(st.lists(st.tuples(EDITS, SPOILT, st.booleans(), st.integers(0, 2), DAYS), min_size=1, max_size=4))
def test_a_build_after_any_edits_is_one_from_nothing(
    tmp_path_factory: Any, steps: list[tuple[Edit, str, bool, int, date | None]]
) -> None:
    folder, state, hours = tmp_path_factory.mktemp("edited"), beginning(), 0
    write(state, folder)
    publish(folder, hours)
    build(project_at(folder / "events.toml"), FIRST)
    for edit, spoilt, published, later, day in steps:
        edit(state)
        write(state, folder)
        hours += 30 * later + 1
        if published or not published_in(folder) <= {*state["events"], "northern"}:
            publish(folder, hours)
        spoil(folder, spoilt)
        check(folder, tmp_path_factory.mktemp("new"), hours, day)


def check(folder: Path, other: Path, hours: int, day: date | None) -> None:
    """Builds in a folder and from nothing in another one, and compares."""
    now = FIRST + timedelta(hours=hours)
    before, stood = files_in(folder / "out"), inodes_in(folder / "out")
    build(project_at(folder / "events.toml"), now, day)
    shutil.copytree(folder, other / "new", ignore=shutil.ignore_patterns("out", "var"))
    build(project_at(other / "new" / "events.toml"), now, day)
    after, stands = files_in(folder / "out"), inodes_in(folder / "out")
    assert after == files_in(other / "new" / "out")
    same = {path for path in before.keys() & after if before[path] == after[path]}
    assert {path for path in same if stood[path] != stands[path]} <= {".tocsin.json"}
