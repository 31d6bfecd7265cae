"""What a template reads of a variable, found in its text: before it is rendered, and whichever way it would go."""

import hashlib
from collections.abc import Collection, Iterator

import jinja2
from jinja2 import nodes
from jinja2.meta import find_referenced_templates

from pipeline.template_blocks import parsed

verdicts: dict[str, tuple[bool, dict[str, str]]] = {}
"""What was found by what was asked, with a digest of each template that was read for it, by its name."""


def reads_only(environment: jinja2.Environment, template: str, variable: str, allowed: Collection[str]) -> bool:
    """Whether a template, with all that it takes in, reads nothing of a variable but these dotted names and below.

    False where that can't be told: a template is missing, wrong, or named while rendering.
    """
    asked = "\n".join((template, variable, *sorted(allowed)))
    found, read = verdicts.get(asked, (False, {}))
    if not read or any(_digest(environment, name) != digest for name, digest in read.items()):
        read = {}
        found = _reads_only(environment, template, variable, allowed, read)
        verdicts[asked] = found, read
    return found


def _digest(environment: jinja2.Environment, name: str) -> str:
    """Of the text of a template; empty where there is none."""
    assert environment.loader is not None  # noqa: S101 - ours all have one
    try:
        text, _, _ = environment.loader.get_source(environment, name)
    except jinja2.TemplateError:
        return ""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _reads_only(
    environment: jinja2.Environment, template: str, variable: str, allowed: Collection[str], read: dict[str, str]
) -> bool:
    """The same, found in the texts; `read` takes a digest of each."""
    waiting = [template]
    while waiting:
        name = waiting.pop()
        if name in read:
            continue
        # Before the text is read: what changes in between is read again the next time.
        read[name] = _digest(environment, name)
        tree = parsed(environment, name)
        if tree is None or not all(_within(read, allowed) for read in _reads(tree, variable)):
            return False
        for other in find_referenced_templates(tree):
            if other is None:
                return False
            waiting.append(other)
    return True


def _reads(node: nodes.Node, variable: str) -> Iterator[str]:
    """Every dotted name below the variable; an empty one where it is used as a whole."""
    dotted = _dotted(node)
    if dotted is not None and dotted.partition(".")[0] == variable:
        yield dotted.partition(".")[2]
    elif dotted is None:
        for child in node.iter_child_nodes():
            yield from _reads(child, variable)


def _dotted(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        before = _dotted(node.node)
        return None if before is None else f"{before}.{node.attr}"
    return None


def _within(name: str, allowed: Collection[str]) -> bool:
    return "__" not in name and any(name == one or name.startswith(f"{one}.") for one in allowed)
