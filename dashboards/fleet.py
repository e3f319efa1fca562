"""The page of a fleet: its quantiles, and the distributions of each class as curves."""

from __future__ import annotations

from pathlib import Path

from dashboards.figures.distribution import devices, turns
from dashboards.markup import escape, section, table
from dashboards.page import page, write_whole
from dashboards.units import bytes_text, grouped, seconds_text, significant
from fedras_ray.fleet.portrait import QUANTITIES, Group, Portrait
from fedras_ray.fleet.profiles import NOMINAL_BYTES, NOMINAL_SAMPLES

PERCENTS = (5, 25, 50, 75, 95)


def render(title: str, drawn: Portrait) -> str:
    """The page; the same fleet always gives the same text."""
    turn = f"{bytes_text(NOMINAL_BYTES)} down, {grouped(NOMINAL_SAMPLES)} samples of training, and "
    lead = (
        f"<p>{grouped(drawn.groups[0].clients)} devices. The median device trains on a sample in "
        f"{seconds_text(drawn.median_train_s_per_sample)}. Times and energy are those of one nominal turn: "
        f"{turn}{bytes_text(NOMINAL_BYTES)} up. The watts behind the joules are assumptions.</p>"
    )
    return page(
        title,
        "fleet",
        [
            section("devices", "Devices and links", lead, devices(drawn)),
            section("turns", "One nominal turn", turns(drawn)),
            section("quantiles", "Quantiles", *(_quantiles(group) for group in drawn.groups)),
        ],
    )


def write(title: str, drawn: Portrait, target: Path) -> Path:
    """Render into a file, which appears whole or not at all.

    Raises:
        RunError: `target` cannot be written.
    """
    return write_whole(render(title, drawn), target)


def _quantiles(group: Group) -> str:
    head = ["", *(f"{percent} %" for percent in PERCENTS)]
    rows = [
        [
            f"{escape(one.title)}, {escape(one.unit)}",
            *(significant(group.at(one.key, percent)) for percent in PERCENTS),
        ]
        for one in QUANTITIES
    ]
    caption = f"<b>{escape(group.name)}</b>, {grouped(group.clients)} devices"
    return table(caption, head, rows, label=f"Quantiles: {group.name}", kind="numbers")
