"""What an upload will weigh, told before there is one.

A forecast helps to choose: whom to ask for how much. It never counts: bytes that are counted are the
length of a blob.

I items in the catalogue, n rows touched by this client, D width, K actions.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fedras_ray import streams
from fedras_ray.codecs import coded, wire
from fedras_ray.codecs.base import ItemUpdate, Outgoing
from fedras_ray.codecs.books import book_bytes
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.floats import floats_bytes
from fedras_ray.codecs.positions import positions_bytes
from fedras_ray.codecs.taken import packed_taken_bytes
from fedras_ray.config import codecs as configs

CODED_SHARE = 0.75  # of log2 K bits that a coded index takes: 0.54 to 0.88 for trained clients of MovieLens
_PROBES = 25  # row counts at which a codec without actions is weighed

Counts = NDArray[np.int64]
_NOISE = 0.05  # of the made-up updates: nothing that is trained has rank one exactly


class UploadForecast(Protocol):
    """How large an upload will be."""

    def upload_bytes(self, rows: int, actions: int | None) -> int:
        """The expected length of a blob of n rows; `actions` matters to codecs that have them."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ActionsForecast:
    """For codecs of actions, by their layout: exact where indices are packed and all K actions are taken.

    Summed over a hundred clients of MovieLens with K up to 16, forecasts were within 8 %, and within 22 % for
    product actions, whose coded indices are nearly all that they send; a single client's may be off by half.
    In the first versions rows hardly differ, so fewer than K actions are taken, and blobs are smaller.
    """

    item_count: int  # I
    width: int  # D
    books: int  # codebooks of a blob
    book_width: int  # of their codewords
    before_bytes: int  # header, and what else is before the codebooks
    how: configs.Indices
    configured: int  # K where nothing else is ordered

    def upload_bytes(self, rows: int, actions: int | None) -> int:
        """See `UploadForecast.upload_bytes`."""
        return _laid_out(self, rows, min(self.configured if actions is None else actions, rows))

    def blob_bytes(self, rows: int, k: int) -> int:
        """The length of a blob of n rows and K ≤ n actions."""
        taken = packed_taken_bytes(rows, self.width, self.item_count, [k] * self.books)
        if self.how == "entropy":
            taken = 1 + min(taken, self._coded_bytes(rows, k))
        return self.before_bytes + self.books * book_bytes(k, self.book_width) + taken

    def _coded_bytes(self, rows: int, k: int) -> int:
        index_bits = self.books * rows * CODED_SHARE * math.log2(max(k, 1))
        if coded.walks(rows, self.item_count):
            return math.ceil((index_bits + _set_bits(rows, self.item_count)) / 8)
        return math.ceil(index_bits / 8) + positions_bytes(rows, self.item_count)


@dataclass(frozen=True, slots=True, eq=False)
class ProbedForecast:
    """For any other codec, also one of your own: real blobs of some row counts, and lines between them.

    Where sizes follow from I, n and D they are right within 1 %; where they follow from the values (`grid`,
    `topk` by entries) they can be far off.
    """

    rows: NDArray[np.float64]  # (p,) increasing
    blob_bytes: NDArray[np.float64]  # (p,)

    def upload_bytes(self, rows: int, actions: int | None) -> int:
        """See `UploadForecast.upload_bytes`."""
        return _between(self, rows)


def build_forecast(config: configs.CodecConfig, item_count: int, width: int) -> UploadForecast:
    """The forecast for a codec over I items of width D.

    Raises:
        CodecError: a codec of one's own cannot encode a made-up update of rank one.
    """
    if (k := configs.configured_actions(config)) is None:
        return _probed(config, item_count, width)
    of = functools.partial(ActionsForecast, item_count, width, configured=k)
    header = wire.HEADER_BYTES
    match config:
        case configs.GainShapeCodec(indices=how):
            return of(books=1, book_width=1, before_bytes=header + floats_bytes(width, "f16"), how=how)
        case configs.ProductCodec(parts=parts, indices=how):
            return of(books=parts, book_width=width // parts, before_bytes=header + 1, how=how)
        case configs.ResidualCodec(stages=stages, indices=how):
            return of(books=stages, book_width=width, before_bytes=header + 1, how=how)
        case configs.ActionsCodec(indices=how):
            return of(books=1, book_width=width, before_bytes=header, how=how)
    raise TypeError(f"no layout is known of the actions of {config.kind}")


def upload_bytes(forecast: UploadForecast, rows: Counts, actions: int | None) -> Counts:
    """The forecasts (U,) for so many rows each, computed once per distinct number of rows."""
    distinct, place = np.unique(rows, return_inverse=True)
    sizes = [forecast.upload_bytes(int(n), actions) for n in distinct]
    return np.array(sizes, np.int64)[place]


@functools.lru_cache(maxsize=65_536)
def _set_bits(count: int, item_count: int) -> float:
    """log2 of the number of sets of n of I ids."""
    parts = math.lgamma(count + 1) + math.lgamma(item_count - count + 1)
    return (math.lgamma(item_count + 1) - parts) / math.log(2)


def _probed(config: configs.CodecConfig, item_count: int, width: int) -> ProbedForecast:
    codec = build_codec(config)
    rows = np.unique(np.rint(np.geomspace(1, item_count, _PROBES)).astype(np.int64))
    rng = streams.stream(0, streams.Purpose.ENCODING)
    table = np.outer(rng.standard_normal(item_count), rng.standard_normal(width))  # (I, D) of rank one
    table += _NOISE * rng.standard_normal(table.shape)
    draw = functools.partial(streams.stream, 0, streams.Purpose.ENCODING)
    sizes = []
    for n in rows:
        item_ids = (np.arange(n) * item_count // n).astype(np.int32)
        update = ItemUpdate(item_ids, table[item_ids].astype(np.float32), item_count)
        sizes.append(len(codec.encode(Outgoing(update, draw))))
    return ProbedForecast(rows.astype(np.float64), np.array(sizes, np.float64))


@functools.lru_cache(maxsize=262_144)  # by identity: a policy asks for the same clients again and again
def _laid_out(forecast: ActionsForecast, rows: int, k: int) -> int:
    return forecast.blob_bytes(rows, k)


@functools.lru_cache(maxsize=65_536)
def _between(probed: ProbedForecast, rows: int) -> int:
    return int(np.interp(rows, probed.rows, probed.blob_bytes))
