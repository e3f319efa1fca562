"""The cost model against the paper's own figures and its formula."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.secure_aggregation import KEY_BITS, SHARE_BITS, sum_bits, user_bytes

USERS, ENTRIES, BITS = st.integers(2, 2**14), st.integers(1, 2**24), st.integers(1, 32)


@pytest.mark.parametrize(("users", "entries", "stated"), [(2**10, 2**20, "1.73"), (2**14, 2**24, "1.98")])
def test_the_expansion_is_that_of_the_abstract(users, entries, stated):
    """Bonawitz et al. 2017, for entries of 16 bits, against sending the vector in the clear."""
    assert f"{user_bytes(users, entries, 16).total / (2 * entries):.2f}" == stated


@given(USERS, ENTRIES, BITS)
def test_the_parts_come_to_the_formula(users, entries, bits):
    cost = user_bytes(users, entries, bits)
    formula = 2 * users * KEY_BITS + (5 * users - 4) * SHARE_BITS + entries * sum_bits(users, bits)
    assert cost.total == cost.up + cost.down == sum(cost) == math.ceil(formula / 8)


@given(USERS, BITS)
def test_a_sum_of_all_users_fits_and_one_bit_less_would_not_do(users, bits):
    most = users * (2**bits - 1)
    assert 2 ** (sum_bits(users, bits) - 1) <= most < 2 ** sum_bits(users, bits)


@pytest.mark.parametrize("arguments", [(1, 10, 16), (2, 0, 16), (2, 10, 0)])
def test_what_cannot_be_is_refused(arguments):
    with pytest.raises(ValueError, match="2 users or more"):
        user_bytes(*arguments)
