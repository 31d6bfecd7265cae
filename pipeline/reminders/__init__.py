"""Which mails are due, when, and to whom: a pure function of the published edition and the rules."""
