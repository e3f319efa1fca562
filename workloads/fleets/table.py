"""A fleet's quantiles, for a terminal."""

from __future__ import annotations

from rich.table import Table

from dashboards.units import significant
from fedras_ray.fleet.portrait import QUANTITIES, Group, Portrait

OVERALL = (5, 25, 50, 75, 95)
PER_CLASS = (5, 50, 95)


def heading(name: str, kind: str, count: int, seed: int) -> str:
    """What is looked at."""
    called = kind if name == kind else f"{name}  ·  {kind}"
    return f"{called}  ·  {count:,} {'device' if count == 1 else 'devices'}  ·  seed {seed}"


def table(title: str, drawn: Portrait) -> Table:
    """A line for each quantile of all devices, and for some of each class."""
    made = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), caption_justify="left")
    made.caption = (
        f"compute time against the median device, which takes {_base(drawn)} a sample; download to turn "
        "and energy: 200 kB down, 1,000 samples, 200 kB up"
    )
    made.add_column("class", no_wrap=True)
    made.add_column("quantile", justify="right", style="dim")
    for one in QUANTITIES:
        made.add_column(f"{one.title}\n{one.unit}", justify="right", no_wrap=True)
    for group in drawn.groups:
        for row in rows(group, OVERALL if group is drawn.groups[0] else PER_CLASS):
            made.add_row(*row)
        made.add_section()
    return made


def rows(group: Group, percents: tuple[int, ...]) -> list[list[str]]:
    """The lines of a group; its name and size are in the first."""
    return [
        [
            f"{group.name} ({group.clients:,})" if place == 0 else "",
            f"{percent} %",
            *(significant(group.at(one.key, percent)) for one in QUANTITIES),
        ]
        for place, percent in enumerate(percents)
    ]


def _base(drawn: Portrait) -> str:
    """Seconds a sample, in a unit that suits them."""
    micros = drawn.median_train_s_per_sample * 1e6
    return f"{significant(micros)} µs" if micros < 1000 else f"{significant(micros / 1000)} ms"
