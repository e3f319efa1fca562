"""Uniform draws from many addressed streams at once, bit for bit those of NumPy.

A stream is ``Generator(PCG64(SeedSequence(seed, spawn_key=address)))``, and what is drawn from it is
``integers(0, bound, size=count)``: O'Neill's seeding of NumPy's `SeedSequence`, the generator PCG-XSL-RR
128/64 (M. E. O'Neill, "PCG: a family of simple fast space-efficient statistically good algorithms for
random number generation", 2014, https://www.pcg-random.org), and integers below a bound by multiplication
(D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29, 2019, doi:10.1145/3230636).
NumPy fixes all three for ever (NEP 19); to make its objects takes longer than to draw from them.

C streams, M draws of all of them.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from fedras_ray.kernels.compiling import exact

Words = NDArray[np.uint32]
Numbers = NDArray[np.int64]

POOL = 4  # words of a SeedSequence's pool
_INIT_A, _MULTIPLIER_A = np.uint32(0x43B0D7E5), np.uint32(0x931E8875)
_INIT_B, _MULTIPLIER_B = np.uint32(0x8B51F9DD), np.uint32(0x58F38DED)
_MIX_LEFT, _MIX_RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_SHIFT = np.uint32(16)
_LCG_HIGH, _LCG_LOW = np.uint64(0x2360ED051FC65DA4), np.uint64(0x4385DF649FCCF645)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def entropy(seed: int) -> Words:
    """A seed's words, the lowest first, with zeros up to `POOL` of them."""
    words = [seed >> 32 * place & 0xFFFFFFFF for place in range(-(-seed.bit_length() // 32))]
    return np.array(words + [0] * (POOL - len(words)), np.uint32)


@exact
def below(seed: Words, addresses: Words, bounds: Numbers, offsets: Numbers) -> Numbers:
    """(M,) draws: stream c's from offsets[c] to offsets[c + 1], each below bounds[c], below 2**32.

    Args:
        seed: as `entropy` gives it.
        addresses: (C, A) a stream's spawn key.
        bounds: (C,) 1 or more.
        offsets: (C + 1,) from 0 to M.
    """
    drawn = np.zeros(offsets[-1], np.int64)
    pool, state, seeds = np.empty(POOL, np.uint32), np.empty(4, np.uint64), np.empty(4, np.uint64)
    for client in range(len(bounds)):
        if bounds[client] > 1:  # one number below 1 takes no draw
            _mix(pool, seed, addresses[client])
            _seed(state, seeds, pool)
            _fill(drawn[offsets[client] : offsets[client + 1]], state, np.uint64(bounds[client]))
    return drawn


@exact
def _mix(pool: Words, seed: Words, address: Words) -> None:
    """The pool of ``SeedSequence(seed, spawn_key=address)``."""
    constant = _INIT_A
    for place in range(POOL):
        constant, pool[place] = _hashed(constant, seed[place])
    for source in range(POOL):
        for target in range(POOL):
            if source != target:
                constant, word = _hashed(constant, pool[source])
                pool[target] = _mixed(pool[target], word)
    for source in range(POOL, len(seed) + len(address)):
        value = seed[source] if source < len(seed) else address[source - len(seed)]
        for target in range(POOL):
            constant, word = _hashed(constant, value)
            pool[target] = _mixed(pool[target], word)


@exact
def _hashed(constant: np.uint32, value: np.uint32) -> tuple[np.uint32, np.uint32]:
    value = np.uint32(value ^ constant)
    constant = np.uint32(constant * _MULTIPLIER_A)
    value = np.uint32(value * constant)
    return constant, np.uint32(value ^ (value >> _SHIFT))


@exact
def _mixed(left: np.uint32, right: np.uint32) -> np.uint32:
    value = np.uint32(np.uint32(_MIX_LEFT * left) - np.uint32(_MIX_RIGHT * right))
    return np.uint32(value ^ (value >> _SHIFT))


@exact
def _seed(state: NDArray[np.uint64], seeds: NDArray[np.uint64], pool: Words) -> None:
    """PCG64 at its start: state is (high, low, high of the increment, low of it)."""
    constant = _INIT_B
    for place in range(8):
        value = np.uint32(pool[place % POOL] ^ constant)
        constant = np.uint32(constant * _MULTIPLIER_B)
        value = np.uint32(value * constant)
        word = np.uint64(np.uint32(value ^ (value >> _SHIFT)))
        seeds[place >> 1] = word if place % 2 == 0 else seeds[place >> 1] | word << _HALF
    one = np.uint64(1)
    state[2] = seeds[2] << one | seeds[3] >> np.uint64(63)
    state[3] = seeds[3] << one | one
    low = state[3] + seeds[1]  # 0, one step, plus the seed
    high = state[2] + seeds[0] + (one if low < seeds[1] else np.uint64(0))
    state[0], state[1] = _stepped(high, low, state[2], state[3])


@numba.njit(inline="always")
def _stepped(
    high: np.uint64, low: np.uint64, more_high: np.uint64, more_low: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """``state · multiplier + increment`` modulo 2**128."""
    a, b = low >> _HALF, low & _LOW_HALF
    c, d = _LCG_LOW >> _HALF, _LCG_LOW & _LOW_HALF
    cross = (b * d >> _HALF) + (a * d & _LOW_HALF) + b * c
    carried = a * c + (a * d >> _HALF) + (cross >> _HALF)
    new_low = low * _LCG_LOW + more_low
    new_high = carried + high * _LCG_LOW + low * _LCG_HIGH + more_high
    return new_high + (np.uint64(1) if new_low < more_low else np.uint64(0)), new_low


@exact
def _fill(drawn: Numbers, state: NDArray[np.uint64], bound: np.uint64) -> None:
    """Numbers below the bound from halves of 64-bit words, the lower half first."""
    high, low, more_high, more_low = state[0], state[1], state[2], state[3]
    threshold = (np.uint64(1) << _HALF) % bound
    word, halves = np.uint64(0), 0
    for place in range(len(drawn)):
        while True:
            if halves == 0:
                high, low = _stepped(high, low, more_high, more_low)
                turn = high >> np.uint64(58)
                mixed = high ^ low
                word = mixed >> turn | mixed << (np.uint64(64) - turn & np.uint64(63))
                halves = 2
            product = (word & _LOW_HALF) * bound
            word >>= _HALF
            halves -= 1
            if product & _LOW_HALF >= threshold:
                break
        drawn[place] = product >> _HALF
