"""The catalogue: what organisers write in `events.toml`, as frozen models, or every problem in it at once."""

import importlib
import os
import sys
from types import ModuleType
from typing import Any

# No plugin may change how a catalogue is judged, and to ask each installed package for one takes longer than to judge.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

_PLUGINS = "pydantic.plugin._loader"


class _NoPlugins(ModuleType):
    """Stands in for pydantic's search for plugins, which loads a fifth of all that `check` loads, to find none."""

    @staticmethod
    def get_plugins() -> tuple[()]:
        """None: they are disabled."""
        return ()

    def __getattr__(self, name: str) -> Any:
        """Whatever else may be asked of that module, from itself."""
        if name.startswith("__"):
            raise AttributeError(name)
        del sys.modules[_PLUGINS]
        return getattr(importlib.import_module(_PLUGINS), name)


sys.modules.setdefault(_PLUGINS, _NoPlugins(_PLUGINS))
