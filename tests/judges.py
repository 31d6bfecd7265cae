"""The programs that judge our pages, fetched by `make judges`; None where they aren't here."""

import shutil
from pathlib import Path

MODULES = Path(__file__).parent / "npm" / "node_modules"


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


AXE = _there(MODULES / "axe-core" / "axe.min.js")
NU = _there(MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar")
JAVA = shutil.which("java")
