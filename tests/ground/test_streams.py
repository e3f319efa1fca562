"""Randomness is addressed: who else draws, and when, changes nothing."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.random import PCG64, SeedSequence

from fedras_ray.streams import Purpose, stream

PINNED = {
    "SYNTHETIC": 0,
    "SPLIT": 1,
    "ITEM_TABLE": 2,
    "PRIVATE_STATE": 3,
    "FLEET": 4,
    "SELECTION": 5,
    "LOCAL_SAMPLING": 6,
    "ENCODING": 7,
    "EVALUATION_NEGATIVES": 8,
    "DOWNLINK": 9,
    "BOOTSTRAP": 10,
    "LANES": 11,
    "DITHER": 12,
    "EVALUATION_USERS": 13,
    "PRIVACY": 14,
    "LINK": 50,
    "AVAILABILITY": 51,
    "DROPOUT": 52,
    "LOSS": 53,
    "FLIP": 54,
    "DUPLICATE": 55,
    "REORDER": 56,
    "POISON": 57,
}

SMALL = st.integers(0, 3)
ADDRESSES = st.tuples(
    SMALL, st.sampled_from(Purpose), SMALL | st.integers(0, 2**31), SMALL | st.integers(0, 2**31)
)


def draws(address, count=4):
    return stream(*address).bit_generator.random_raw(count).tolist()


def test_the_numbers_of_purposes_are_append_only():
    numbers = {purpose.name: int(purpose) for purpose in Purpose}
    assert numbers | PINNED == numbers
    assert len(numbers) == len(Purpose.__members__)  # no number has two names


@given(ADDRESSES, ADDRESSES)
def test_different_addresses_give_different_draws(one, other):
    assume(one != other)
    assert draws(one) != draws(other)


@given(ADDRESSES, st.lists(ADDRESSES, max_size=4))
def test_the_same_address_gives_the_same_draws_whatever_was_drawn_elsewhere(address, others):
    first = draws(address)
    for other in others:
        stream(*other).standard_normal(7)
    kept = stream(*address)
    interleaved = []
    for other in [*others, *others, address, address][:4]:
        interleaved += kept.bit_generator.random_raw(1).tolist()
        draws(other)
    assert interleaved == first[: len(interleaved)]


def test_an_address_is_the_spawn_key_of_purpose_client_and_turn():
    """Published results hang on this formula, so it is written out once more."""
    expected = PCG64(SeedSequence(7, spawn_key=(6, 41, 3))).random_raw(5)
    np.testing.assert_array_equal(draws((7, Purpose.LOCAL_SAMPLING, 41, 3), 5), expected)


def test_client_and_turn_are_zero_where_they_are_left_out():
    assert draws((5, Purpose.FLEET)) == draws((5, Purpose.FLEET, 0, 0))
