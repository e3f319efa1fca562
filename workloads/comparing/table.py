"""The results for a terminal, in tables that fit 80 columns, and as Markdown for MLflow."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from fedras_ray.evaluation.comparison import Difference
from workloads.comparing.results import MethodResult, Results
from workloads.comparing.scores import Score
from workloads.comparing.target_table import Block, target_blocks, target_note
from workloads.units import share, size, span


def tables(results: Results) -> Group:
    """Quality, bytes, the differences to the reference, and the way to the target."""
    return Group(
        Text(heading(results), style="bold"),
        *(_drawn(*block) for block in blocks(results)),
        *(Text(said, style="dim") for said in (note(results), target_note(results))),
    )


def markdown(results: Results) -> str:
    """The same as Markdown tables."""
    parts = [f"**{heading(results)}**"]
    for head, rows in blocks(results):
        lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
        parts.append("\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]))
    return "\n\n".join([*parts, note(results), target_note(results)])


def heading(results: Results) -> str:
    """What was compared, on what, how often."""
    seeds = results.plan.seeds
    said = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"
    return f"{results.plan.name}  ·  {results.dataset['name']}  ·  {said}"


def note(results: Results) -> str:
    """What is tested, in a sentence, and what cannot be."""
    margin = share(results.plan.margin)
    text = (
        f"no loss: {results.metric} at worst {margin} below that of {results.plan.reference} (95 % interval)"
    )
    if len(results.plan.seeds) == 1:
        text += "; one seed: the intervals are over users alone, other seeds cannot be judged"
    return text


def blocks(results: Results) -> list[Block]:
    """The tables as text."""
    names = list(results.methods[0].scores)
    quality = [[one.name, *(_score(one.scores[name]) for name in names)] for one in results.methods]
    found = [
        (["method", *(name.replace("_", " ") for name in names)], quality),
        (
            ["method", "up", "saved", "down", "saved", "total", "saved", "virtual"],
            [_bytes(one) for one in results.methods],
        ),
    ]
    tested = [[one.name, *_difference(one.difference)] for one in results.methods if one.difference]
    if tested:
        head = [
            f"against {results.plan.reference}",
            results.metric.replace("_", " "),
            "relative",
            "95 % interval",
            "verdict",
        ]
        found.append((head, tested))
    return [*found, *target_blocks(results)]


def _score(score: Score) -> str:
    return (
        f"{score.mean:.4f}"
        if score.error is None
        else f"{score.mean:.4f} ±{score.error:.4f}".replace("±0.", "±.")
    )


def _bytes(one: MethodResult) -> list[str]:
    sent = [(size(one.bytes[way]), _saved(one.bytes[f"reduction_{way}"])) for way in ("up", "down", "total")]
    return [one.name, *(text for pair in sent for text in pair), span(one.virtual_seconds)]


def _saved(fraction: float) -> str:
    return "–" if abs(fraction) < 5e-5 else share(fraction)


def _difference(found: Difference) -> list[str]:
    relative = [found.relative(value) for value in (found.estimate, found.low, found.high)]
    shares = ["–" if value is None else f"{100 * value:+.1f} %" for value in relative]
    return [f"{found.estimate:+.4f}", shares[0], f"{shares[1]} to {shares[2]}", said(found)]


def said(found: Difference) -> str:
    """The verdict, and whom it is about where that is not every training."""
    return found.verdict.value if found.seeds_judged else f"{found.verdict.value}, this seed"


def _drawn(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for place, title in enumerate(head):
        table.add_column(title, justify="right" if place else "left", no_wrap=bool(place))
    for row in rows:
        table.add_row(*row)
    return table
