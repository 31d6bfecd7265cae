"""One module for each command of the command line: its options, and how its result is told. No rule stands here."""
