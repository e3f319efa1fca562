"""What `fedras watch` shows of a run: rows of words, the same on a terminal and in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fedras_ray.clock import seconds
from workloads.summary import reduction
from workloads.units import share, size, span
from workloads.watching.log import Progress

BARS = "▁▂▃▄▅▆▇█"
SPARKS = 32  # evaluations in the row of bars
LATELY_S = 60.0  # over which the pace is taken
SILENT_S = 30.0  # after which it is said how long nothing came
BAR_WIDTH = 40
SHOWN = ("ndcg@10", "recall@20")  # of the qualities

Row = tuple[str, str]


def view(found: Progress, now_s: float) -> RenderableType:
    """All of it, for a terminal."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for name, value in rows(found, now_s):
        table.add_row(name, value)
    made = found.versions[-1]["version"] if found.versions else 0
    bar = ProgressBar(total=found.asked, completed=made, width=BAR_WIDTH)
    return Group(Text(f"{found.name}  ·  seed {found.seed}", style="bold"), bar, table)


def line(found: Progress, now_s: float) -> str:
    """The most of it in one line."""
    wanted = ("versions", "quality", "bytes", "pace", "ended")
    said = dict(rows(found, now_s))
    return "  ".join(said[name] for name in wanted if name in said)


def rows(found: Progress, now_s: float) -> list[Row]:
    """What there is to say so far."""
    told = [*_versions(found), *_quality(found.evaluations)]
    if found.versions:
        told += _latest(found.versions[-1])
    return [*told, *_state(found, now_s)]


def _versions(found: Progress) -> list[Row]:
    if not found.versions:
        return [("versions", f"none of {found.asked:,} yet")]
    made = int(found.versions[-1]["version"])
    told = [("versions", f"{made:,} of {found.asked:,}, {share(made / found.asked)}")]
    pace = _pace(found.versions)
    if pace and not found.ending:
        left = span((found.asked - made) / pace[0])
        told.append(
            ("pace", f"{pace[1]:,.0f} updates/s, {pace[2]:,.3g} virtual seconds a second, {left} left")
        )
    return told


def _pace(versions: Sequence[dict[str, Any]]) -> tuple[float, float, float] | None:
    """Versions, client updates and virtual seconds for each second lately; None where nothing can be said."""
    last = versions[-1]
    first = next(one for one in versions if last["wall_s"] - one["wall_s"] <= LATELY_S)
    passed_s = last["wall_s"] - first["wall_s"]
    made = last["version"] - first["version"]
    if passed_s <= 0 or made <= 0:
        return None
    updates = last["client_updates"] - first["client_updates"]
    return made / passed_s, updates / passed_s, seconds(last["at_ns"] - first["at_ns"]) / passed_s


def _quality(evaluations: Sequence[dict[str, Any]]) -> list[Row]:
    measured = [one for one in evaluations if one["quality"]]
    if not measured:
        return []
    newest = measured[-1]["quality"]
    told = ", ".join(f"{name.upper()} {newest[name]:.4f}" for name in SHOWN if name in newest)
    curve = [one["quality"][SHOWN[0]] for one in measured if SHOWN[0] in one["quality"]]
    return [("quality", f"{told}  {sparks(curve)}".rstrip())]


def sparks(values: Sequence[float]) -> str:
    """Values as bars, from the least to the most; the newest ones where there are many."""
    some = list(values)[-SPARKS:]
    if len(some) < 2:
        return ""
    low, high = min(some), max(some)
    height = high - low or 1.0
    return "".join(BARS[round((value - low) / height * (len(BARS) - 1))] for value in some)


def _latest(one: dict[str, Any]) -> list[Row]:
    sent = one["up_bytes"] + one["down_bytes"]
    saved = reduction(sent, one["dense_up_bytes"] + one["dense_down_bytes"])
    return [
        ("bytes", f"{size(one['up_bytes'])} up, {size(one['down_bytes'])} down, {share(saved)} saved"),
        ("updates", f"{one['client_updates']:,}, staleness {one['mean_staleness']:.2f}, "
                    f"{one['in_flight']:,} clients at work, {size(one['wasted_bytes'])} wasted"),
        ("virtual time", span(seconds(one["at_ns"]))),
    ]  # fmt: skip


def _state(found: Progress, now_s: float) -> list[Row]:
    here = ("real time", span(found.heard_s - found.began_s))
    if found.ending:
        return [here, ("ended", found.ending.lower())]
    silent_s = now_s - found.heard_s
    if silent_s < SILENT_S:
        return [here]
    return [here, ("silent", f"for {span(silent_s)}: it may compute, or be gone")]
