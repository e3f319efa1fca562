"""How the codebook size K and the staleness of updates are spread over the turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboards.drawing import axes, scale
from dashboards.drawing.bars import columns
from dashboards.drawing.lines import colour
from dashboards.drawing.svg import image
from dashboards.markup import escape, figure, shorten
from dashboards.reading import Run
from dashboards.tallies import Counts, Records
from dashboards.units import grouped, percent

_BINS = 24
_PANELS = 6  # runs drawn for each quantity


@dataclass(frozen=True, slots=True)
class Quantity:
    """A whole number that every turn has, and how it is spoken of."""

    key: str
    name: str
    counts: Callable[[Records], Counts]
    same: Callable[[int], str]  # for a run whose turns are all alike


_QUANTITIES = (
    Quantity(
        "k",
        "actions K per update",
        lambda records: records.actions,
        lambda k: f"every update used K = {k} actions" if k else "this codec has no actions",
    ),
    Quantity(
        "s",
        "staleness in versions",
        lambda records: records.staleness,
        lambda age: f"every update was {age} versions old" if age else "no update was stale",
    ),
)


def spread(runs: Sequence[Run]) -> str:
    """Histograms of what differs between turns, and a sentence for what does not."""
    alike = "".join(_alike(runs, quantity) for quantity in _QUANTITIES)
    panels = [panel for quantity in _QUANTITIES for panel in _panels(runs, quantity)]
    if not panels:
        return alike
    more = f" At most {_PANELS} runs are drawn." if len(runs) > _PANELS else ""
    caption = (
        "<b>Actions and staleness.</b> Share of turns. K is the size of an update's codebook; "
        f"staleness is how many versions were made between a client's dispatch and its arrival.{more}"
    )
    return alike + figure(panels, caption)


def _alike(runs: Sequence[Run], quantity: Quantity) -> str:
    """Who has but one value, said by value: many runs often share it."""
    names: dict[int, list[str]] = {}
    for run in runs:
        counts = quantity.counts(run.records)
        if len(counts) == 1:
            names.setdefault(counts[0][0], []).append(run.label)
    if len(runs) == 1:
        return "".join(f"<p>In this run {quantity.same(value)}.</p>" for value in names)
    said = "; ".join(f"{', '.join(who)}: {quantity.same(value)}" for value, who in names.items())
    return f"<p>{escape(said)}.</p>" if said else ""


def _panels(runs: Sequence[Run], quantity: Quantity) -> list[str]:
    """One for each run, on one horizontal scale."""
    varied = [run for run in runs if len(quantity.counts(run.records)) > 1]
    if not varied:
        return []
    low = min(quantity.counts(run.records)[0][0] for run in varied)
    high = max(quantity.counts(run.records)[-1][0] for run in varied)
    alone = len(runs) == 1
    return [
        _panel(run, quantity, low, high, "share of turns" if alone else run.label) for run in varied[:_PANELS]
    ]


def _panel(run: Run, quantity: Quantity, low: int, high: int, title: str) -> str:
    counts = quantity.counts(run.records)
    total = sum(often for _, often in counts)
    width = max(1, math.ceil((high - low + 1) / _BINS))
    bins = _binned(counts, low, width)
    end = low + max(1, math.ceil((high - low + 1) / width)) * width
    x = scale.inside(low - 0.5, end - 0.5, step=scale.whole_step, label=scale.plain_label)
    y = scale.linear(0, max(bins.values()) / total, step=scale.decimal_step, label=_share, target=4)
    box = axes.frame(x, y, height=210.0)
    heights = [(at - 0.5, at + width - 0.5, often / total) for at, often in sorted(bins.items())]
    body = axes.draw(box, shorten(title, 48), quantity.name) + columns(box, heights, colour(run.style))
    mean = sum(value * often for value, often in counts) / total
    told = f"{grouped(total)} turns, from {counts[0][0]} to {counts[-1][0]}, mean {mean:.2f}"
    return image(
        f"{quantity.key}{run.style}h", box.width, box.height, f"{run.label}: {quantity.name}", told, body
    )


def _binned(counts: Counts, start: int, width: int) -> dict[int, int]:
    """How often by the first value of each bin."""
    bins: dict[int, int] = {}
    for value, often in counts:
        low = start + (value - start) // width * width
        bins[low] = bins.get(low, 0) + often
    return bins


def _share(value: float, step: float) -> str:
    return percent(value) if step < 0.01 else f"{value * 100:.0f} %"
