"""Quality of one run, or all runs in one table with the best of each column in bold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dashboards.figures.quality import short_title, title
from dashboards.markup import escape, table
from dashboards.reading import Run
from dashboards.summary import Summary
from dashboards.units import bytes_text, grouped, percent, score, seconds_text, significant

_METRICS = ("ndcg@10", "ndcg@20", "recall@10", "recall@20", "sampled_ndcg@10", "sampled_hr@10")


class Column:
    """A heading, a number, how to write it, and which end of it is better (+1, -1, 0 for neither)."""

    def __init__(
        self, head: str, value: Callable[[Summary], float | None], write: Callable[[float], str], better: int
    ) -> None:
        self.head, self.value, self.write, self.better = head, value, write, better

    def cells(self, summaries: Sequence[Summary]) -> list[str]:
        """Markup for each run."""
        written = [None if v is None else self.write(v) for v in map(self.value, summaries)]
        best = self._best(summaries)
        # Runs that read the same are equally good.
        return [
            "–" if text is None else f"<b>{escape(text)}</b>" if text == best else escape(text)
            for text in written
        ]

    def _best(self, summaries: Sequence[Summary]) -> str | None:
        values = [value for value in map(self.value, summaries) if value is not None]
        if not self.better or len(set(values)) < 2:
            return None
        return self.write(max(values) if self.better > 0 else min(values))


def comparison(runs: Sequence[Run]) -> str:
    """Nothing for one run."""
    if len(runs) < 2:
        return ""
    summaries = [run.summary for run in runs]
    columns = _columns(summaries)
    cells = [column.cells(summaries) for column in columns]
    kinds = [name for name in ("codec", "schedule") if len({getattr(one, name) for one in summaries}) > 1]
    rows = [
        [
            escape(run.label),
            *(escape(getattr(run.summary, name)) for name in kinds),
            *(column[place] for column in cells),
        ]
        for place, run in enumerate(runs)
    ]
    head = ["run", *kinds, *(escape(column.head) for column in columns)]
    caption = (
        "Quality over the full catalogue, except where sampled negatives are named. "
        "Bold: best in the column, as printed; what is the same for all has none. "
        "Each row is one run with one seed; differences the size of those between seeds mean nothing."
    )
    return table(caption, head, rows, label="Comparison of runs", kind="numbers")


def measures(runs: Sequence[Run]) -> str:
    """Every quality of a run that stands alone; several are compared instead."""
    if len(runs) > 1 or not runs[0].summary.quality:
        return ""
    one = runs[0].summary
    rows = [
        [
            escape(title(name)),
            _uncertain(value, one.errors.get(name)),
            *([score(one.popularity.get(name))] if one.popularity else []),
        ]
        for name, value in sorted(one.quality.items())
    ]
    head = ["measure", "this run", *(["most popular items"] if one.popularity else [])]
    caption = "Quality of the last version, averaged over the users with a test item."
    if one.asked < one.tested:
        caption = (
            f"Quality of the last version, averaged over {grouped(one.asked)} users, a sample of the "
            f"{grouped(one.tested)} with a test item; ± is one standard error of it."
        )
    return table(caption, head, rows, label="Quality", kind="numbers")


def _uncertain(value: float, error: float | None) -> str:
    return score(value) if error is None else f"{score(value)} ± {score(error)}"


def _columns(summaries: Sequence[Summary]) -> list[Column]:
    measured = [name for name in _METRICS if any(name in one.quality for one in summaries)]
    wasteful = any(one.traffic.wasted > 0 for one in summaries)
    stale = any(one.mean_staleness > 0 for one in summaries)
    longer = len({one.versions for one in summaries}) > 1
    return [
        *(Column(short_title(name), _quality(name), score, 1) for name in measured),
        Column("bytes up", lambda one: one.traffic.up, bytes_text, -1),
        Column("bytes down", lambda one: one.traffic.down, bytes_text, -1),
        Column("bytes in total", lambda one: one.traffic.total, bytes_text, -1),
        Column("less than dense f32", lambda one: one.traffic.reduction_total, percent, 1),
        *([Column("wasted", lambda one: one.traffic.wasted, bytes_text, -1)] if wasteful else []),
        Column("virtual time", lambda one: one.virtual_seconds, seconds_text, -1),
        *([Column("versions", lambda one: one.versions, grouped, 0)] if longer else []),
        *([Column("mean staleness", lambda one: one.mean_staleness, significant, 0)] if stale else []),
        Column("updates/s (wall)", lambda one: one.updates_per_second, significant, 1),
    ]


def _quality(name: str) -> Callable[[Summary], float | None]:
    return lambda one: one.quality.get(name)
