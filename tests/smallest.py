"""The smallest catalogue: a series without events."""

SMALLEST = """format = 1
[series]
id = "talks"
title = "Talks"
timezone = "Europe/Paris"
default_language = "en"
organiser = "Somebody"
[site]
url = "https://talks.example/"
"""
