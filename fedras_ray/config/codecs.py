"""What goes over the links, up and down."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from fedras_ray.config.base import Fraction, Positive, Section

Float = Literal["f32", "f16"]
Indices = Literal["packed", "entropy"]  # fixed bits, or a range coder


class DenseCodec(Section):
    """Every row of the table, touched or not: what reductions are counted against (in f32)."""

    kind: Literal["dense"] = "dense"
    dtype: Float = "f32"


class SparseCodec(Section):
    """The touched rows and which they are."""

    kind: Literal["sparse"]
    dtype: Float = "f32"


class FixedActions(Section):
    """The same number of actions for everyone."""

    kind: Literal["fixed"] = "fixed"
    count: int = Field(default=16, ge=1, le=4096)


class AdaptiveActions(Section):
    """As many actions as the update needs, as far as the client's uplink carries them in time."""

    kind: Literal["adaptive"]
    least: int = Field(default=2, ge=1, le=4096)
    most: int = Field(default=64, ge=1, le=4096)
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


class CustomCodec(Section):
    """A codec of your own: ``target = "my_module:make_codec"`` is called with `options`."""

    kind: Literal["custom"]
    target: str = Field(pattern=r"^[\w.]+:[\w.]+$")
    options: dict[str, JsonValue] = Field(default_factory=dict)


CodecConfig = Annotated[
    DenseCodec | SparseCodec | ActionsCodec | GainShapeCodec | ProductCodec | ResidualCodec | CustomCodec,
    Field(discriminator="kind"),
]


def adaptive_actions(codec: CodecConfig) -> AdaptiveActions | None:
    """The limits of a codec whose number of actions adapts; None of any other."""
    wanted = getattr(codec, "actions", None)
    return wanted if isinstance(wanted, AdaptiveActions) else None


class DenseDownlink(Section):
    """Every dispatch carries the whole item table."""

    kind: Literal["dense"] = "dense"
    dtype: Float = "f32"


DownlinkConfig = DenseDownlink  # a tagged union as soon as there is a second one
