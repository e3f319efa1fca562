"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])

FAST = {"reassoc", "contract", "nsz", "arcp"}


def compiled(kernel: Kernel) -> Kernel:
    """A kernel as machine code, made when it is first called."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, fastmath=FAST)(kernel))
