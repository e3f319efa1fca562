"""Quality against what it cost: bytes sent, and virtual time. One panel for each metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dashboards.drawing import axes, scale
from dashboards.drawing.lines import Series, legend, level, line, thin
from dashboards.drawing.scale import Scale
from dashboards.drawing.svg import image
from dashboards.markup import escape, figure, shorten
from dashboards.reading import Run
from dashboards.units import bytes_text, score, seconds_text

SHOWN = ("ndcg@10", "recall@20", "sampled_ndcg@10")
_LOG_FROM = 8.0  # runs that cost this many times each other are drawn on a logarithmic axis
_POINTS = 2_400  # on all lines of a panel together

Cost = Callable[[Run], NDArray[np.float64]]


def title(metric: str) -> str:
    """A metric as a reader of the field writes it, and what was ranked."""
    ranked = "sampled negatives" if metric.startswith("sampled_") else "full ranking"
    return f"{short_title(metric).removeprefix('sampled ')}, {ranked}"


def short_title(metric: str) -> str:
    """A metric as a reader of the field writes it: NDCG@10, sampled HR@10."""
    kind, _, name = metric.rpartition("_")
    measure, _, cutoff = name.partition("@")
    short = {"ndcg": "NDCG", "hr": "HR", "recall": "Recall"}.get(measure, measure)
    return f"{'sampled ' if kind == 'sampled' else ''}{short}@{cutoff}"


def against_bytes(runs: Sequence[Run]) -> str:
    """Quality over all bytes sent so far, up and down."""
    ends = [run.records.curve.sent_bytes[-1] for run in runs if run.records.curve.sent_bytes.size]
    log = len(ends) > 1 and min(ends) > 0 and max(ends) / min(ends) > _LOG_FROM

    def axis(values: NDArray[np.float64]) -> Scale:
        if log:
            return scale.logarithmic(values.min(), values.max(), label=scale.bytes_label)
        return scale.inside(0, values.max(), step=scale.whole_step, label=scale.bytes_label)

    note = (
        " The axis is logarithmic, because the runs differ so much; "
        "what was measured before the first byte has no place on it."
        if log
        else " Every byte of every message, both ways, up to the evaluation."
    )
    return _figure(
        runs,
        "b",
        "bytes sent, up + down",
        lambda run: run.records.curve.sent_bytes,
        axis,
        bytes_text,
        note,
        log,
    )


def against_time(runs: Sequence[Run]) -> str:
    """Quality over the fleet's own clock."""

    def axis(values: NDArray[np.float64]) -> Scale:
        return scale.inside(0, values.max(), step=scale.time_step, label=scale.seconds_label)

    note = " Virtual time is the fleet's: transfers at each device's link, training at its speed."
    return _figure(runs, "t", "virtual time", lambda run: run.records.curve.at_s, axis, seconds_text, note)


def _figure(
    runs: Sequence[Run],
    key: str,
    x_title: str,
    cost: Cost,
    axis: Callable[[NDArray[np.float64]], Scale],
    say: Callable[[float], str],
    note: str,
    positive: bool = False,
) -> str:
    measured = _measured(runs)
    if not measured:
        return "<p>No run has an evaluation, so there is no quality to draw.</p>"
    budget = min(400, max(40, _POINTS // len(runs)))
    panels, widest = [], 1
    for place, metric in enumerate(measured):
        series, every = _series(runs, metric, cost, budget, positive)
        widest = max(widest, every)
        if series:
            panels.append(_panel(f"q{key}{place}", metric, x_title, axis, series, say, _levels(runs, metric)))
    names = [(shorten(run.label), run.style) for run in runs] if len(runs) > 1 else []
    popular = "recommending the most popular items" if any(run.summary.popularity for run in runs) else ""
    kept = f" At most every {widest}th evaluation is drawn, and always the last." if widest > 1 else ""
    caption = f"<b>Quality against {escape(x_title)}.</b>{note}{kept}"
    return figure(panels, caption, legend(names, popular))


def _measured(runs: Sequence[Run]) -> list[str]:
    """The metrics shown that some run has; the first three of any where it has none of those."""
    found = sorted(
        {name for run in runs for name, v in run.records.curve.quality.items() if np.isfinite(v).any()}
    )
    return [name for name in SHOWN if name in found] or found[:3]


def _series(
    runs: Sequence[Run], metric: str, cost: Cost, budget: int, positive: bool
) -> tuple[list[Series], int]:
    series, widest = [], 1
    for run in runs:
        values = run.records.curve.quality.get(metric)
        if values is None:
            continue
        x = cost(run)
        usable = np.isfinite(values) & (x > 0 if positive else np.isfinite(x))
        points, every = thin(list(zip(x[usable].tolist(), values[usable].tolist(), strict=True)), budget)
        widest = max(widest, every)
        if points:
            series.append(Series(run.label, run.style, points))
    return series, widest


def _levels(runs: Sequence[Run], metric: str) -> list[float]:
    return sorted({run.summary.popularity[metric] for run in runs if metric in run.summary.popularity})[:2]


def _panel(
    key: str,
    metric: str,
    x_title: str,
    axis: Callable[[NDArray[np.float64]], Scale],
    series: Sequence[Series],
    say: Callable[[float], str],
    levels: Sequence[float],
) -> str:
    xs = np.array([x for one in series for x, _ in one.points])
    ys = [y for one in series for _, y in one.points] + list(levels)
    y = scale.linear(min(ys), max(ys), step=scale.decimal_step, label=scale.plain_label)
    box = axes.frame(axis(xs), y)
    body = axes.draw(box, title(metric), x_title)
    body += "".join(level(box, value) for value in levels)
    body += "".join(line(box, one) for one in series)
    ends = "; ".join(
        f"{one.label}: {score(one.points[0][1])} at {say(one.points[0][0])}, "
        f"{score(one.points[-1][1])} at {say(one.points[-1][0])}"
        for one in series
    )
    return image(key, box.width, box.height, f"{title(metric)} against {x_title}", ends, body)
