"""Where machine code is kept: one folder for each state of all kernels together.

Kernels are compiled into each other, so machine code is fresh while none of their sources has changed, and
not only the file in which it stands. And the same sources in another place have the same machine code: a
second clone, the copy that a job was sent with. So code lies in a folder of the user's cache that is named
after what is in the sources, in ``$NUMBA_CACHE_DIR``, ``$XDG_CACHE_HOME`` or ``~/.cache``. Where nothing can
be written there, Numba's own places are as good as they were.

Numba numbers a function's files in the order in which its signatures were compiled. Processes that compile
at the same time then give one number to two signatures, and whoever reads it later calls machine code with
the arguments of another. So files have names here that no two processes choose.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from numba.core.caching import IndexDataCacheFile, UserWideCacheLocator

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


class OwnNames(IndexDataCacheFile):
    """Keeps the machine code of one function; see the module."""

    def save(self, key: object, data: object) -> None:
        """Of two processes that save at once one may be forgotten, and compile again some day."""
        me: Any = self  # Numba's is not typed
        names = me._load_index()
        names[key] = name = me._data_name(secrets.randbits(64))
        me._save_data(name, data)
        me._save_index(names)


def name_files(dispatcher: Any) -> None:
    """Let a compiled function keep its code under names of its own."""
    cache, made = dispatcher._cache, cast(Any, OwnNames)
    file = cache._cache_file
    cache._cache_file = made(file._cache_path, cache._impl.filename_base, file._source_stamp)


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


def is_empty() -> bool:
    """Whether nobody has compiled a kernel of this state here: the first run does."""
    return next((folder() / state()).rglob("*.nbi"), None) is None


def _forget_all_but_the_latest(place: Path) -> None:
    """What a process has read already it keeps, so nobody is hurt who still runs."""
    with contextlib.suppress(OSError):  # somebody else does the same at this moment
        found = sorted(place.glob("*/"), key=os.path.getmtime)
        for old in found[: max(0, len(found) + 1 - MOST_STATES)]:
            shutil.rmtree(old, ignore_errors=True)
