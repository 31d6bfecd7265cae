"""The programs that judge our pages, fetched by `make judges`; None where they aren't here."""

import shutil
from pathlib import Path

MODULES = Path(__file__).parent / "npm" / "node_modules"


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


AXE = _there(MODULES / "axe-core" / "axe.min.js")
NU = _there(MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar")
JAVA = shutil.which("java")
NODE = shutil.which("node")
READER = _there(MODULES.parent / "read.mjs") if (MODULES / "feedsmith").is_dir() and NODE else None
"""Reads calendars and feeds with ical.js, rss-parser and feedsmith."""
