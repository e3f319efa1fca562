"""The devices and links that an experiment is run on: one kind of fleet, and its parameters.

`speed_link_correlation` is Spearman's: 1 gives the fastest device the fastest link, 0 draws them
independently, -1 gives it the slowest.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from fedras_ray.config.base import NotNegative, Positive, Section

Correlation = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class HomogeneousFleet(Section):
    """Every device the same."""

    kind: Literal["homogeneous"]
    uplink_bytes_per_s: Positive = 760_000.0
    downlink_bytes_per_s: Positive = 760_000.0
    latency_s: NotNegative = 0.056
    train_s_per_sample: Positive = 1e-4


class LogNormalFleet(Section):
    """Compute, uplink and downlink log-normal."""

    kind: Literal["log-normal"]
    median_uplink_bytes_per_s: Positive = 250_000.0
    median_downlink_bytes_per_s: Positive = 1_000_000.0
    link_sigma: NotNegative = 1.0
    median_slowness: Positive = 1.0
    slowness_sigma: NotNegative = 0.6
    latency_s: NotNegative = 0.056
    train_s_per_sample: Positive = 1e-4
    speed_link_correlation: Correlation = 0.0


class FedScaleFleet(Section):
    """Compute and links drawn from the quantiles of FedScale's device trace."""

    kind: Literal["fedscale"] = "fedscale"
    uplink_share: Positive = 1.0  # of the downlink's speed: the trace has one number for both
    latency_s: NotNegative = 0.056
    train_s_per_sample: Positive = 1e-4  # on the trace's median device
    speed_link_correlation: Correlation = 0.0


class MobiPerfFleet(Section):
    """Uplinks, downlinks and round trips from MobiPerf's quantiles, compute from FedScale's."""

    kind: Literal["mobiperf"]
    train_s_per_sample: Positive = 1e-4  # on the trace's median device
    speed_link_correlation: Correlation = 0.0


class CellularFleet(Section):
    """Log-normal links through published 4G or 5G statistics, compute from FedScale's quantiles."""

    kind: Literal["cellular"]
    generation: Literal["4g", "5g"] = "4g"
    train_s_per_sample: Positive = 1e-4  # on the trace's median device
    speed_link_correlation: Correlation = 0.0


class GaussianClassesFleet(Section):
    """Five classes of devices times five of links, each with a Gaussian in abstract units of time.

    A unit is `unit_s` seconds: a device trains on `reference_samples` in as many units as its class
    says, and a link carries `reference_bytes` in as many, up or down.
    """

    kind: Literal["gaussian-classes"]
    unit_s: Positive = 0.01
    reference_samples: Positive = 1_000.0
    reference_bytes: Positive = 200_000.0
    latency_s: NotNegative = 0.0  # the classes have it in their time
    speed_link_correlation: Correlation = 0.0  # of the classes


class HarshMobileFleet(Section):
    """MobiPerf's links with a floor, and a share of the devices that crawl."""

    kind: Literal["harsh-mobile"]
    crawling_share: Share = 0.05
    crawling_slowness: Positive = 20.0  # times what the device would have been
    least_link_bytes_per_s: Positive = 17_500.0  # 0.14 Mbit/s, the 10th percentile of MobiPerf's uplinks
    train_s_per_sample: Positive = 1e-4  # on the median device
    speed_link_correlation: Correlation = 0.0


class FileFleet(Section):
    """Your own devices: CSV or Parquet, one row each; docs/fleet.md names the columns."""

    kind: Literal["file"]
    path: str
    latency_s: NotNegative = 0.056  # where the file has no such column
    train_s_per_sample: Positive = 1e-4  # at slowness 1, where the file has slowness


AnyFleet = (
    HomogeneousFleet
    | LogNormalFleet
    | FedScaleFleet
    | MobiPerfFleet
    | CellularFleet
    | GaussianClassesFleet
    | HarshMobileFleet
    | FileFleet
)
FleetConfig = Annotated[AnyFleet, Field(discriminator="kind")]
KINDS: tuple[str, ...] = tuple(
    get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(AnyFleet)
)
