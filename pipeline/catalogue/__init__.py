"""The catalogue: what organisers write in `events.toml`, as frozen models, or every problem in it at once."""
