"""The numbers of a comparison: one row per method, and what the test says of each."""

from __future__ import annotations

from dashboards.figures.quality import short_title
from dashboards.markup import escape, table
from dashboards.methods import Comparison, Method, Score
from dashboards.units import MINUS, bytes_text, percent, score, seconds_text, signed


def measured(found: Comparison) -> str:
    """Quality, bytes and virtual time."""
    names = list(found.base.scores)
    head = ["method", "codec", *(escape(short_title(name)) for name in names)]
    head += ["bytes up", "saved", "bytes down", "saved", "bytes in total", "saved", "virtual time"]
    rows = [
        [
            escape(one.name),
            escape(one.codec),
            *(_score(one.scores[name], len(found.seeds)) for name in names),
            *_traffic(one),
            seconds_text(one.virtual_seconds),
        ]
        for one in found.methods
    ]
    caption = (
        "Means over seeds, with the standard error of the mean where there are several. Bytes and virtual "
        "time are those of one run; what is saved is counted against dense f32 for the same turns."
    )
    return table(caption, head, rows, label="Methods", kind="numbers")


def tested(found: Comparison) -> str:
    """Differences to the reference, with intervals and verdicts; nothing where there is but one method."""
    rows = []
    for one in found.methods:
        if one.tested:
            interval = f"{signed(one.tested.low)} to {signed(one.tested.high)}"
            rows.append([escape(one.name), signed(one.tested.relative), interval, escape(one.tested.verdict)])
    if not rows:
        return ""
    margin = percent(found.margin)
    caption = (
        f"{escape(short_title(found.metric))} against {escape(found.reference)}, as shares of its quality. "
        "Paired over users and seeds. No loss: the lower end of the 95 % interval is above "
        f"{MINUS}{margin}. Loss: its upper end is below 0. Loss within margin: both. Too thin: neither "
        f"can be said on so few users and seeds.{_alone(found)}"
    )
    return table(
        caption, ["method", "difference", "95 % interval", "verdict"], rows, label="Tests", kind="numbers"
    )


def _alone(found: Comparison) -> str:
    if len(found.seeds) > 1:
        return ""
    return " There is one seed: the intervals are over users alone, and other seeds cannot be judged."


def _score(one: Score, seeds: int) -> str:
    return score(one.mean) if seeds == 1 else f"{score(one.mean)} ± {score(one.error)}"


def _traffic(one: Method) -> list[str]:
    cells = []
    for way in ("up", "down", "total"):
        reduction = one.traffic[f"reduction_{way}"]
        cells += [bytes_text(one.traffic[way]), "–" if abs(reduction) < 5e-5 else percent(reduction)]
    return cells
