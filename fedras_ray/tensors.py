"""torch, imported when a tensor is first made.

The import takes two seconds and more than a hundred megabytes, and many processes never make a tensor: a
driver, a coordinator. What is computed with torch here is computed on one thread: sums in a fixed order, and
no fight over cores between pools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
