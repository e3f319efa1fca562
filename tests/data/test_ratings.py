"""The digest of content: the same ratings, the same digest, whatever the file."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.data.ratings import RawRatings, content_digest, number


def raw(users, items, ratings, timestamps):
    user_numbers, user_names = number(np.asarray(users))
    item_numbers, item_names = number(np.asarray(items))
    return RawRatings(
        user_numbers,
        item_numbers,
        user_names,
        item_names,
        np.asarray(ratings, dtype=float),
        np.asarray(timestamps),
    )


LINES = st.lists(st.tuples(*[st.integers(0, 20)] * 4), min_size=1, max_size=20)


@given(LINES, st.randoms(use_true_random=False))
def test_order_and_number_format_do_not_matter(lines, chance):
    shuffled = lines[:]
    chance.shuffle(shuffled)
    one = raw(*zip(*lines, strict=True))
    users, items, ratings, times = zip(*shuffled, strict=True)
    other = raw([str(user) for user in users], items, ratings, np.asarray(times, dtype=float))
    assert content_digest(one) == content_digest(other)


@given(LINES, st.integers(0, 3))
def test_any_change_matters(lines, column):
    changed = [list(line) for line in lines]
    changed[0][column] += 1
    same = sorted(map(tuple, changed)) == sorted(lines)
    digests = [content_digest(raw(*zip(*some, strict=True))) for some in (lines, changed)]
    assert (digests[0] == digests[1]) == same


def test_numbers_follow_the_sorted_names():
    numbers, names = number(np.array([10, 9, 10, 100]))
    assert names.tolist() == [9, 10, 100]
    assert numbers.tolist() == [1, 0, 1, 2]
