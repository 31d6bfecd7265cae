"""What an organiser's own piece of a page tells of other events follows them, though its own event is as it was."""

import re
from pathlib import Path

import pytest
from twelve_talks import HEAD, LATER, NOW, talk

from pipeline.cli import main
from pipeline.rendering import shipped_templates

OURS = '<div class="what">\n'
THEIRS = OURS + "<i>next: {{ edition.next.event.id }}</i>"


@pytest.mark.parametrize("theirs", [False, True])
def test_a_list_of_events_tells_of_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: bool) -> None:
    monkeypatch.chdir(tmp_path)
    if theirs:
        parts = (shipped_templates() / "site/parts.html").read_text()
        assert parts.count(OURS) == 1
        (tmp_path / "templates/site").mkdir(parents=True)
        (tmp_path / "templates/site/parts.html").write_text(parts.replace(OURS, THEIRS))
    talks = [talk(number) for number in range(1, 5)]
    (tmp_path / "events.toml").write_text(HEAD + "".join(talks))
    assert main(["publish", *NOW]) == 0
    (tmp_path / "events.toml").write_text(HEAD + "".join([talk(0), *talks]))
    assert main(["publish", *LATER]) == 0
    page = (tmp_path / "out/index.html").read_text()
    assert "Talk 4" in page
    assert set(re.findall("next: (.*?)<", page)) == ({"talk-0"} if theirs else set())
