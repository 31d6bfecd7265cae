"""Letters: one message composed for each occasion and language, then only what differs for each recipient.

`composing.compose` writes a letter, `posting.post_of` says who writes it. Neither is imported here: a process that
only delivers fills the marks of stored letters and needs no template, catalogue or style sheet.
"""

from pipeline.letters.marks import finish
from pipeline.letters.message import Letter, Message, Post, Recipient
from pipeline.letters.tokens import bounce_address, read_token, token, unsubscribe_token

__all__ = [
    "Letter",
    "Message",
    "Post",
    "Recipient",
    "bounce_address",
    "finish",
    "read_token",
    "token",
    "unsubscribe_token",
]
