"""Device classes side by side: what their turns cost, what became of them, and how good their lists are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dashboards.device_classes import NOBODY, DeviceClass
from dashboards.figures.quality import SHOWN, short_title
from dashboards.markup import escape, table
from dashboards.reading import Run
from dashboards.units import bytes_text, grouped, score, seconds_text, significant

_DASH = "–"
_INDICES = (
    ("gini", "Gini index of turns over clients"),
    ("jain", "Jain's over clients"),
    ("jain_classes", "Jain's over classes"),
)


def classes(runs: Sequence[Run]) -> str:
    """A row for each class of each run; a sentence where a run has none to show."""
    told = [run for run in runs if run.summary.classes]
    older = [run.label for run in runs if not run.summary.classes]
    said = f"<p>Not told by device class, as made by an older version: {escape(', '.join(older))}.</p>"
    metrics = [
        name for name in SHOWN if any(name in one.quality for run in told for one in run.summary.classes)
    ]
    several = len(runs) > 1
    rows = [
        [*([escape(run.label)] if several else []), *_cells(one, metrics)]
        for run in told
        for one in run.summary.classes
    ]
    if not rows:
        return said
    head = [*(["run"] if several else []), "device class", "clients", "turns each", "used", "K"]
    head += ["up a turn", "down a turn", "turn, median", "turn, 95 %", *(map(short_title, metrics)), "users"]
    body = table(_caption(told), head, rows, label="Each device class", kind="numbers")
    return body + (said if older else "")


def _cells(one: DeviceClass, metrics: Sequence[str]) -> list[str]:
    each = significant(one.turns / one.clients) if one.clients else _DASH
    used = f"{significant(100 * one.used / one.turns)} %" if one.turns else _DASH
    return [
        escape(one.name),
        grouped(one.clients) if one.clients else _DASH,
        each,
        used,
        _said(one.median_actions or None, significant),
        _said(one.up_bytes_per_turn, bytes_text),
        _said(one.down_bytes_per_turn, bytes_text),
        _said(one.median_turn_seconds, seconds_text),
        _said(one.p95_turn_seconds, seconds_text),
        *(score(one.quality.get(name)) for name in metrics),
        grouped(one.users),
    ]


def _said(value: float | None, write: Callable[[float], str]) -> str:
    return _DASH if value is None else write(value)


def _caption(runs: Sequence[Run]) -> str:
    nobody = any(one.name == NOBODY for run in runs for one in run.summary.classes)
    return (
        "Clients are those with a turn, bytes and times are those of one turn, used are turns that reached "
        "a version, K is the median size of a codebook. Quality is that of the last version, a mean over the "
        "class's users." + (f" The class of clients that were {NOBODY} is not known." if nobody else "")
    )


def participation(runs: Sequence[Run]) -> str:
    """A sentence for each run: how many clients took part, and how evenly."""
    said = [
        f"{escape(run.label) + ': ' if len(runs) > 1 else ''}{_shares(run.summary.participation)}"
        for run in runs
        if run.summary.participation
    ]
    return f"<p>{'; '.join(said)}.</p>" if said else ""


def _shares(found: Mapping[str, float]) -> str:
    text = (
        f"{grouped(found['asked'])} of {grouped(found['clients'])} clients had a turn, "
        f"none more than {grouped(found['most_turns'])}"
    )
    indices = [f"{title} {found[key]:.3f}" for key, title in _INDICES if key in found]
    return f"{text} ({', '.join(indices)})" if indices else text
