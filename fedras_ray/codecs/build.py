"""From a configured codec to the object that encodes and decodes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from fedras_ray import streams
from fedras_ray.codecs.actions import ActionsCodec
from fedras_ray.codecs.base import Codec, ItemUpdate, Outgoing
from fedras_ray.codecs.colr import ColrCodec
from fedras_ray.codecs.dense import DenseCodec
from fedras_ray.codecs.floats import floats_bytes
from fedras_ray.codecs.gain_shape import GainShapeCodec
from fedras_ray.codecs.grid import GridCodec
from fedras_ray.codecs.lowrank import LowRankCodec
from fedras_ray.codecs.product import ProductCodec
from fedras_ray.codecs.quantized import QuantizedCodec
from fedras_ray.codecs.residual import ResidualCodec
from fedras_ray.codecs.sign import SignCodec
from fedras_ray.codecs.sparse import SparseCodec
from fedras_ray.codecs.topentries import TopEntriesCodec
from fedras_ray.codecs.toprows import TopRowsCodec
from fedras_ray.codecs.wire import HEADER_BYTES
from fedras_ray.config import codecs as configs
from fedras_ray.errors import ConfigError
from fedras_ray.imported import imported
from fedras_ray.kernels import forms

if TYPE_CHECKING:
    import torch


def topk_codec(config: configs.TopKCodec) -> Codec:
    """The top-k codec of rows or of entries."""
    return TopRowsCodec(config) if config.by == "rows" else TopEntriesCodec(config)


CODECS: Final[dict[str, Callable[..., Codec]]] = {
    "dense": DenseCodec,
    "sparse": SparseCodec,
    "int8": QuantizedCodec,
    "int4": QuantizedCodec,
    "sign": SignCodec,
    "topk": topk_codec,
    "lowrank": LowRankCodec,
    "colr": ColrCodec,
    "actions": ActionsCodec,
    "grid": GridCodec,
    "gain-shape": GainShapeCodec,
    "product": ProductCodec,
    "residual": ResidualCodec,
}  # kind in the experiment -> class; a new codec is one row here and one in tests/codecs
CLUSTERING: Final = {"actions", "product", "residual"}  # those that can do so on a device


def build_codec(config: configs.CodecConfig, device: torch.device | None = None) -> Codec:
    """The codec an experiment asks for, which clusters on a device where it does and there is one.

    Raises:
        ConfigError: a ladder of actions that goes down, or a target that is no codec.
    """
    if isinstance(config, configs.CustomCodec):
        return _custom(config)
    wanted = configs.adaptive_actions(config)
    if wanted is not None and wanted.least > wanted.most:
        raise ConfigError(
            "codec.actions.least", f"{wanted.least} is above codec.actions.most, which is {wanted.most}"
        )
    if device is not None and config.kind in CLUSTERING:
        return CODECS[config.kind](config, device)
    return CODECS[config.kind](config)


def sparse_codec() -> SparseCodec:
    """The baseline beside the dense one: what the touched rows cost in f32."""
    return SparseCodec(configs.SparseCodec(kind="sparse", dtype="f32"))


@functools.cache
def dense_bytes(item_count: int, width: int) -> int:
    """What one dense f32 blob weighs: the length of a real one."""
    nothing = ItemUpdate(np.zeros(0, np.int32), np.zeros((0, width), np.float32), item_count)
    draw = functools.partial(streams.stream, 0, streams.Purpose.ENCODING)
    return len(DenseCodec(configs.DenseCodec(dtype="f32")).encode(Outgoing(nothing, draw)))


def sparse_bytes(rows: int, item_count: int, width: int) -> int:
    """What one sparse f32 blob of so many rows weighs: exactly, as which rows they are changes nothing."""
    return int(sparse_bytes_each(np.array([rows]), item_count, width)[0])


def sparse_bytes_each(rows: NDArray[np.int64], item_count: int, width: int) -> NDArray[np.int64]:
    """(C,) `sparse_bytes` of C blobs."""
    _, positions = forms.positions_each(rows, item_count)
    return HEADER_BYTES + floats_bytes(1, "f32") * width * rows + positions


def _custom(config: configs.CustomCodec) -> Codec:
    """Import ``module:callable``, and call it with the options."""
    module, _, name = config.target.partition(":")
    tried = f"'{config.target}': import {module}, then {name}(**{sorted(config.options)})"
    try:
        made = imported(config.target)(**config.options)
    except Exception as error:  # somebody else's code: whatever it raises is about the target
        raise ConfigError("codec.target", f"{tried}: {type(error).__name__}: {error}") from error
    if isinstance(made, type) or not isinstance(made, Codec):
        raise ConfigError("codec.target", f"{tried}: gave {made!r}, which has no encode and decode")
    return made
