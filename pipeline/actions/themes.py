"""Where the pages' templates come from: the theme, then the project's own; ours are added by the renderer."""

from pathlib import Path

from pipeline.actions.project import Project
from pipeline.catalogue.models import Catalogue
from pipeline.errors import CatalogueError, Problem

THEMES = "themes"


def template_folders(project: Project, catalogue: Catalogue) -> list[Path]:
    """The folders in which the site's templates are looked for, the first one first.

    `[site] theme = "paper"` means `templates/themes/paper/`; CatalogueError where there is no such folder.
    """
    own, theme = project.own_templates, catalogue.site.theme
    if theme is None:
        return own
    themes = project.templates / THEMES
    there = sorted(folder.name for folder in themes.iterdir() if folder.is_dir()) if themes.is_dir() else []
    if theme not in there:
        hint = "write one of {themes}" if there else "make the folder templates/themes/{theme}, or delete the line"
        values = {"theme": theme, "themes": ", ".join(there)}
        raise CatalogueError(
            [Problem(project.catalogue.name, 0, "site.theme", "there is no theme {theme!r}", hint, values)]
        )
    return [themes / theme, *own]
