"""What each run came to, in the numbers that are asked for first."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.drawing.lines import colour
from dashboards.figures.quality import SHOWN, title
from dashboards.figures.traffic import change
from dashboards.markup import escape
from dashboards.reading import Run
from dashboards.summary import Summary
from dashboards.units import bytes_text, grouped, score, seconds_text, significant

_CARDS = 6  # runs; more are better read in the table


def headline(runs: Sequence[Run]) -> str:
    """A card for each run; nothing where there are too many to take in."""
    if len(runs) > _CARDS:
        return ""
    return '<div class="cards">\n' + "\n".join(_card(run) for run in runs) + "\n</div>"


def _card(run: Run) -> str:
    one = run.summary
    facts = [
        _quality(one),
        (
            "bytes, up + down",
            bytes_text(one.traffic.total),
            f"{change(one.traffic.reduction_total)} than dense f32",
        ),
        ("virtual time", seconds_text(one.virtual_seconds), f"{grouped(one.versions)} versions"),
        (
            "client updates per second",
            grouped(one.updates_per_second)
            if one.updates_per_second >= 100
            else significant(one.updates_per_second),
            f"{grouped(one.client_updates)} in {seconds_text(one.wall_seconds)} of wall time",
        ),
    ]
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd><b>{escape(value)}</b> <span>{escape(note)}</span></dd></div>"
        for name, value, note in facts
    )
    return (
        f'<article class="card {colour(run.style)}"><h3>{escape(run.label)}</h3>'
        f"<p>{escape(_description(one))}</p><dl>{cells}</dl></article>"
    )


def _quality(one: Summary) -> tuple[str, str, str]:
    metric = next((name for name in SHOWN if name in one.quality), next(iter(sorted(one.quality)), ""))
    if not metric:
        return ("quality", "–", "not measured")
    baseline = one.popularity.get(metric)
    note = "" if baseline is None else f"most popular items: {score(baseline)}"
    return (title(metric), score(one.quality[metric]), note)


def _description(one: Summary) -> str:
    return (
        f"{one.dataset}: {grouped(one.users)} users, {grouped(one.items)} items, "
        f"{grouped(one.interactions)} interactions. "
        f"{one.model}, {one.codec}, {one.schedule}, seed {one.seed}."
    )
