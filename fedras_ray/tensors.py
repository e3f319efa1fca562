"""torch, imported when a tensor is first made.

The import takes two seconds and more than a hundred megabytes, and many processes never make a tensor: a
driver, a coordinator, a pool whose model and codec are machine code. What is computed with torch here is
computed on one thread: sums in a fixed order, and no fight over cores between pools.

An accelerator is asked for by name (`execution.device`). Sums are rounded in another order there, so what it
finds is what the processor finds up to rounding, and `device` is part of an experiment's digest.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from fedras_ray.errors import ConfigError

if TYPE_CHECKING:
    import torch as torch
else:

    class _Torch:
        """The module's attributes, from the module."""

        def __getattr__(self, name: str) -> Any:
            import torch

            torch.set_num_threads(1)
            self.__dict__.update(vars(torch))  # from now on it is asked directly
            return getattr(torch, name)

    torch = _Torch()


def accelerator(name: str) -> torch.device | None:
    """The device of that name, ready to be used; None for the processor, which has machine code of its own.

    Raises:
        ConfigError: this process has no such device.
    """
    if name == "cpu":
        return None
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # the same sums in the same order every time
    if not torch.cuda.is_available():
        build = "" if torch.version.cuda else f"; torch {torch.__version__} is built without it"
        raise ConfigError(
            "execution.device",
            f"'{name}' is not to be had here: torch finds no such device{build}. "
            "Take 'cpu', or a torch that is built for it",
        )
    return torch.device(name)
