"""A table of small signed integers as bytes, every bit at the chance learned so far in its context.

An integer is a zero flag, a sign, and the rest in unary, beyond `UNARY` in Exp-Golomb. A chance is the
mean of a quick and a slow estimate. Contexts follow the magnitudes so far in the integer's row and
recently in its column: rows of popular items are busy, rows of rare ones are not.

n rows, D width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import ranging
from fedras_ray.kernels.compiling import compiled, inlined
from fedras_ray.kernels.ranging import EVENLY, Events, Octets, Words

Steps = NDArray[np.int32]  # (n, D)
Numbers = NDArray[np.int64]

BUSY = 16  # contexts for how busy a row is
KINDS = 3  # and for its column: less busy than most, as busy, busier
UNARY = 14  # magnitudes up to here have bits of their own
PREFIX = 24  # longest Exp-Golomb prefix
LARGEST = (1 << PREFIX) - 1

QUICK, SLOW = 4, 7  # a chance moves by 2**-QUICK and 2**-SLOW of the way for every bit
CERTAIN = 32  # no chance is nearer to 0 or 1 than this, over 2**16
SEEN = 64  # magnitudes beyond count as this one in the contexts
ALL, ROW, TOTAL = 0, 1, 2  # magnitudes: a mean over everything, over recent rows, the sum in this row


@compiled
def encode(steps: Steps) -> Octets:
    """(n, D) integers of magnitude up to `LARGEST` into bytes; about 20 ns for each."""
    rows, width = steps.shape
    events = np.empty(_event_count(steps), np.uint32)
    count = 0
    chances, means, columns = _chances(), np.zeros(3, np.int64), np.zeros(width, np.int64)
    for row in range(rows):
        for column in range(width):
            busy, kind = _busy(means, column), _kind(means, columns, column)
            count = _put(events, count, chances, busy, kind, int(steps[row, column]))
            _follow(means, columns, column, abs(int(steps[row, column])))
        _end_row(means, width)
    return ranging.write(events[:count])


@compiled
def decode(octets: Octets, rows: int, width: int) -> tuple[Steps, bool]:
    """The integers (n, D) of `encode`, and whether these are as many bytes as it writes for them."""
    steps = np.zeros((rows, width), np.int32)
    chances, means, columns = _chances(), np.zeros(3, np.int64), np.zeros(width, np.int64)
    state = ranging.reader(octets)
    for row in range(rows):
        for column in range(width):
            busy, kind = _busy(means, column), _kind(means, columns, column)
            value = _take(state, octets, chances, busy, kind)
            if abs(value) > LARGEST or ranging.overrun(state, octets) > 0:
                return steps, False
            steps[row, column] = value
            _follow(means, columns, column, abs(value))
        _end_row(means, width)
    return steps, ranging.overrun(state, octets) == 0


@compiled
def _chances() -> Steps:
    """Every context's quick and slow estimate: (contexts, 2)."""
    return np.full((BUSY * (KINDS + UNARY), 2), EVENLY, np.int32)


@compiled
def _event_count(steps: Steps) -> int:
    """How many bits there are to write, at most."""
    count = steps.size
    for value in steps.flat:
        if value:
            count += 2 + min(abs(int(value)), UNARY)
            over = abs(int(value)) - UNARY
            while over > 0:
                over >>= 1
                count += 2
    return count


@inlined
def _busy(means: Numbers, column: int) -> int:
    """The row's context, from its mean magnitude so far: 0 … BUSY - 1, roughly logarithmic."""
    mean = (64 * means[TOTAL] + 2 * means[ROW]) // (column + 2)  # in 64ths
    bucket, edge = mean >> 2, 11
    if mean >= 8:
        bucket = 2
        while mean >= edge and bucket < BUSY - 1:
            bucket += 1
            edge += edge // 3 if edge < 64 else edge // 2
    return int(bucket)


@inlined
def _kind(means: Numbers, columns: Numbers, column: int) -> int:
    """The column's context."""
    busier = 3 * columns[column] > 4 * means[ALL]
    return 2 if busier else (0 if 4 * columns[column] < 3 * means[ALL] else 1)


@inlined
def _follow(means: Numbers, columns: Numbers, column: int, magnitude: int) -> None:
    seen = min(magnitude, SEEN)
    means[TOTAL] += seen
    columns[column] += (1024 * seen - columns[column]) >> 5
    means[ALL] += (1024 * seen - means[ALL]) >> 9


@inlined
def _end_row(means: Numbers, width: int) -> None:
    means[ROW] += (64 * means[TOTAL] // width - means[ROW]) >> 3
    means[TOTAL] = 0


@inlined
def _chance(chances: Steps, context: int) -> int:
    mean = (chances[context, 0] + chances[context, 1]) >> 1
    return int(min(max(mean, CERTAIN), (1 << 16) - CERTAIN))


@inlined
def _learn(chances: Steps, context: int, bit: bool) -> None:
    target = 0 if bit else 1 << 16
    chances[context, 0] += (target - chances[context, 0]) >> QUICK
    chances[context, 1] += (target - chances[context, 1]) >> SLOW


@inlined
def _put_bit(events: Events, count: int, chances: Steps, context: int, bit: bool) -> int:
    events[count] = ranging.event(_chance(chances, context), bit)
    _learn(chances, context, bit)
    return count + 1


@inlined
def _take_bit(state: Words, octets: Octets, chances: Steps, context: int) -> bool:
    bit = ranging.read(state, octets, _chance(chances, context))
    _learn(chances, context, bit)
    return bit


@inlined
def _put(events: Events, count: int, chances: Steps, busy: int, kind: int, value: int) -> int:
    """The events of one integer; returns how many there are now."""
    count = _put_bit(events, count, chances, busy * KINDS + kind, value != 0)
    if value != 0:
        events[count] = ranging.event(EVENLY, value < 0)
        count += 1
        rest = abs(value) - 1
        unary = BUSY * KINDS + busy * UNARY
        for level in range(min(rest, UNARY)):
            count = _put_bit(events, count, chances, unary + level, True)
        if rest < UNARY:
            count = _put_bit(events, count, chances, unary + rest, False)
        else:
            count = _put_escape(events, count, rest - UNARY + 1)
    return count


@compiled
def _put_escape(events: Events, count: int, over: int) -> int:
    """Exp-Golomb of a positive integer."""
    length = 0
    while over >> (length + 1):
        length += 1
        events[count] = ranging.event(EVENLY, True)
        count += 1
    events[count] = ranging.event(EVENLY, False)
    count += 1
    for level in range(length - 1, -1, -1):
        events[count] = ranging.event(EVENLY, (over >> level) & 1 == 1)
        count += 1
    return count


@inlined
def _take(state: Words, octets: Octets, chances: Steps, busy: int, kind: int) -> int:
    """An integer; one beyond `LARGEST` where no encoder writes such bits."""
    value = 0
    if _take_bit(state, octets, chances, busy * KINDS + kind):
        negative = ranging.read(state, octets, EVENLY)
        level = 0
        while level < UNARY and _take_bit(state, octets, chances, BUSY * KINDS + busy * UNARY + level):
            level += 1
        value = level + 1 if level < UNARY else UNARY + _take_escape(state, octets)
        if negative:
            value = -value
    return value


@compiled
def _take_escape(state: Words, octets: Octets) -> int:
    length = 0
    while length <= PREFIX and ranging.read(state, octets, EVENLY):
        length += 1
    over = 1
    for _ in range(length):
        over = over << 1 | (1 if ranging.read(state, octets, EVENLY) else 0)
    return over
