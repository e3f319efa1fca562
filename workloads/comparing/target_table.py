"""Time to target, and the device class that is worst off, as blocks of the table."""

from __future__ import annotations

from workloads.comparing.classes import ClassQuality, lowest
from workloads.comparing.results import Results
from workloads.comparing.target import Target, coarse
from workloads.units import share, size, span

Block = tuple[list[str], list[list[str]]]  # head, and a row per method
COARSE = 0.2  # of a time, beyond which the evaluations are said to be too far apart


def target_blocks(results: Results) -> list[Block]:
    """When each method was good enough; and where devices are told apart, whom it serves worst."""
    goal = f"to {100 * results.plan.target:g} % of best"
    head = [goal, "virtual", "faster", "bytes", "fewer", "reached", "never: best"]
    found = [(head, [[one.name, *_way(one.to_target)] for one in results.methods])]
    worst = [(one.name, lowest(one.classes)) for one in results.methods if one.difference]
    rows = [[name, *_class(low)] for name, low in worst if low]
    if rows:
        head = [f"against {results.plan.reference}", "lowest class", "of its quality", "95 % interval"]
        found.append((head, rows))
    return found


def target_note(results: Results) -> str:
    """What the target is, and whether evaluations are close enough to speak of times."""
    text = (
        f"target: the first evaluation with {100 * results.plan.target:g} % of the best {results.metric} "
        f"that {results.plan.reference} had under the same seed; ratios are geometric means over seeds"
    )
    widest = max(coarse(one.to_target) for one in results.methods)
    if widest > COARSE:
        text += (
            f"; up to {share(widest)} of a time passed since the evaluation before it: lower evaluation.every"
        )
    return text


def _way(way: Target) -> list[str]:
    """A dash where a seed has no such number; which never got there, and how far they got."""
    never = way.never
    far = max((one.best_of_reference or 0.0 for one in never), default=0.0)
    return [
        span(way.seconds.mean) if way.seconds else "–",
        f"{way.times_faster.mean:.3g}x" if way.times_faster else "–",
        size(way.bytes.mean) if way.bytes else "–",
        f"{way.times_fewer_bytes.mean:.3g}x" if way.times_fewer_bytes else "–",
        f"{way.reached} of {len(way.seeds)}",
        f"{_seeds(way)}: {100 * far:.1f} %" if never else "",
    ]


def _seeds(way: Target) -> str:
    """Which never reached it; too many for a column are counted."""
    seeds = [str(one.seed) for one in way.never]
    return f"s{','.join(seeds)}" if len(seeds) <= 3 else f"{len(seeds)} seeds"


def _class(one: ClassQuality) -> list[str]:
    if one.of_reference is None:
        return [str(one.name), "–", "–"]
    low, high = one.of_reference_low, one.of_reference_high
    interval = f"{100 * low:.1f} to {100 * high:.1f} %" if low is not None and high is not None else "–"
    return [str(one.name), f"{100 * one.of_reference:.1f} %", interval]
