"""One Jinja environment for pages and letters: strict, escaping, with the reader's words and dates as filters."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pipeline import language as speech
from pipeline.catalogue.models import Series
from pipeline.catalogue.texts import Phrase, Text
from pipeline.catalogue.when import When
from pipeline.errors import N_, TemplateError, TocsinError
from pipeline.markdown import to_html, to_text
from pipeline.phrases import say_when
from pipeline.phrases.details import details
from pipeline.template_code import Compiled, Reused, WordsAtOnce, bare, marked_safe
from pipeline.template_reading import reads_only
from pipeline.template_running import Environment

PACKAGE = Path(__file__).parent
OURS = "tocsin"
"""`tocsin/site/event.html` is our template of that name, also for one that stands in its place and extends it."""


def shipped_templates() -> Path:
    """Where our own templates are: inside the installed package, else beside it in a checkout."""
    inside = PACKAGE / "templates"
    return inside if inside.is_dir() else PACKAGE.parent / "templates"


_FIRM = (
    ("«", "« ", "«\u00a0"), ("»", " »", "\u00a0»"), ("?", " ?", "\u202f?"), ("!", " !", "\u202f!"),
    (";", " ;", "\u202f;"), (":", " :", "\u00a0:"),
)  # fmt: skip
"""How a sign that French sets apart may have been typed, and how it stands beside its word."""
_CODE = re.compile("(<code.*?</code>)", re.DOTALL)


class _Folders(jinja2.FileSystemLoader):
    """Templates that people wrote: one that isn't UTF-8 is named, with the first byte that isn't."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The text of a template, its file, and whether it is still the same."""
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as error:
            paths = (Path(folder, template) for folder in self.searchpath)
            raise TemplateError(
                N_("{file}:{line}: byte {byte} is not UTF-8; save the file again with the encoding UTF-8"),
                file=next((path for path in paths if path.is_file()), template),
                line=error.object.count(b"\n", 0, error.start) + 1,
                byte=error.start + 1,
            ) from None


class Renderer:
    """Renders templates in a language, from the organiser's folder first, then from ours."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = [str(folder) for folder in (*folders, shipped_templates())]
        self._environments: dict[str, Environment] = {}

    def render(self, template: str, language: str, context: Mapping[str, Any]) -> str:
        """The text of a template; TemplateError names the template and its line."""
        with _Told(template):
            return self._in(language).get_template(template).render(context)

    def render_encoded(self, template: str, language: str, context: Mapping[str, Any]) -> bytes:
        """The same text in UTF-8."""
        with _Told(template):
            return self._in(language).encoded(template, context)

    def render_in_parts(self, template: str, language: str, context: Mapping[str, Any]) -> Iterator[str]:
        """The same text piece by piece: of a long page neither the pieces nor the whole are held."""
        with _Told(template):
            yield from self._in(language).get_template(template).generate(context)

    def read(self, template: str, language: str) -> None:
        """Reads a template without rendering it; TemplateError where it can't be read or fills a block that is none."""
        with _Told(template):
            self._in(language).get_template(template)

    def reads_only(self, template: str, language: str, variable: str, allowed: Collection[str]) -> bool:
        """Whether a template surely reads nothing of a variable but these dotted names and what is below them."""
        return reads_only(self._in(language), template, variable, allowed)

    def _in(self, language: str) -> Environment:
        return self._environments.get(language) or self._environments.setdefault(language, self._environment(language))

    def _environment(self, language: str) -> Environment:
        environment = Environment(
            loader=jinja2.ChoiceLoader(
                [
                    _Folders(self._folders),
                    jinja2.PrefixLoader({OURS: jinja2.FileSystemLoader(shipped_templates())}),
                ]
            ),
            autoescape=lambda name: name is not None and not name.endswith((".txt", ".txt.j2")),
            undefined=jinja2.StrictUndefined,
            bytecode_cache=Compiled(language),
            # A renderer lives for one build: templates don't change under it.
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            extensions=["jinja2.ext.i18n", Reused],
        )
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            speech.translations(language), newstyle=True
        )
        environment.globals["language"] = language
        environment.add_extension(WordsAtOnce)
        environment.filters.update(
            said=partial(said, language),
            marked=partial(marked, language),
            details=lambda event: details(event, language),
            plain=partial(plain, language),
            spaced=spaced,
            pieces=pieces,
            ways=ways,
            prose=partial(written, language),
            text=partial(unformatted, language),
            when=_said_when(language),
            day=lambda day, form="long": speech.say_day(_day(day), language, form),
            time=lambda moment: speech.say_time(moment, language),
            zone=lambda moment: speech.say_zone(moment, language),
            listed=lambda items: speech.say_list(items, language),
            language_name=lambda code: speech.say_language(code, language),
        )
        return environment


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _said_when(language: str) -> Callable[..., str]:
    """The filter for dates; their zone is named where it isn't that of the series of which the page or letter tells."""

    @jinja2.pass_context
    def said_when(context: jinja2.runtime.Context, when: When, form: str = "long") -> str:
        series = context.get("series")
        return say_when(when, language, form, series.timezone if isinstance(series, Series) else None)

    return said_when


class _Told:
    """What is wrong with a template becomes a TemplateError with its place; a function for it costs each page more."""

    __slots__ = ("_template",)

    def __init__(self, template: str) -> None:
        self._template = template

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        told = _told(error, self._template) if isinstance(error, Exception) else None
        if told is not None:
            raise told from error


def _told(error: Exception, template: str) -> TemplateError | None:
    """The same as a TemplateError; None where it is no fault of the template, or told already."""
    match error:
        case jinja2.TemplateSyntaxError():
            file = error.filename or error.name
            return TemplateError("{file}:{line}: {reason}", file=file, line=error.lineno, reason=error.message)
        case jinja2.TemplateNotFound():
            return TemplateError("{template}: there is no template {name!r}", template=template, name=error.name)
        case jinja2.TemplateError():
            return TemplateError("{place}: {reason}", place=_place(error, template), reason=error.message)
        case TocsinError():
            return None
    # What a line of theirs asks for and can't be; in a line of ours it is a fault of the program.
    place = _place(error, "")
    if not place or place.startswith(f"{shipped_templates()}/"):
        return None
    return TemplateError("{place}: {reason}", place=place, reason=f"{type(error).__name__}: {error}")


def _place(error: BaseException, template: str) -> str:
    """The innermost template line in the traceback."""
    place, step = template, error.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if "__jinja_exception__" in step.tb_frame.f_globals:
            place = f"{name}:{step.tb_lineno}"
        step = step.tb_next
    return place


def said(language: str, text: Text) -> Markup:
    """The text in the reader's language, marked with its own where there is no translation."""
    return marked(language, text.said_in(language))


def marked(language: str, phrase: Phrase) -> Markup:
    """A phrase, marked with its own language where that isn't the reader's."""
    words = bare(spaced(phrase.text, phrase.language))
    if phrase.language != language:
        words = f"<span{_attributes(language, phrase.language)}>{words}</span>"
    return marked_safe(words)


@cache
def _attributes(language: str, own: str) -> str:
    """What marks a text of another language than its page: that language, and its direction if that is another."""
    direction = speech.direction(own)
    turned = "" if direction == speech.direction(language) else f' dir="{direction}"'
    return f' lang="{escape(own)}"{turned}'


def spaced(text: str, language: str) -> str:
    """A text in which no sign stands alone on a line: French that was typed with plain spaces gets no-break ones."""
    if language.partition("-")[0] == "fr":
        for sign, loose, firm in _FIRM:
            # A single letter is found many times as fast as two of which the first is a blank.
            if sign in text:
                text = text.replace(loose, firm)
    return text


def pieces(text: str) -> Markup:
    """A date in words, which breaks between day and hour before it breaks elsewhere."""
    words = bare(text).replace(", ", ',</span> <span class="piece">')
    return marked_safe(f'<span class="piece">{words}</span>')


def ways(links: Iterable[Any]) -> Markup:
    """Links beside one another, each by its name."""
    return marked_safe(" ".join([f'<a href="{_address(link.url)}">{bare(link.name)}</a>' for link in links]))


def _address(url: str) -> str:
    # Long, and with no other sign than this, as most are: the library looks at each letter, twice.
    return bare(url) if any(map(url.__contains__, "<>\"'")) else url.replace("&", "&amp;")


def plain(language: str, text: Text) -> str:
    """The bare text in the reader's language, for attributes and plain-text files."""
    return text.said_in(language).text


def written(language: str, text: Text, base: str = "") -> Markup:
    """Markdown as safe HTML, marked with its own language where there is no translation."""
    phrase = text.said_in(language)
    html = to_html(phrase.text, base)
    # Code is to be copied as it was typed.
    parts = _CODE.split(html) if "<code" in html else [html]
    parts[::2] = [spaced(part, phrase.language) for part in parts[::2]]
    html = "".join(parts)
    if phrase.language != language:
        html = f"<div{_attributes(language, phrase.language)}>{html}</div>"
    return marked_safe(html)


def unformatted(language: str, text: Text, base: str = "") -> str:
    """Markdown as plain text, for letters; relative addresses are completed with `base`."""
    return to_text(text.said_in(language).text, base)
