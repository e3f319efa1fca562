"""The contract of a codec: an update into bytes, bytes into an update.

I items in the catalogue, n rows touched by this client, D width.

Laws, which the contract tests hold every codec to:

* what is sent is ``bytes`` and its size is ``len(blob)``; nothing is estimated;
* decoding needs the blob alone, and the server works with what it decoded;
* truncated, foreign or flipped bytes raise `CodecError` and nothing else;
* encoding the same update with the same stream gives the same bytes;
* the decoded item ids are exact: each is one that was encoded, and all are there, except that a row of
  zeros may be left out (it says nothing), and any row by a codec whose `leaves_out_rows` is true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from fedras_ray.config.codecs import MOST_ACTIONS
from fedras_ray.errors import CodecError
from fedras_ray.kernels import marking
from fedras_ray.snapshots.kinds import kept


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class ItemUpdate:
    """What a client wants to change in the item table: new row minus old row, for the rows it touched."""

    item_ids: NDArray[np.int32]  # (n,) strictly increasing, below item_count
    rows: NDArray[np.float32]  # (n, D)
    item_count: int  # I
    actions: int = 0  # codebook size it was sent with; 0 where there is no codebook

    def __post_init__(self) -> None:
        ids = self.item_ids
        if ids.ndim != 1 or self.rows.ndim != 2 or len(ids) != len(self.rows) or self.width < 1:
            raise CodecError(f"{ids.shape} item ids do not fit rows of shape {self.rows.shape}")
        if not marking.increasing(ids, self.item_count):
            raise CodecError(f"item ids must increase strictly within 0 … {self.item_count - 1}")
        ids.flags.writeable = False
        self.rows.flags.writeable = False

    @property
    def width(self) -> int:
        return int(self.rows.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """One update on its way out, with what the encoder may use.

    Codecs of actions send exactly `actions` of them (or one per distinct row, where there are fewer),
    whatever their configuration and the budget say; other codecs have none, and do not look at it.
    """

    update: ItemUpdate
    stream: Callable[[], Generator]  # addressed randomness, made only when drawn from
    budget_bytes: int | None = None  # what the device can carry in time; None: no limit
    version: int = 0  # of the item table it was trained from: what a whole cohort has in common
    actions: int | None = None  # K for this update alone; None: as the codec is configured

    def __post_init__(self) -> None:
        if self.actions is not None and not 1 <= self.actions <= MOST_ACTIONS:
            raise CodecError(f"{self.actions} actions were ordered; 1 to {MOST_ACTIONS} can be sent")


@runtime_checkable
class Codec(Protocol):
    """Configuration only: no state between calls, of which several threads may make some at once.

    A codec that sends some of the rows and not others says so with an attribute ``leaves_out_rows = True``.
    """

    def encode(self, outgoing: Outgoing) -> bytes:
        """The blob that goes over the uplink.

        Raises:
            CodecError: the update cannot be put on the wire (a value is not finite).
        """
        ...

    def decode(self, blob: bytes) -> ItemUpdate:
        """The update in a blob.

        Raises:
            CodecError: the blob is not one of this codec, or not intact.
        """
        ...


@runtime_checkable
class CohortCodec(Codec, Protocol):
    """A codec that is quicker over many clients at once."""

    def encode_cohort(self, outgoing: Sequence[Outgoing]) -> list[bytes]:
        """One blob per update, in order."""
        ...


def leaves_out_rows(codec: Codec) -> bool:
    """Whether rows with values in them may be missing from what a codec's blobs decode to."""
    return bool(getattr(codec, "leaves_out_rows", False))


def encode_all(codec: Codec, outgoing: Sequence[Outgoing]) -> list[bytes]:
    """Encode many updates, together where the codec can."""
    if isinstance(codec, CohortCodec):
        return codec.encode_cohort(outgoing)
    return [codec.encode(one) for one in outgoing]
