"""Settings of a machine, never of the catalogue: environment variables, and `.env` beside the catalogue."""

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. Secrets are never shown or logged."""

    smtp_url: str | None = field(default=None, repr=False)
    database_url: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    installation: str = ""
    dkim_key: str = field(default="", repr=False)
    """Where the keys lie that sign mail: `mail._domainkey.example.org:FILE`, several apart by commas."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Everything, for the `secret` of an event's `online`."""


def settings_of(folder: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings for a catalogue's folder; the environment wins over `.env`."""
    file = folder / ".env"
    variables = {**(_written(file) if file.is_file() else {}), **environment}
    return Settings(
        smtp_url=variables.get("TOCSIN_SMTP_URL") or None,
        database_url=variables.get("TOCSIN_DATABASE_URL") or None,
        secret=variables.get("TOCSIN_SECRET") or None,
        installation=variables.get("TOCSIN_INSTALLATION", ""),
        dkim_key=variables.get("TOCSIN_DKIM_KEY", ""),
        variables=variables,
    )


def _written(file: Path) -> dict[str, str]:
    # Loaded only where there is such a file: on the computer of an organiser there is none.
    values = importlib.import_module("dotenv").dotenv_values(file)
    return {key: value for key, value in values.items() if value}
