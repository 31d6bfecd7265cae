"""What several tests of single rooms need."""

from pathlib import Path

import pytest
from importing_project import HEAD, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A series in French without events."""
    made = Project(tmp_path)
    made.write(HEAD)
    return made
