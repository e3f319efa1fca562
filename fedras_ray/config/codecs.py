"""What goes over the links, up and down."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from fedras_ray.config.base import Count, Fraction, Positive, Section

Float = Literal["f32", "f16"]
Indices = Literal["packed", "entropy"]  # fixed bits, or a range coder
MOST_ACTIONS = 4096


class DenseCodec(Section):
    """Every row of the table, touched or not: what reductions are counted against (in f32)."""

    kind: Literal["dense"] = "dense"
    dtype: Float = "f32"


class SparseCodec(Section):
    """The touched rows and which they are."""

    kind: Literal["sparse"]
    dtype: Float = "f32"


class QuantizedCodec(Section):
    """The touched rows as integers of 8 or 4 bits with a scale per row, rounded without bias."""

    kind: Literal["int8", "int4"]


class SignCodec(Section):
    """The sign of every entry, and the mean magnitude of every row."""

    kind: Literal["sign"]


class TopKCodec(Section):
    """The largest rows, or the largest entries; the rest is not sent."""

    kind: Literal["topk"]
    by: Literal["rows", "entries"] = "rows"
    share: float = Field(default=0.1, gt=0, le=1)  # of the touched rows, or of their entries
    dtype: Float = "f16"


class LowRankCodec(Section):
    """The update's own best approximation of rank r: n × r and r × D floats in f16."""

    kind: Literal["lowrank"]
    rank: int = Field(default=2, ge=1, le=256)


class ColrCodec(Section):
    """Coefficients in r random directions that all clients of one version share."""

    kind: Literal["colr"]
    rank: int = Field(default=8, ge=1, le=64)
    seed: int = Field(default=0, ge=0, lt=1 << 32)  # another one: other directions in every version


class FixedActions(Section):
    """The same number of actions for everyone."""

    kind: Literal["fixed"] = "fixed"
    count: int = Field(default=16, ge=1, le=MOST_ACTIONS)


class AdaptiveActions(Section):
    """As many actions as the update needs, as far as the client's uplink carries them in time."""

    kind: Literal["adaptive"]
    least: int = Field(default=2, ge=1, le=MOST_ACTIONS)
    most: int = Field(default=64, ge=1, le=MOST_ACTIONS)
    distortion: Fraction = 0.05  # relative squared error at which no more actions are added
    upload_s: Positive = 1.0  # time allowed for one upload, on the client's own uplink


ActionCount = Annotated[FixedActions | AdaptiveActions, Field(discriminator="kind")]


class ActionsCodec(Section):
    """FedRAS: the rows' gradients clustered into actions; a codebook and an index per row."""

    kind: Literal["actions"]
    actions: ActionCount = FixedActions()
    start: Literal["principal", "k-means++"] = "principal"
    iterations: int = Field(default=0, ge=0, le=300)  # Lloyd rounds after the start
    indices: Indices = "packed"


class GainShapeCodec(Section):
    """One direction for the whole update, and a gain per row, one of a few."""

    kind: Literal["gain-shape"]
    actions: ActionCount = FixedActions()  # gains
    indices: Indices = "entropy"


class ProductCodec(Section):
    """Actions of parts of the columns: a codebook and an index per row for each."""

    kind: Literal["product"]
    parts: int = Field(default=8, ge=1, le=255)  # must divide the model's width
    actions: ActionCount = FixedActions()  # of each part
    start: Literal["principal", "k-means++"] = "principal"
    iterations: int = Field(default=0, ge=0, le=300)  # Lloyd rounds after the start
    indices: Indices = "entropy"


class ResidualCodec(Section):
    """Codebooks that add up, each of what the ones before it left."""

    kind: Literal["residual"]
    stages: int = Field(default=2, ge=1, le=255)
    actions: ActionCount = FixedActions()  # of each stage
    start: Literal["principal", "k-means++"] = "principal"
    iterations: int = Field(default=0, ge=0, le=300)  # Lloyd rounds after the start
    indices: Indices = "packed"


class GridCodec(Section):
    """Rows rounded to multiples of a step, and the integers entropy-coded."""

    kind: Literal["grid"]
    step: Positive = 1.0  # over the root mean square of the update's entries
    dead_zone: float = Field(default=0.2, ge=0, lt=0.5)  # how much rounding favours the smaller multiple


class CustomCodec(Section):
    """A codec of your own: ``target = "my_module:make_codec"`` is called with `options`."""

    kind: Literal["custom"]
    target: str = Field(pattern=r"^[\w.]+:[\w.]+$")
    options: dict[str, JsonValue] = Field(default_factory=dict)


CodecConfig = Annotated[
    DenseCodec
    | SparseCodec
    | QuantizedCodec
    | SignCodec
    | TopKCodec
    | LowRankCodec
    | ColrCodec
    | ActionsCodec
    | GainShapeCodec
    | ProductCodec
    | ResidualCodec
    | GridCodec
    | CustomCodec,
    Field(discriminator="kind"),
]


def adaptive_actions(codec: CodecConfig) -> AdaptiveActions | None:
    """The limits of a codec whose number of actions adapts; None of any other."""
    wanted = getattr(codec, "actions", None)
    return wanted if isinstance(wanted, AdaptiveActions) else None


def configured_actions(codec: CodecConfig) -> int | None:
    """The most actions that a codec sends of its own accord (of a part, or a stage); None: it has none."""
    wanted = getattr(codec, "actions", None)
    if isinstance(wanted, AdaptiveActions):
        return wanted.most
    return wanted.count if isinstance(wanted, FixedActions) else None


class NoFeedback(Section):
    """What a codec leaves out of an upload is lost."""

    kind: Literal["none"] = "none"


class ResidualFeedback(Section):
    """What a codec leaves out of an upload is kept by the client and added to its next one."""

    kind: Literal["residual"]
    decay: float = Field(default=1.0, gt=0, le=1)  # of the residual, per turn
    most_rows: Count = 4_096  # that a client keeps


FeedbackConfig = Annotated[NoFeedback | ResidualFeedback, Field(discriminator="kind")]


class DenseDownlink(Section):
    """Every dispatch carries the whole item table."""

    kind: Literal["dense"] = "dense"
    dtype: Float = "f32"


class LatticeDownlink(Section):
    """One replica of the table on a grid of steps; any absence is made up for by one exact message."""

    kind: Literal["lattice"]
    rows: Literal["all", "touched"] = "all"  # or those a turn touches, if asked for
    step: Positive = 0.1  # in the units of the item table
    doublings: int = Field(default=0, ge=0, le=8)  # of the step at first; halved at even distances
    dead_zone: float = Field(default=0.2, ge=0, lt=0.5)
    dither: bool = True  # start anywhere between the steps, so that rounding has no bias
    axes: Literal["principal", "given"] = "principal"  # that the steps are along
    axes_after: float = Field(default=0.05, ge=0, lt=1)  # the share of versions after which axes are chosen
    every: Count = 1  # versions between two states of the replica
    history: Count = 128  # states that are kept; who missed more gets a snapshot
    closing_halvings: int = Field(default=2, ge=0, le=8)  # of the step, for the table to rank with (touched)
    closing_step: Positive | None = None  # or that table in one message for all, in steps of its own


class LanesDownlink(Section):
    """Replicas that clients share, each with a log of messages in any codec."""

    kind: Literal["lanes"]
    count: int = Field(default=8, ge=1, le=4096)
    codec: CodecConfig = GridCodec(kind="grid")
    assignment: Literal["fixed", "class", "participation"] = "fixed"
    refresh: Literal["turns", "all"] = "turns"  # version v serves lane v mod count, or every lane
    every: Count = 1  # versions between two messages, where all lanes are served
    history: Count = 64  # messages that a lane keeps; who missed more gets a snapshot


DownlinkConfig = Annotated[DenseDownlink | LatticeDownlink | LanesDownlink, Field(discriminator="kind")]
