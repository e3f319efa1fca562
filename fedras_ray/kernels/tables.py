"""Tables of floats, looked through in one pass.

I rows, D width. A float's bits without its sign, read as a whole number, order as magnitudes do; infinity and
whatever is no number come last.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Words = NDArray[np.uint32]

_NO_SIGN: Final = np.uint32(0x7FFFFFFF)
_MAGNITUDE: Final = np.int32(0x7FFFFFFF)
INFINITE: Final = 0x7F800000  # the magnitude of infinity; of what is finite, each is below


@compiled
def magnitude(words: Words) -> int:
    """The largest magnitude of floats (n,), as bits; 0 for none.

    Eight at a time: numbers of 32 bits with a sign, which magnitudes never have, stay such.
    """
    signed, most = words.view(np.int32), np.int32(0)
    for place in range(len(signed)):
        found = np.int32(signed[place] & _MAGNITUDE)
        most = found if found > most else most
    return int(most)


@compiled
def magnitude_each(words: Words, offsets: NDArray[np.int64]) -> NDArray[np.uint32]:
    """(C,) `magnitude` of each update, whose rows (N, D) are those from offsets[c] to offsets[c + 1]."""
    most = np.empty(len(offsets) - 1, np.uint32)
    for update in range(len(most)):
        most[update] = magnitude(words[offsets[update] : offsets[update + 1]].reshape(-1))
    return most


@compiled
def marked_rows(words: Words) -> NDArray[np.int32]:
    """The rows of floats (I, D) that are not all zero, increasing: (n,)."""
    found = np.empty(len(words), np.int32)
    count = 0
    for row in range(len(words)):
        most = np.uint32(0)
        for column in range(words.shape[1]):
            most |= words[row, column] & _NO_SIGN
        if most:
            found[count] = row
            count += 1
    return found[:count].copy()
