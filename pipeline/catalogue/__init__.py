"""The catalogue: what organisers write in `events.toml`, as frozen models, or every problem in it at once."""

import os

# No plugin may change how a catalogue is judged, and to ask each installed package for one takes longer than to judge.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
