"""A sentence on the noise that clients added, where they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboards.markup import escape
from dashboards.reading import Run
from dashboards.units import grouped, significant


def privacy(runs: Sequence[Run]) -> str:
    """What the noise of each run that had some comes to, or nothing."""
    said = [
        f"{escape(run.label) + ': ' if len(runs) > 1 else ''}{_guarantee(run.summary.privacy)}"
        for run in runs
        if run.summary.privacy
    ]
    return f"<p>{'; '.join(said)}.</p>" if said else ""


def _guarantee(found: Mapping[str, float]) -> str:
    most, median = (
        f"{significant(found[f'epsilon_{which}'])} ({grouped(found[f'turns_{which}'])} turns)"
        for which in ("most", "median")
    )
    return (
        f"Values of updates have local differential privacy with ε = {most} for the client with most turns "
        f"and {median} for the median client, at δ = {found['delta']:g}; which rows they touch is not hidden"
    )
