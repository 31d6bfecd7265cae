"""Programmes of other makers: read into facts, fitted to the catalogue, joined to it without touching what is there."""
