"""Members taken out of an array in constant time each: the last one comes where one was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Members = NDArray[np.int64]


@compiled
def remove(members: Members, count: int, places: NDArray[np.int64]) -> Members:
    """Those at distinct `places`, in the order of these; the first `count` less their number stay.

    The hindmost is taken out first.
    """
    taken = members[places]
    for place in np.sort(places)[::-1]:
        count -= 1
        members[place] = members[count]
    return taken
