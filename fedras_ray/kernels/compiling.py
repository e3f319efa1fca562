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


def inlined(kernel: Kernel) -> Kernel:
    """A part of kernels that runs for every bit: a call of its own would cost more than what it does."""
    return cast(Kernel, numba.njit(inline="always", fastmath=FAST)(kernel))


def exact(kernel: Kernel) -> Kernel:
    """As `compiled`, with every operation rounded by itself and in the order in which it is written."""
    return cast(Kernel, numba.njit(cache=True, nogil=True)(kernel))
