"""The mail server: where it is, what can come of a message, and the conversation with it.

`connection.connect` opens the way there. It isn't imported here: only what really delivers needs yagmail.
"""

from pipeline.delivery.outcomes import PASSED_BY, PATIENCE, Checkpoint, Fate, Outcome, Step, Transport
from pipeline.delivery.server import MailServer, is_loopback, mail_server

__all__ = [
    "PASSED_BY",
    "PATIENCE",
    "Checkpoint",
    "Fate",
    "MailServer",
    "Outcome",
    "Step",
    "Transport",
    "is_loopback",
    "mail_server",
]
