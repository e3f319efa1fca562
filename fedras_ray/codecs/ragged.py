"""Updates of many clients as ragged arrays: what a codec is given that has machine code for a whole batch.

C clients, N rows of all of them together, D width. Clients lie one after the other; the rows of client c are
those from offsets[c] to offsets[c + 1]. A codec without `encode_ragged` gets the same updates one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeGuard, overload, runtime_checkable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.codecs.base import Codec, ItemUpdate, Outgoing, encode_all
from fedras_ray.config import codecs as configs
from fedras_ray.errors import CodecError
from fedras_ray.factors import Factors, written_out
from fedras_ray.kernels import marking, measuring, picking, tables

MOST_TOGETHER = 256  # actions of an update; K · D floats are held for each update of a batch


class RaggedOutgoing(NamedTuple):
    """What `Outgoing` says of one update, of a batch of them."""

    offsets: NDArray[np.int64]  # (C + 1,)
    item_ids: NDArray[np.int32]  # (N,) strictly increasing within a client
    given: NDArray[np.float32] | Factors  # (N, D), as their maker has them
    item_count: int  # I
    stream_of: Callable[[int], Generator]  # by the place in the batch
    budgets_bytes: Sequence[int | None]
    versions: Sequence[int]
    actions: Sequence[int | None]

    @property
    def rows(self) -> NDArray[np.float32]:
        """(N, D) written out."""
        return written_out(self.given)

    @property
    def width(self) -> int:
        return self.given.width if isinstance(self.given, Factors) else int(self.given.shape[1])

    @property
    def counts(self) -> NDArray[np.int64]:
        """(C,) rows of each."""
        return np.diff(self.offsets)

    def split(self) -> list[Outgoing]:
        """One by one."""
        bounds, rows = self.offsets.tolist(), self.rows
        return [
            Outgoing(
                ItemUpdate(self.item_ids[first:last], rows[first:last], self.item_count),
                partial(self.stream_of, place),
                self.budgets_bytes[place],
                self.versions[place],
                self.actions[place],
            )
            for place, (first, last) in enumerate(pairwise(bounds))
        ]

    def common_actions(self, count: configs.ActionCount) -> int | None:
        """The K that all of them are to be sent with; None where it differs, adapts or is large."""
        ordered = set(self.actions)
        if ordered == {None} and isinstance(count, configs.FixedActions):
            ordered = {count.count}
        (k,) = ordered if len(ordered) == 1 else (None,)
        return k if k is not None and 1 <= k <= MOST_TOGETHER else None


@dataclass(frozen=True, slots=True, eq=False)
class RaggedUpdates(Sequence[ItemUpdate]):
    """C updates that were decoded together, in one array; each is an `ItemUpdate` when it is asked for.

    Where rows are codewords, they stay that until then: there are far fewer.
    """

    offsets: NDArray[np.int64]  # (C + 1,)
    item_ids: NDArray[np.int32]  # (N,) strictly increasing within an update, below item_count
    words: NDArray[np.float32]  # (N, D) the rows; or (B, D) what they are taken from
    item_count: int  # I
    actions: NDArray[np.int64]  # (C,) codebook sizes
    taken: NDArray[np.int32] | None = None  # (N,) which word each row is; None: they are the rows
    looked_at: bool = False  # for values that are not finite, and there are none

    def __post_init__(self) -> None:
        if not marking.increasing_each(self.item_ids, self.offsets, self.item_count):
            raise CodecError(f"item ids must increase strictly within 0 … {self.item_count - 1}")

    @classmethod
    def picked(cls, some: Sequence[tuple[RaggedUpdates, NDArray[np.int64]]]) -> RaggedUpdates:
        """Those at some places (p,) of these, one after the other: of one table, as codewords."""
        parts = [picking.picked(one.item_ids, one.words, one.which, one.offsets, at) for one, at in some]
        ids, words, which, offsets = zip(*parts, strict=True)
        words_before = np.cumsum([0, *map(len, words)]).tolist()
        rows_before = np.cumsum([0, *map(len, ids)]).tolist()
        return cls(
            np.concatenate(
                [[0], *(each[1:] + first for each, first in zip(offsets, rows_before[:-1], strict=True))]
            ),
            np.concatenate(ids),
            np.concatenate(words),
            some[0][0].item_count,
            np.concatenate([one.actions[at] for one, at in some]),
            np.concatenate(
                [each + first for each, first in zip(which, words_before[:-1], strict=True)], dtype=np.int32
            ),
        )

    @property
    def width(self) -> int:
        return int(self.words.shape[1])

    @property
    def which(self) -> NDArray[np.int32]:
        """(N,) the word that each row is."""
        return np.arange(len(self.words), dtype=np.int32) if self.taken is None else self.taken

    @property
    def held(self) -> int:
        """Numbers that are in memory."""
        return self.words.size + (0 if self.taken is None else self.taken.size)

    def is_finite(self) -> bool:
        """Whether all values of all of them are."""
        words = self.words.reshape(-1).view(np.uint32)
        return self.looked_at or tables.magnitude(words) < tables.INFINITE

    def norms(self) -> NDArray[np.float64]:
        """(C,) the Euclidean norm of each; not finite where a value is not."""
        if self.taken is None:
            return measuring.length_each(self.words, self.offsets)
        return measuring.length_taken_each(self.words, self.taken, self.offsets)

    def __len__(self) -> int:
        return len(self.actions)

    @overload
    def __getitem__(self, place: int) -> ItemUpdate: ...

    @overload
    def __getitem__(self, place: slice) -> list[ItemUpdate]: ...

    def __getitem__(self, place: int | slice) -> ItemUpdate | list[ItemUpdate]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        actions = int(self.actions[place])  # raises IndexError, which ends a loop
        mine = slice(*self.offsets[place % len(self) :][:2])
        rows = self.words[mine] if self.taken is None else self.words[self.taken[mine]]
        return ItemUpdate(self.item_ids[mine], rows, self.item_count, actions)


@runtime_checkable
class RaggedCodec(Codec, Protocol):
    """A codec that is quicker over many at once.

    Its blobs are those of `encode` byte for byte, and its updates those of `decode` bit for bit.
    """

    def encode_ragged(self, outgoing: RaggedOutgoing) -> Sequence[bytes] | None:
        """One blob per update, in order, each of them as if it were alone.

        None: these are quicker one by one, or they would not be.
        """
        ...

    def decode_ragged(self, blobs: Sequence[bytes]) -> RaggedUpdates | None:
        """The update in each blob, in order.

        None: these cannot be read together, or `decode` refuses one of them.
        """
        ...


def encode_each(
    codec: Codec, outgoing: RaggedOutgoing, bounds: Callable[[], Sequence[int]] | None = None
) -> Sequence[bytes]:
    """Encode many updates, together where the codec can: a `Blobs` or a list.

    Args:
        codec: encodes.
        outgoing: the updates.
        bounds: says where those begin and end that may share a batch of `encode_cohort`; None: all may.
    """
    together = codec.encode_ragged(outgoing) if _is_ragged(codec) else None
    if together is not None:
        return together
    each = outgoing.split()
    parts = pairwise([0, len(each)] if bounds is None else bounds())
    return [blob for begin, end in parts for blob in encode_all(codec, each[begin:end])]


def decode_each(codec: Codec, blobs: Sequence[bytes]) -> Sequence[ItemUpdate]:
    """Decode many blobs, together where the codec can.

    Raises:
        CodecError: as `decode` of the first blob that it refuses.
    """
    together = codec.decode_ragged(blobs) if _is_ragged(codec) else None
    return [codec.decode(blob) for blob in blobs] if together is None else together


def _is_ragged(codec: Codec) -> TypeGuard[RaggedCodec]:
    return _has_both(type(codec))


@cache
def _has_both(kind: type[Codec]) -> bool:
    """Looked up once: that a class follows a protocol takes as long to say as some updates to code."""
    return issubclass(kind, RaggedCodec)
