"""The blocks of a template that others may fill: the library passes over one that nobody has, and says nothing."""

import re
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches

import jinja2
from jinja2 import nodes

_OURS = "tocsin/"  # opens the names under which our own templates are always found
_EXTENDS = re.compile(r"""\bextends[\s(]*["']([^"']+)""")


def refuse_unknown_blocks(environment: jinja2.Environment, tree: nodes.Template, name: str, file: str | None) -> None:
    """TemplateSyntaxError at the first block that none of the templates has which this one extends.

    A block within a block is the template's own. Nothing is said where the other is named while rendering, or missing;
    nor of our own templates: who writes another one that they extend may leave out any block.
    """
    above = _extended(tree)
    if above is None or _is_ours(environment, name, file) or (known := _blocks(environment, above)) is None:
        return
    for node in tree.body:
        if isinstance(node, nodes.Block) and node.name not in known:
            near = "".join(f", did you mean {one!r}?" for one in get_close_matches(node.name, known, n=1))
            said = f"{above} has no block {node.name!r}{near or '; it has ' + ', '.join(sorted(known))}"
            raise jinja2.TemplateSyntaxError(said, node.lineno, name, file)


def _is_ours(environment: jinja2.Environment, name: str, file: str | None) -> bool:
    assert environment.loader is not None  # noqa: S101 - ours all have one
    try:
        return environment.loader.get_source(environment, f"{_OURS}{name.removeprefix(_OURS)}")[1] == file
    except jinja2.TemplateNotFound:
        return False


def sources_above(environment: jinja2.Environment, source: str) -> Iterator[str]:
    """The texts of the templates that one with this source extends, as far as they are there.

    Those that it only says so of, in a remark or in another case, are among them.
    """
    assert environment.loader is not None  # noqa: S101 - ours all have one
    waiting, seen = _EXTENDS.findall(source), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            with suppress(jinja2.TemplateNotFound):
                text, _, _ = environment.loader.get_source(environment, name)
                waiting += _EXTENDS.findall(text)
                yield text


def _extended(tree: nodes.Template) -> str | None:
    found = tree.find(nodes.Extends)
    return str(found.template.value) if found and isinstance(found.template, nodes.Const) else None


def _blocks(environment: jinja2.Environment, name: str | None) -> set[str] | None:
    """The names of all blocks of a template and of those that it extends; None where one of them can't be read."""
    found = set[str]()
    for tree in _chain(environment, name):
        if tree is None:
            return None
        found |= {node.name for node in tree.find_all(nodes.Block)}
    return found


def _chain(environment: jinja2.Environment, name: str | None) -> Iterator[nodes.Template | None]:
    seen = set[str]()
    while name is not None and name not in seen:
        seen.add(name)
        tree = parsed(environment, name)
        yield tree
        name = _extended(tree) if tree is not None else None


_MOST = 200
_trees: dict[tuple[str, str], nodes.Template] = {}
"""What was parsed last, by name and text: a preview asks anew at each save, and a tree is the same in all languages."""


def parsed(environment: jinja2.Environment, name: str) -> nodes.Template | None:
    """A template as a tree; None where it is missing or wrong."""
    assert environment.loader is not None  # noqa: S101 - ours all have one
    try:
        source, file, _ = environment.loader.get_source(environment, name)
        found = _trees.get((name, source))
        if found is None:
            if len(_trees) >= _MOST:
                _trees.clear()
            found = _trees[name, source] = environment.parse(source, name, file)
    except jinja2.TemplateError:
        return None
    return found
