"""The mail server: where it is, what can come of a message, and the conversation with it.

`connection.connect` opens the way there. It isn't imported here: only what really delivers needs yagmail.
"""

from pipeline.delivery.outcomes import PATIENCE, Fate, Outcome, Step, Transport
from pipeline.delivery.server import MailServer, is_loopback, mail_server

__all__ = ["PATIENCE", "Fate", "MailServer", "Outcome", "Step", "Transport", "is_loopback", "mail_server"]
