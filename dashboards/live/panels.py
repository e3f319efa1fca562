"""What the dashboard shows: panels, each with its questions to Prometheus.

``$run`` is the choice of runs, ``$__rate_interval`` the time that Grafana takes rates over. Ray puts ``ray_``
before the names of `fedras_ray.telemetry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fedras_ray.telemetry import instruments as at
from fedras_ray.telemetry.instruments import Instrument

Unit = Literal["short", "bytes", "Bps", "s", "percentunit", "ops"]  # Grafana's names


@dataclass(frozen=True, slots=True)
class Question:
    """PromQL, and how a series of the answer is called."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture; a `number` is the newest value."""

    title: str
    about: str
    unit: Unit
    questions: tuple[Question, ...]
    kind: Literal["lines", "number"] = "lines"
    most: float | None = None  # of the upright axis


@dataclass(frozen=True, slots=True)
class Row:
    """Panels beside each other, under a heading."""

    title: str
    panels: tuple[Panel, ...]


def now(instrument: Instrument, *labels: str, only: str = "") -> str:
    """The values as they stand, added up but for these labels and the run."""
    return f"sum by ({_by(labels)}) ({_series(instrument, only)})"


def rate(instrument: Instrument, *labels: str, only: str = "") -> str:
    """How much a counter grows in a second."""
    return f"sum by ({_by(labels)}) (rate({_series(instrument, only)}[$__rate_interval]))"


def _by(labels: tuple[str, ...]) -> str:
    return ", ".join(("run", *labels))


def _series(instrument: Instrument, only: str) -> str:
    return f'ray_{instrument.name}{{run=~"$run"{f", {only}" if only else ""}}}'


def quantile(share: float) -> Question:
    """The staleness that this share of the used updates does not go beyond."""
    buckets = rate(at.STALENESS, "le")
    return Question(f"histogram_quantile({share}, {buckets})", f"{{{{run}}}}, {share:.0%}")


def mean_phase(phase: str) -> Question:
    """Virtual seconds that a turn spends so, on average."""
    only = f'phase="{phase}"'
    return Question(f"{rate(at.PHASE, only=only)} / {rate(at.TURNS)}", f"{{{{run}}}}, {phase}")


ROWS = (
    Row(
        "How far, how good",
        (
            Panel("Progress", "Versions made, of those that were asked for.", "percentunit",
                  (Question(now(at.PROGRESS), "{{run}}"),), "number", 1.0),
            Panel("NDCG@10", "Of the last version that was evaluated.", "short",
                  (Question(now(at.QUALITY, only='metric="ndcg@10"'), "{{run}}"),), "number"),
            Panel("Bytes saved", "Of what the same turns had cost in dense f32, both ways.", "percentunit",
                  (Question(f"1 - {now(at.SENT)} / {now(at.DENSE)}", "{{run}}"),), "number"),
            Panel("Pools placed anew", "Because they were lost, since the run began.", "short",
                  (Question(f"{now(at.RESTARTS)} or vector(0)", "{{run}}"),), "number"),
            Panel("Quality", "Of the versions that were evaluated.", "short",
                  (Question(now(at.QUALITY, "metric"), "{{run}}, {{metric}}"),)),
            Panel("Loss", "Mean over the clients of the newest version, before their training.", "short",
                  (Question(now(at.LOSS), "{{run}}"),)),
        ),
    ),
    Row(
        "Pace",
        (
            Panel("Client updates", "Used ones, for each real second.", "ops",
                  (Question(rate(at.TURNS, only='fate="used"'), "{{run}}"),)),
            Panel("Virtual time", "Virtual seconds for each real second.", "short",
                  (Question(rate(at.VIRTUAL), "{{run}}"),)),
            Panel("Versions", "For each real second.", "ops", (Question(rate(at.VERSIONS), "{{run}}"),)),
            Panel("Clients at work", "In virtual time.", "short", (Question(now(at.IN_FLIGHT), "{{run}}"),)),
            Panel("Waiting for pools", "Share of real time in which the coordinator has nothing else to do.",
                  "percentunit", (Question(rate(at.WAITED), "{{run}}"),), most=1.0),
            Panel("Memory of what clients hold", "The server's, for the way down.", "bytes",
                  (Question(now(at.STATE), "{{run}}"),)),
        ),
    ),
    Row(
        "Bytes",
        (
            Panel("Up, by device class", "For each real second.", "Bps",
                  (Question(rate(at.SENT, "device_class", only='direction="up"'),
                            "{{run}}, {{device_class}}"),)),
            Panel("Down, by device class", "For each real second.", "Bps",
                  (Question(rate(at.SENT, "device_class", only='direction="down"'),
                            "{{run}}, {{device_class}}"),)),
            Panel("Both ways, by codec", "In all, since the run began.", "bytes",
                  (Question(now(at.SENT, "direction", "codec"), "{{run}}, {{direction}}, {{codec}}"),)),
            Panel("Sent and not used", "Up, in all, since the run began.", "bytes",
                  (Question(now(at.WASTED), "{{run}}"),)),
        ),
    ),
    Row(
        "Turns",
        (
            Panel("What became of them", "Turns for each real second.", "ops",
                  (Question(rate(at.TURNS, "fate"), "{{run}}, {{fate}}"),)),
            Panel("Refused payloads", "In all, since the run began.", "short",
                  (Question(f"""{now(at.TURNS, only='fate="refused"')} or vector(0)""", "{{run}}"),)),
            Panel("What clients do", "Virtual seconds of a turn, on average.", "s",
                  tuple(mean_phase(phase) for phase in at.PHASES)),
            Panel("Staleness", "Versions made between dispatch and arrival: half and nine tenths of the used "
                  "updates are below these.", "short", (quantile(0.5), quantile(0.9))),
            Panel("Mean staleness", "Of used updates, in versions.", "short",
                  (Question(f"({rate(at.STALENESS_SUM)} or 0 * {rate(at.TURNS)}) / "
                            f"""{rate(at.TURNS, only='fate="used"')}""", "{{run}}"),)),
        ),
    ),
)  # fmt: skip
