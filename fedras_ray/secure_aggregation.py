"""What secure aggregation would add: a model of its bytes, beside all counted bytes and in none of them.

K. Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017,
doi:10.1145/3133956.3133982. Nothing is encrypted here. The formula is derived from the rounds of the protocol
with honest clients, and gives the expansions that its abstract states: 1.73 for 2^10 users and 2^20 entries
of 16 bits, 1.98 for 2^14 users and 2^24 entries (the tests compare). One user among n:

    keys       two public keys up, those of the n - 1 others down
    shares     for each other user a share of the mask's seed and one of the key, up; as many from them, down
    vector     m entries of ⌈log2 R⌉ bits up, with R = n · (2^b - 1) + 1: the sum of n entries of b bits fits
    unmasking  one share of each of the n users up

together 2n · key + (5n - 4) · share + m · ⌈log2 R⌉ bits. Ciphertexts count as what they carry; signatures (of
the protocol against a malicious server) and lists of who is still there are left out.
"""

from __future__ import annotations

from typing import NamedTuple

KEY_BITS = 256  # a point of an elliptic curve
SHARE_BITS = 256  # of a secret as long as a key


class UserBytes(NamedTuple):
    """Of one user in one round, rounded up to whole bytes."""

    keys_up: int
    shares_up: int
    vector_up: int
    unmasking_up: int
    keys_down: int
    shares_down: int

    @property
    def up(self) -> int:
        return self.keys_up + self.shares_up + self.vector_up + self.unmasking_up

    @property
    def down(self) -> int:
        return self.keys_down + self.shares_down

    @property
    def total(self) -> int:
        return self.up + self.down


def user_bytes(users: int, entries: int, entry_bits: int) -> UserBytes:
    """What one user sends and receives beside the model.

    Args:
        users: n in the round, at least 2: the sum of one hides nothing.
        entries: m of the vector that is summed, the same for all.
        entry_bits: b of an entry, a whole number from 0 to 2^b - 1.

    Raises:
        ValueError: an argument is out of range.
    """
    if users < 2 or entries < 1 or entry_bits < 1:
        raise ValueError("secure aggregation needs 2 users or more, and entries and entry_bits of at least 1")
    others = users - 1
    return UserBytes(
        keys_up=_bytes(2 * KEY_BITS),
        shares_up=_bytes(2 * others * SHARE_BITS),
        vector_up=_bytes(entries * sum_bits(users, entry_bits)),
        unmasking_up=_bytes(users * SHARE_BITS),
        keys_down=_bytes(2 * others * KEY_BITS),
        shares_down=_bytes(2 * others * SHARE_BITS),
    )


def sum_bits(users: int, entry_bits: int) -> int:
    """⌈log2 R⌉: of an entry that holds the sum of all users' entries."""
    return (users * ((1 << entry_bits) - 1)).bit_length()


def _bytes(bits: int) -> int:
    return -(-bits // 8)
