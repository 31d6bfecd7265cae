"""Whether a folder is held by a process that writes in it."""

import fcntl
import os
from pathlib import Path


def is_held(folder: Path) -> bool:
    """Whether another process would have to wait."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)
