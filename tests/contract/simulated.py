"""When the contracts begin."""

from datetime import UTC, datetime

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
