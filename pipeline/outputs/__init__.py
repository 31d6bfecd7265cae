"""The formats that are published, one module each; `OUTPUTS` names them all."""

from collections.abc import Iterator

from pipeline.edition import Edition
from pipeline.outputs import (
    calendar,
    embed,
    feeds,
    groups,
    newsletters,
    next_event,
    pages,
    poster,
    program,
    schedule,
    share,
    sitemap,
    tombstones,
)
from pipeline.outputs.base import Artifact, Bundle, Output, each
from pipeline.rendering import Renderer

OUTPUTS: tuple[Output, ...] = (
    pages, calendar, feeds, program, groups, newsletters, next_event, embed, poster, schedule, share, sitemap,
    tombstones,
)  # fmt: skip
"""A new format is one module and one name here. The pages come first: a preview looks no further for what it shows."""


def render_bundled(edition: Edition, renderer: Renderer) -> Iterator[Artifact | Bundle]:
    """Every file of the edition, those of many events in bundles; paths are below `out/` and each appears once."""
    for output in OUTPUTS:
        yield from output.render(edition, renderer)


def render_all(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """Every file of the edition, one by one."""
    yield from each(render_bundled(edition, renderer))


__all__ = ["OUTPUTS", "Artifact", "Bundle", "Output", "each", "render_all", "render_bundled"]
