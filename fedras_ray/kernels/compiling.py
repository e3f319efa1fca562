"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from fedras_ray.kernels import kept
from fedras_ray.kernels.sealing import Sealed

Kernel = TypeVar("Kernel", bound=Callable[..., object])

FAST = {"reassoc", "contract", "nsz", "arcp"}


def compiled(kernel: Kernel) -> Kernel:
    """A kernel as machine code, made when it is first called, and kept."""
    return _kept(kernel, fastmath=FAST)


def exact(kernel: Kernel) -> Kernel:
    """As `compiled`, with every operation rounded by itself and in the order in which it is written."""
    return _kept(kernel)


def wake() -> None:
    """Have Numba find all that it knows, as it does before its first kernel: it takes some 0.4 s, once."""
    _nothing()


def inlined(kernel: Kernel) -> Kernel:
    """A part of kernels that runs for every bit: a call of its own would cost more than what it does."""
    return cast(Kernel, numba.njit(inline="always", fastmath=FAST, error_model="numpy")(kernel))


def _kept(kernel: Kernel, **options: Any) -> Kernel:
    """Numba asks for the place as it wraps a function; others' functions are none of our business.

    With NumPy's model of errors a division does not look whether it is one by zero, and can go eight at once.
    """
    config: Any = numba.config
    options |= {"cache": True, "nogil": True, "error_model": "numpy", "pipeline_class": Sealed}
    theirs = config.CACHE_LOCATOR_CLASSES
    config.CACHE_LOCATOR_CLASSES = theirs or kept.LOCATORS
    try:
        made = numba.njit(**options)(kernel)
    finally:
        config.CACHE_LOCATOR_CLASSES = theirs
    kept.name_files(made)
    return cast(Kernel, made)


@compiled
def _nothing() -> None:
    """The least kernel."""
