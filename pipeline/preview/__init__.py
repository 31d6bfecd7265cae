"""The preview: the draft in a browser on the organiser's own machine, made anew at each save."""

from pipeline.preview.application import application
from pipeline.preview.board import Board, State

__all__ = ["Board", "State", "application"]
