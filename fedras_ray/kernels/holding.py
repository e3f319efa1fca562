"""Which state of which rows somebody holds: ids that increase, and a state each.

m rows that are held, n that are asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import compiled

Ids = NDArray[np.int32]
States = NDArray[np.int32]


@compiled
def states_of(ids: Ids, states: States, rows: Ids) -> States:
    """(n,) the state of each of some rows (increasing); 0 of one that is not held."""
    found, place = np.zeros(len(rows), np.int32), 0
    for number in range(len(rows)):
        while place < len(ids) and ids[place] < rows[number]:
            place += 1
        if place < len(ids) and ids[place] == rows[number]:
            found[number] = states[place]
    return found


@compiled
def renewed(ids: Ids, states: States, rows: Ids, state: int) -> tuple[Ids, States]:
    """What is held once some rows (increasing) are held in this state."""
    most = len(ids) + len(rows)
    all_ids, all_states = np.empty(most, np.int32), np.empty(most, np.int32)
    count = place = number = 0
    while place < len(ids) or number < len(rows):
        is_new = number < len(rows) and (place == len(ids) or rows[number] <= ids[place])
        is_held = place < len(ids) and (number == len(rows) or ids[place] <= rows[number])
        all_ids[count] = rows[number] if is_new else ids[place]
        all_states[count] = state if is_new else states[place]
        place, number, count = place + is_held, number + is_new, count + 1
    return all_ids[:count].copy(), all_states[:count].copy()
