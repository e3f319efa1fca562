"""Blobs of many updates in one buffer, one after the other: what is written, sent, and read together.

C blobs. Whoever wants one by itself gets it as bytes; so a codec from outside may return a list in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Blobs(Sequence[bytes]):
    """See the module."""

    octets: NDArray[np.uint8]  # of all of them
    starts: NDArray[np.int64]  # (C + 1,) where each begins, and the last one ends

    @classmethod
    def of(cls, blobs: Sequence[bytes]) -> Blobs:
        """These: themselves, or a copy of all of them in one buffer."""
        if isinstance(blobs, Blobs):
            return blobs
        return cls(np.frombuffer(b"".join(blobs), np.uint8), np.cumsum([0, *map(len, blobs)]))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(C,) bytes of each."""
        return np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @overload
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        each = range(len(self))[place]  # raises IndexError, which ends a loop
        return self.octets[self.starts[each] : self.starts[each + 1]].tobytes()


def lengths(blobs: Sequence[bytes]) -> NDArray[np.int64]:
    """(C,) bytes of each blob."""
    return blobs.lengths if isinstance(blobs, Blobs) else np.fromiter(map(len, blobs), np.int64, len(blobs))
