"""Where machine code is kept: one folder for each state of all kernels together.

Kernels are compiled into each other, so machine code is fresh while none of their sources has changed, and
not only the file in which it stands. And the same sources in another place have the same machine code: a
second clone, the copy that a job was sent with. So code lies in a folder of the user's cache that is named
after what is in the sources, in ``$NUMBA_CACHE_DIR``, ``$XDG_CACHE_HOME`` or ``~/.cache``. Where nothing can
be written there, Numba's own places are as good as they were.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from numba.core.caching import UserWideCacheLocator

LOCATORS = f"{__name__}.KernelLocator,InTreeCacheLocator,UserWideCacheLocator"
MOST_STATES = 8  # that are kept, of 13 MB each; who works on kernels makes a new one with every change


class KernelLocator(UserWideCacheLocator):
    """Tells Numba the folder; see the module."""

    def __init__(self, function: Callable[..., object], file: str) -> None:
        super().__init__(function, file)  # type: ignore[no-untyped-call]
        self._cache_path = str(folder() / state())

    def get_source_stamp(self) -> str:
        """What has to be the same for code to be fresh."""
        return state()


@functools.cache
def state() -> str:
    """What is in the sources of all kernels, in 32 hexadecimal digits."""
    seen = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        seen.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return seen.hexdigest()[:32]


@functools.cache
def folder() -> Path:
    """Where the states are; of the others, all but the latest go."""
    home = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    place = Path(home) / "fedras-ray" / "kernels"
    if not (place / state()).exists():
        _forget_all_but_the_latest(place)
    return place


def _forget_all_but_the_latest(place: Path) -> None:
    """What a process has read already it keeps, so nobody is hurt who still runs."""
    with contextlib.suppress(OSError):  # somebody else does the same at this moment
        found = sorted(place.glob("*/"), key=os.path.getmtime)
        for old in found[: max(0, len(found) + 1 - MOST_STATES)]:
            shutil.rmtree(old, ignore_errors=True)
