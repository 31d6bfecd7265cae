"""`python -m pipeline` is the same as `tocsin`."""

from pipeline.cli import program

program()
