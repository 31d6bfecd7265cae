"""What organisers dress the site with: their pictures, a colour, a template of their own, a theme."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from html_reader import HOSTILE, Reader

from pipeline.actions.build import build
from pipeline.actions.project import Project, project_at
from pipeline.errors import CatalogueError, TemplateError
from pipeline.files import UNFINISHED

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PICTURE = (ROOT / "docs/images/home.png").read_bytes()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return written(tmp_path, HOSTILE)


def written(folder: Path, text: str) -> Project:
    (folder / "events.toml").write_text(text, encoding="utf-8")
    return project_at(folder / "events.toml")


def put(project: Project, name: str, text: str) -> None:
    path = project.templates / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def page(project: Project, path: str) -> Reader:
    return Reader((project.out / path).read_text(encoding="utf-8"))


# --------------------------------------------------------------------------------------------- pictures


WITH_PICTURES = HOSTILE.replace("[series]", '[series]\nimage = "images/series.png"').replace(
    'id = "loud"', 'id = "loud"\nimage = "images/a talk.png"\nimage_alt.en = "Two people"\nimage_alt.fr = "Deux"'
)


@pytest.fixture
def pictured(tmp_path: Path) -> Project:
    project = written(tmp_path, WITH_PICTURES)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "series.png").write_bytes(PICTURE)
    (tmp_path / "images" / "a talk.png").write_bytes(PICTURE + b"another")
    return project


def test_pictures_are_copied_as_they_are_shown_with_their_words_and_told_to_others(pictured: Project) -> None:
    build(pictured, NOW)
    assert (pictured.out / "assets/images/a talk.png").read_bytes() == PICTURE + b"another"
    address = "https://talks.example/sub/assets/images/a%20talk.png"
    for path, alt in (("events/loud/index.html", "Two people"), ("fr/events/loud/index.html", "Deux")):
        shown = page(pictured, path)
        up = "../" * path.count("/")
        assert shown.all("img", src=f"{up}assets/images/a%20talk.png", alt=alt)
        assert shown.all("meta", property="og:image", content=address)
        assert shown.all("meta", property="og:image:alt", content=alt)
        assert f'"image":["{address}"]' in (pictured.out / path).read_text()
    series = "https://talks.example/sub/assets/images/series.png"
    assert page(pictured, "subscribe/index.html").all("meta", property="og:image", content=series)
    assert page(pictured, "index.html").all("img", src="assets/images/series.png", alt="")


def test_a_picture_that_is_gone_from_the_catalogue_is_gone_from_the_site(pictured: Project) -> None:
    build(pictured, NOW)
    written(pictured.folder, HOSTILE)
    assert build(pictured, NOW).files.removed == ("assets/images/a talk.png", "assets/images/series.png")


def test_a_missing_picture_is_refused_with_its_line_before_anything_is_written(pictured: Project) -> None:
    (pictured.folder / "images" / "a talk.png").unlink()
    with pytest.raises(CatalogueError) as refused:
        build(pictured, NOW)
    (problem,) = refused.value.problems
    line = (pictured.folder / "events.toml").read_text().split("\n")[problem.line - 1]
    assert "images/a talk.png" in line
    assert "images/a talk.png" in problem.what()
    assert not pictured.out.exists()


def test_a_picture_from_outside_the_folder_is_refused(
    pictured: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(b"secret")
    (pictured.folder / "images" / "a talk.png").unlink()
    (pictured.folder / "images" / "a talk.png").symlink_to(outside)
    with pytest.raises(CatalogueError, match="outside the catalogue's folder"):
        build(pictured, NOW)
    assert not pictured.out.exists()


@pytest.mark.parametrize("secret", [".env", "var/tocsin.db"])
def test_a_link_named_like_a_picture_publishes_no_secret(pictured: Project, secret: str) -> None:
    (pictured.folder / "var").mkdir()
    (pictured.folder / secret).write_text("TOCSIN_SECRET=x")
    (pictured.folder / "images" / "a talk.png").unlink()
    (pictured.folder / "images" / "a talk.png").symlink_to(pictured.folder / secret)
    with pytest.raises(CatalogueError, match="a link to what is no picture"):
        build(pictured, NOW)
    assert not pictured.out.exists()


def test_a_picture_s_name_may_become_a_folder_and_a_folder_s_a_picture(pictured: Project) -> None:
    events, pictures = pictured.folder / "events.toml", pictured.folder / "images"
    drawn = (pictures / "a talk.png").read_bytes()
    build(pictured, NOW)
    (pictures / "a talk.png").unlink()
    (pictures / "a talk.png").mkdir()
    (pictures / "a talk.png" / "one.png").write_bytes(drawn)
    before = events.read_text()
    events.write_text(before.replace("images/a talk.png", "images/a talk.png/one.png"))
    done = build(pictured, NOW).files
    assert (pictured.out / "assets/images/a talk.png/one.png").read_bytes() == drawn
    assert "assets/images/a talk.png/one.png" in done.written

    (pictures / "a talk.png" / "one.png").unlink()
    (pictures / "a talk.png").rmdir()
    (pictures / "a talk.png").write_bytes(drawn)
    events.write_text(before)
    done = build(pictured, NOW).files
    assert (pictured.out / "assets/images/a talk.png").read_bytes() == drawn
    assert done.removed == ("assets/images/a talk.png/one.png",)
    assert not list(pictured.out.rglob(f"*{UNFINISHED}"))


def test_a_picture_in_a_folder_that_bears_the_name_of_a_file_of_the_site_is_refused(pictured: Project) -> None:
    (pictured.folder / "style.css").mkdir()
    (pictured.folder / "images" / "a talk.png").rename(pictured.folder / "style.css" / "talk.png")
    events = pictured.folder / "events.toml"
    events.write_text(events.read_text().replace("images/a talk.png", "style.css/talk.png"))
    with pytest.raises(CatalogueError, match=r"the site has its file 'assets/style\.css'"):
        build(pictured, NOW)
    assert not pictured.out.exists()


# --------------------------------------------------------------------------------------------- templates


def test_one_block_of_one_page_is_replaced_and_the_rest_stays(project: Project) -> None:
    put(
        project,
        "site/event.html",
        '{% extends "tocsin/site/event.html" %}{% block share %}<p>Tell all.</p>{% endblock %}',
    )
    build(project, NOW)
    text = page(project, "events/loud/index.html").text
    assert "Tell all." in text
    assert "Pass it on" not in text
    assert "Tuesday 1 December 2026" in text
    # What extends the replaced template has the replacement too.
    assert "Tell all." in page(project, "next/index.html").text


def test_the_frame_of_all_pages_is_replaced_in_one_place(project: Project) -> None:
    put(
        project,
        "site/base.html",
        '{% extends "tocsin/site/base.html" %}{% block footer %}<p>Our own foot</p>{% endblock %}',
    )
    build(project, NOW)
    for path in ("index.html", "fr/subscribe/index.html", "events/loud/index.html", "poster/index.html"):
        assert "Our own foot" in page(project, path).text


def test_one_colour_is_replaced_by_a_line_after_our_stylesheet(project: Project) -> None:
    build(project, NOW)
    before = page(project, "index.html").all("link", rel="stylesheet")
    ours = (project.out / "assets/style.css").read_text()
    put(project, "site/assets/style.css", '{% include "tocsin/site/assets/style.css" %}\n:root { --accent: #060; }\n')
    build(project, NOW)
    style = (project.out / "assets/style.css").read_text()
    assert style == ours.rstrip("\n") + ":root{--accent: #060;}\n"
    assert page(project, "index.html").all("link", rel="stylesheet") != before


# --------------------------------------------------------------------------------------------- themes


def themed(project: Project, theme: str) -> Project:
    return written(project.folder, HOSTILE.replace("[site]", f'[site]\ntheme = "{theme}"'))


def test_a_theme_is_a_folder_of_templates_and_goes_before_the_project_s_own(project: Project) -> None:
    put(
        project,
        "site/base.html",
        '{% extends "tocsin/site/base.html" %}{% block footer %}<p>Own foot</p>{% endblock %}',
    )
    put(project, "themes/slate/site/index.html",
        '{% extends "tocsin/site/index.html" %}{% block subscribe %}<p>Slate</p>{% endblock %}')  # fmt: skip
    put(project, "themes/slate/site/assets/style.css",
        '{% include "tocsin/site/assets/style.css" %}\n:root { --sheet: #dfe5ea; --accent: #1f4e79; }')  # fmt: skip
    build(themed(project, "slate"), NOW)
    text = page(project, "index.html").text
    assert "Slate" in text
    assert "Stay informed Calendar" not in text
    assert "Own foot" in text
    assert "--accent: #1f4e79" in (project.out / "assets/style.css").read_text()
    written(project.folder, HOSTILE)
    build(project, NOW)
    assert "Slate" not in page(project, "index.html").text
    assert "Own foot" in page(project, "index.html").text


def test_a_theme_that_is_not_there_is_refused_with_those_that_are(project: Project) -> None:
    with pytest.raises(CatalogueError, match=r"no theme 'slat'.*templates/themes/slat"):
        build(themed(project, "slat"), NOW)
    put(project, "themes/slate/site/index.html", "")
    with pytest.raises(CatalogueError, match=r"no theme 'slat'.*slate"):
        build(themed(project, "slat"), NOW)
    with pytest.raises(CatalogueError, match="no theme"):
        build(themed(project, ".."), NOW)
    assert not project.out.exists()
    shutil.rmtree(project.templates)


@pytest.mark.parametrize("folder", ["", "themes/paper/"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{% block share %}{{ evnt.title }}{% endblock %}", "'evnt' is undefined"),
        ("{% block share %}{{ event.titel }}{% endblock %}", "no attribute 'titel'"),
        ("{% block shares %}{% endblock %}", "site/event.html has no block 'shares', did you mean 'share'?"),
        ("{% block weather %}{% endblock %}", "has no block 'weather'; it has abstract, access, "),
        ("{% block share %}{{ event.title|sad }}{% endblock %}", "No filter named 'sad'"),
        ("{% block share %}{% if %}{% endblock %}", "Expected an expression"),
    ],
)
def test_an_unknown_name_in_a_template_is_refused_with_file_and_line_before_anything_is_written(
    project: Project, folder: str, body: str, said: str
) -> None:
    if folder:
        written(project.folder, HOSTILE.replace("[site]", '[site]\ntheme = "paper"'))
    put(project, f"{folder}site/event.html", '{% extends "tocsin/site/event.html" %}\n\n' + body)
    with pytest.raises(TemplateError) as refused:
        build(project, NOW)
    assert f"templates/{folder}site/event.html:3: " in str(refused.value)
    assert said in str(refused.value)
    assert not project.out.exists()


def test_a_block_within_a_block_is_the_template_s_own_and_may_be_filled_in_turn(project: Project) -> None:
    put(
        project,
        "site/frame.html",
        '{% extends "site/base.html" %}{% block main %}{% block own %}{% endblock %}{% endblock %}',
    )
    put(project, "site/event.html", '{% extends "site/frame.html" %}{% block own %}<h1>Ours</h1>{% endblock %}')
    build(project, NOW)
    assert "Ours" in page(project, "events/loud/index.html").text
