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
from pipeline.outputs.base import Artifact, Output
from pipeline.rendering import Renderer

OUTPUTS: tuple[Output, ...] = (
    pages, calendar, feeds, program, groups, newsletters, next_event, embed, poster, schedule, share, sitemap,
    tombstones,
)  # fmt: skip
"""A new format is one module and one name here. The pages come first: a preview looks no further for what it shows."""


def render_all(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """Every file of the edition; paths are below `out/` and each appears once."""
    for output in OUTPUTS:
        yield from output.render(edition, renderer)


__all__ = ["OUTPUTS", "Artifact", "Output", "render_all"]
