"""A table of small signed integers as bytes, every bit at the chance learned so far in its context.

An integer is a zero flag, a sign, and the rest in unary, beyond `UNARY` in Exp-Golomb. A chance is the
mean of a quick and a slow estimate. Contexts follow the magnitudes so far in the integer's row and
recently in its column: rows of popular items are busy, rows of rare ones are not.

n rows, D width, up to 2**16.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels import ranging
from fedras_ray.kernels.compiling import compiled, inlined
from fedras_ray.kernels.ranging import EVENLY, Octets, Writer

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

_MOST_BYTES = ranging.MOST_BYTES * (2 + UNARY + 2 * 32)  # that one integer takes, of whatever an int32 holds
_SHIFT: Final = 48  # of inverses


def _bucket(mean: int) -> int:
    """How busy a row is whose mean magnitude is `mean` 64ths: 0 … BUSY - 1, roughly logarithmic."""
    bucket, edge = min(mean >> 2, 2), 11
    while mean >= edge and bucket < BUSY - 1:
        bucket += 1
        edge += edge // 3 if edge < 64 else edge // 2
    return bucket


_BUCKETS: Final = np.array([_bucket(mean) for mean in range(SEEN * 64 + 1)])


@compiled
def encode(steps: Steps) -> Octets:
    """(n, D) integers of magnitude up to `LARGEST` into bytes."""
    rows, width = steps.shape
    octets = np.empty(ranging.TAIL + _MOST_BYTES * width + steps.size // 2, np.uint8)
    chances = np.full((BUSY * (KINDS + UNARY), 2), EVENLY, np.int32)  # each context's quick and slow estimate
    columns, inverses = np.zeros(width, np.int64), _inverses(width)
    everything = recent = 0  # magnitudes in 1024ths: a mean over all; in 64ths: over recent rows
    low, span, place = ranging.writer()
    for row in range(rows):
        if place + ranging.TAIL + _MOST_BYTES * width > len(octets):
            octets = _longer(octets, place)
        total = 0
        for column in range(width):
            place_of = np.uintp(column)  # unsigned: no look whether it counts from the end
            busy, kept = _busy(total, recent, inverses[place_of]), columns[place_of]
            context = busy * KINDS + _kind(kept, everything)
            value = int(steps[np.uintp(row), place_of])
            if value == 0:
                low, span, place = _put_bit(octets, low, span, place, chances, context, False)
                columns[place_of] = _followed(kept, 0, 5)
                everything = _followed(everything, 0, 9)
            else:
                low, span, place = _put(octets, low, span, place, chances, busy, context, value)
                seen = min(abs(value), SEEN)
                total += seen
                columns[place_of] = _followed(kept, seen, 5)
                everything = _followed(everything, seen, 9)
        recent += (64 * total // width - recent) >> 3
    return octets[: ranging.close(octets, low, place)].copy()


@compiled
def decode(octets: Octets, rows: int, width: int) -> tuple[Steps, bool]:
    """The integers (n, D) of `encode`, and whether these are as many bytes as it writes for them."""
    steps = np.zeros((rows, width), np.int32)
    chances, columns, inverses = _chances(), np.zeros(width, np.int64), _inverses(width)
    everything = recent = 0
    code, span, place = ranging.reader(octets)
    for row in range(rows):
        total = 0
        for column in range(width):
            mean = columns[column]
            busy, kind = _busy(total, recent, inverses[column]), _kind(mean, everything)
            code, span, place, value = _take(octets, code, span, place, chances, busy, kind)
            if abs(value) > LARGEST or place > len(octets):
                return steps, False
            steps[row, column] = value
            seen = min(abs(value), SEEN)
            total += seen
            columns[column] = _followed(mean, seen, 5)
            everything = _followed(everything, seen, 9)
        recent += (64 * total // width - recent) >> 3
    return steps, place == len(octets)


@compiled
def _chances() -> Steps:
    """Every context's quick and slow estimate: (contexts, 2)."""
    return np.full((BUSY * (KINDS + UNARY), 2), EVENLY, np.int32)


@compiled
def _inverses(width: int) -> Numbers:
    """What to multiply by, to divide by column + 2: (D,).

    In a column a dividend is at most 4,096 · (column + 2), and no error is as large as 2**-_SHIFT of it times
    the divisor: below the distance to the next whole number, as long as D is at most 2**16.
    """
    inverses = np.empty(width, np.int64)
    for column in range(width):
        inverses[column] = (1 << _SHIFT) // (column + 2) + 1
    return inverses


@compiled
def _longer(octets: Octets, length: int) -> Octets:
    """The first bytes, with twice the room."""
    longer = np.empty(2 * len(octets), np.uint8)
    longer[:length] = octets[:length]
    return longer


@inlined
def _busy(total: int, recent: int, inverse: int) -> int:
    """The row's context, from its magnitudes so far, and those of recent rows."""
    return int(_BUCKETS[np.uintp((64 * total + 2 * recent) * inverse >> _SHIFT)])


@inlined
def _kind(mean: int, everything: int) -> int:
    """The column's context."""
    return 1 + int(3 * mean > 4 * everything) - int(4 * mean < 3 * everything)


@inlined
def _chance(quick: int, slow: int) -> int:
    return int(min(max((quick + slow) >> 1, CERTAIN), (1 << 16) - CERTAIN))


@inlined
def _followed(mean: int, seen: int, rate: int) -> int:
    return mean + ((1024 * seen - mean) >> rate)


@inlined
def _learned(chances: Steps, context: int, bit: bool) -> int:
    """The chance that a bit is zero, which learns from it."""
    known = np.uintp(context)
    quick, slow = chances[known, np.uintp(0)], chances[known, np.uintp(1)]
    chance = _chance(quick, slow)
    if bit:
        chances[known, np.uintp(0)] = quick + ((0 - quick) >> QUICK)
        chances[known, np.uintp(1)] = slow + ((0 - slow) >> SLOW)
    else:
        chances[known, np.uintp(0)] = quick + (((1 << 16) - quick) >> QUICK)
        chances[known, np.uintp(1)] = slow + (((1 << 16) - slow) >> SLOW)
    return chance


@inlined
def _put_bit(
    octets: Octets, low: np.uint64, span: np.uint64, place: int, chances: Steps, context: int, bit: bool
) -> Writer:
    return ranging.write(octets, low, span, place, _learned(chances, context, bit), bit)


@inlined
def _put(
    octets: Octets,
    low: np.uint64,
    span: np.uint64,
    place: int,
    chances: Steps,
    busy: int,
    context: int,
    value: int,
) -> Writer:
    """An integer that is not zero."""
    low, span, place = _put_bit(octets, low, span, place, chances, context, True)
    low, span, place = ranging.write(octets, low, span, place, EVENLY, value < 0)
    rest, unary = abs(value) - 1, BUSY * KINDS + busy * UNARY
    for level in range(min(rest, UNARY)):
        low, span, place = _put_bit(octets, low, span, place, chances, unary + level, True)
    if rest < UNARY:
        return _put_bit(octets, low, span, place, chances, unary + rest, False)
    return _put_escape(octets, low, span, place, rest - UNARY + 1)


@inlined
def _put_escape(octets: Octets, low: np.uint64, span: np.uint64, place: int, over: int) -> Writer:
    """Exp-Golomb of a positive integer."""
    length = 0
    while over >> (length + 1):
        length += 1
        low, span, place = ranging.write(octets, low, span, place, EVENLY, True)
    low, span, place = ranging.write(octets, low, span, place, EVENLY, False)
    for level in range(length - 1, -1, -1):
        low, span, place = ranging.write(octets, low, span, place, EVENLY, (over >> level) & 1 == 1)
    return low, span, place


@inlined
def _take_bit(
    octets: Octets, code: np.uint64, span: np.uint64, place: int, chances: Steps, context: int
) -> tuple[np.uint64, np.uint64, int, bool]:
    chance = _chance(chances[context, 0], chances[context, 1])
    code, span, place, bit = ranging.read(octets, code, span, place, chance)
    _learned(chances, context, bit)
    return code, span, place, bit


@inlined
def _take(
    octets: Octets, code: np.uint64, span: np.uint64, place: int, chances: Steps, busy: int, kind: int
) -> tuple[np.uint64, np.uint64, int, int]:
    """An integer; one beyond `LARGEST` where no encoder writes such bits."""
    value = 0
    code, span, place, more = _take_bit(octets, code, span, place, chances, busy * KINDS + kind)
    if more:
        code, span, place, negative = ranging.read(octets, code, span, place, EVENLY)
        unary = BUSY * KINDS + busy * UNARY
        while more and value < UNARY:
            code, span, place, more = _take_bit(octets, code, span, place, chances, unary + value)
            value += 1
        if more:
            code, span, place, over = _take_escape(octets, code, span, place)
            value += over
        if negative:
            value = -value
    return code, span, place, value


@inlined
def _take_escape(
    octets: Octets, code: np.uint64, span: np.uint64, place: int
) -> tuple[np.uint64, np.uint64, int, int]:
    length, over, more = 0, 1, True
    while more and length <= PREFIX:
        code, span, place, more = ranging.read(octets, code, span, place, EVENLY)
        length += 1 if more else 0
    for _ in range(length):
        code, span, place, bit = ranging.read(octets, code, span, place, EVENLY)
        over = over << 1 | (1 if bit else 0)
    return code, span, place, over
