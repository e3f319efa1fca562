"""Some of many updates, moved together.

C updates of N rows, B words, D width; p of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Ids = NDArray[np.int32]
Rows = NDArray[np.float32]
Numbers = NDArray[np.int64]


@compiled
def picked(
    items: Ids, words: Rows, taken: Ids, offsets: Numbers, places: Numbers
) -> tuple[Ids, Rows, Ids, Numbers]:
    """Updates at some places, of rows words[taken], with no word that is between none of theirs.

    Args:
        items: (N,)
        words: (B, D)
        taken: (N,)
        offsets: (C + 1,) the rows of update c are those from offsets[c] to offsets[c + 1].
        places: (p,)

    Returns:
        As `items`, `words`, `taken` and `offsets` of these alone.
    """
    until, firsts, counts = np.zeros(len(places) + 1, np.int64), np.zeros(len(places), np.int64), 0
    lasts = np.zeros(len(places), np.int64)
    for number, place in enumerate(places):
        mine = taken[offsets[place] : offsets[place + 1]]
        until[number + 1] = until[number] + len(mine)
        if len(mine):
            firsts[number], lasts[number] = mine.min(), mine.max() + 1
            counts += lasts[number] - firsts[number]
    ids, which = np.empty(until[-1], np.int32), np.empty(until[-1], np.int32)
    theirs, begin = np.empty((counts, words.shape[1]), np.float32), 0
    for number, place in enumerate(places):
        rows = slice(offsets[place], offsets[place + 1])
        ids[until[number] : until[number + 1]] = items[rows]
        which[until[number] : until[number + 1]] = taken[rows] - firsts[number] + begin
        end = begin + lasts[number] - firsts[number]
        theirs[begin:end] = words[firsts[number] : lasts[number]]
        begin = end
    return ids, theirs, which, until
