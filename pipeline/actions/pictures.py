"""The organisers' pictures: read from the catalogue's folder, to be published as they are."""

import re
from pathlib import PurePosixPath

from pipeline.actions.project import Project
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.references import PICTURE
from pipeline.errors import N_, CatalogueError, Problem, TocsinError, reason_of
from pipeline.outputs import poster
from pipeline.outputs.pictures import pictures, published_as
from pipeline.outputs.site import ICON, STYLESHEET


def picture_files(project: Project, catalogue: Catalogue) -> dict[str, bytes]:
    """The bytes of every picture that the catalogue names, by their paths in `out/`.

    CatalogueError for one that can't be read, or that a link takes from outside the catalogue's folder.
    """
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    for picture in pictures(catalogue):
        file = project.folder / picture
        if (taken := _in_the_way(picture)) is not None:
            problems.append(
                Problem(project.catalogue.name, 0, "image",
                        "{picture!r} can't be published: its folder would stand where the site has its file {taken!r}",
                        "give the folder another name", {"picture": picture, "taken": taken})
            )  # fmt: skip
            continue
        try:
            if not file.resolve().is_relative_to(project.folder.resolve()):
                raise TocsinError(N_("it lies outside the catalogue's folder"))
            if not re.search(PICTURE, file.resolve().name):
                raise TocsinError(N_("it is a link to what is no picture"))
            if project.looked is not None:
                project.looked.at_file(project.folder, picture)
            found[published_as(picture)] = file.read_bytes()
        except (OSError, TocsinError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else error
            values = {"picture": picture, "reason": reason}
            problems.append(
                Problem(project.catalogue.name, 0, "image", "{picture!r} can't be published: {reason}",
                        "put a copy of it into the catalogue's folder", values)
            )  # fmt: skip
    if problems:
        raise CatalogueError(problems)
    return found


def _in_the_way(picture: str) -> str | None:
    """The file of the site that stands where a folder on the way to a picture would be; None where there is none."""
    folders = {folder.as_posix() for folder in PurePosixPath(published_as(picture)).parents}
    return next((file for file in (STYLESHEET, ICON, poster.STYLESHEET) if file in folders), None)
