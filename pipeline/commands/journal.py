"""The log of a process that goes on: lines for a person, or one JSON object a line for a program."""

import json
import logging
from datetime import UTC, datetime


def keep_journal(as_json: bool) -> None:
    """Logs to standard error from now on; only what concerns an operator."""
    handler = logging.StreamHandler()
    handler.setFormatter(AsJson() if as_json else logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    # What it warns of is what strangers send.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


class AsJson(logging.Formatter):
    """Each record as an object: `at` (UTC), `level`, `logger`, `message`, and `error` where there was an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)
