"""Links that change, clients that come and go, messages that are lost; every default means "off".

Sources of the models stand beside what computes them, in `fedras_ray.fleet`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fedras_ray.config.base import Positive, Section

Chance = Annotated[float, Field(ge=0, lt=1)]
Duration = Annotated[float, Field(ge=1e-3, le=1e8)]  # seconds
Spread = Annotated[float, Field(ge=0.01, le=10)]
File = Annotated[str, Field(min_length=1)]


class NoVariation(Section):
    """A link's rate is its profile's, at all times."""

    kind: Literal["none"] = "none"


class GammaVariation(Section):
    """The rate is its profile's times a factor that is drawn anew from time to time: gamma, mean 1."""

    kind: Literal["gamma"]
    cv: Spread = 0.5  # standard deviation / mean of the factor over time
    hold_s: Duration = 30.0  # mean time between changes, exponential


class LogNormalVariation(Section):
    """As `GammaVariation`, but the factor is log-normal: seldom near 0, now and then far above 1."""

    kind: Literal["log-normal"]
    cv: Spread = 0.5
    hold_s: Duration = 30.0


class TraceVariation(Section):
    """The factor comes from a file, cycled; every client begins at an instant of its own."""

    kind: Literal["trace"]
    file: File  # CSV with the columns t_s and factor; divided by its mean over time
    period_s: Duration | None = None  # None: the last row holds as long as the one before it


VariationConfig = Annotated[
    NoVariation | GammaVariation | LogNormalVariation | TraceVariation, Field(discriminator="kind")
]


class AlwaysAvailable(Section):
    """Every client can be asked at any time."""

    kind: Literal["always"] = "always"


class DiurnalAvailability(Section):
    """One window a day for each client, around the night; a run begins at midnight."""

    kind: Literal["diurnal"]
    hours_per_day: float = Field(default=8.0, gt=0, le=24)
    middle_hour: float = Field(default=3.0, ge=0, lt=24)  # of the windows, in the mean over clients
    spread_hours: float = Field(default=2.0, ge=0, le=24)  # standard deviation of a client's middle


class RenewalAvailability(Section):
    """On and off in turns, each for an exponential time."""

    kind: Literal["renewal"]
    mean_on_s: Duration = 3_600.0
    mean_off_s: Duration = 7_200.0


class TraceAvailability(Section):
    """On when a file says so, cycled."""

    kind: Literal["trace"]
    file: File  # CSV with the columns client, on_s and off_s: on from on_s until just before off_s
    period_s: Duration = 86_400.0
    clients: Literal["as-numbered", "drawn"] = "as-numbered"  # drawn: each follows a random one of the file


AvailabilityConfig = Annotated[
    AlwaysAvailable | DiurnalAvailability | RenewalAvailability | TraceAvailability,
    Field(discriminator="kind"),
]


class NetworkConfig(Section):
    """What happens between the devices and the server beyond the devices' mean rates."""

    variation: VariationConfig = NoVariation()
    availability: AvailabilityConfig = AlwaysAvailable()
    server_uplink_bytes_per_s: Positive | None = None  # out of the server, shared by all; None: no limit
    server_downlink_bytes_per_s: Positive | None = None  # into the server
    loss: Chance = 0.0  # of an upload, on its way
    dropout: Chance = 0.0  # of a client, somewhere during its turn
