"""What the process of an actor is told once, and asked in the end."""

from __future__ import annotations

import ctypes
import gc
import resource

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_MOST_MMAP_THRESHOLD = 32 << 20  # that glibc takes
_KEPT_BYTES = 128 << 20


def tidy() -> None:
    """Give the system back what was let go so far; call it after something large, as data that were read."""
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc's
        libc.malloc_trim(0)


def settle() -> None:
    """What is here now stays; call it when all that lasts has been made.

    Nobody need look through it for garbage again and again. What it took to make it goes back to the system.
    And memory that a batch gives back is kept for the next from now on: glibc gives it to the system, which
    hands it out again page by page, each of them cleared.
    """
    tidy()
    gc.freeze()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc, and others that do as it does
        libc.mallopt(_MMAP_THRESHOLD, _MOST_MMAP_THRESHOLD)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def peak_rss_bytes() -> int:
    """The most resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
