"""Notices each save of a file that the draft is made from."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

from watchfiles import awatch

from pipeline.preview.board import Board
from pipeline.rendering import shipped_templates

MILLISECONDS_TO_SETTLE = 150
"""Editors write a file in several steps; what follows within this time is one save."""
MILLISECONDS_BETWEEN_LOOKS = 500


@asynccontextmanager
async def following(board: Board) -> AsyncIterator[None]:
    """Makes the board, and makes it anew at each save from then on, until this ends."""
    # Looked at before it is made: what is saved meanwhile is found to have changed.
    seen = signature(board, watched(board))
    await asyncio.to_thread(board.make)
    task = asyncio.create_task(_watch(board, seen))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(board: Board, seen: frozenset[tuple[Path, int, int]]) -> None:
    while True:
        folders = watched(board)
        async with aclosing(_looks(board, folders)) as looks:
            async for _ in looks:
                # What was saved before a folder was watched is found by looking.
                now = signature(board, watched(board))
                if now != seen:
                    seen = now
                    await asyncio.to_thread(board.make)
                if watched(board) != folders:
                    break


async def _looks(board: Board, folders: Iterable[Path]) -> AsyncGenerator[None, None]:
    """Comes whenever something may have been saved: at once where the system tells it, and every so often."""
    saves = awatch(
        *folders,
        watch_filter=lambda _change, path: concerns(board, Path(path)),
        recursive=False,
        debounce=MILLISECONDS_TO_SETTLE,
        step=MILLISECONDS_TO_SETTLE // 3,
        rust_timeout=MILLISECONDS_BETWEEN_LOOKS,
        yield_on_timeout=True,
    )
    with suppress(OSError, RuntimeError, ExceptionGroup):
        async with aclosing(saves):
            async for _ in saves:
                yield
    # Of a name that isn't UTF-8, or of more folders than may be watched, nothing is told any more.
    while True:
        await asyncio.sleep(MILLISECONDS_BETWEEN_LOOKS / 1000)
        yield


def signature(board: Board, folders: Iterable[Path]) -> frozenset[tuple[Path, int, int]]:
    """Each file that counts, with its size and the time of its last change in nanoseconds."""
    found = set()
    for folder in folders:
        with suppress(OSError):  # a folder or file that has just gone
            for path in folder.iterdir():
                if concerns(board, path) and path.is_file():
                    stat = path.stat()
                    found.add((path, stat.st_size, stat.st_mtime_ns))
    return frozenset(found)


def watched(board: Board) -> set[Path]:
    """The folders with files that count: the catalogue's, those of included files and pictures, all of templates."""
    project = board.project
    found = {project.folder, *_below(project.templates), *_below(shipped_templates())}
    look = board.state.look
    if look is not None:
        catalogue = look.draft.edition.catalogue
        images = (catalogue.series.image, *(event.image for event in catalogue.events))
        found |= {(project.folder / image).parent for image in images if image}
        for pattern in catalogue.include:
            found |= {path.parent for path in project.folder.glob(pattern)}
    return {folder for folder in found if folder.is_dir()}


def _below(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield folder
        yield from (path for path in folder.rglob("*") if path.is_dir())


def concerns(board: Board, path: Path) -> bool:
    """Whether a changed path may change the draft: not what tocsin writes itself, nor an editor's spare copies."""
    written = {board.project.out.name, "var", "letters"}
    return path.name not in written and not path.name.startswith(".") and not path.name.endswith(("~", ".swp", ".tmp"))
