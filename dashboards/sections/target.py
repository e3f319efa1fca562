"""Time to target and device classes of a comparison, as tables."""

from __future__ import annotations

from collections.abc import Callable

from dashboards.device_classes import NOBODY
from dashboards.figures.quality import short_title
from dashboards.markup import escape, table
from dashboards.methods import Comparison, Method
from dashboards.targets import ClassShare
from dashboards.units import MINUS, bytes_text, grouped, score, seconds_text, significant

_DASH = "–"
_ENOUGH = 0.9  # of the reference's quality: a class below it is marked


def reached(found: Comparison) -> str:
    """Virtual time and bytes to the target, and what never got there."""
    rows = [[escape(one.name), *_way(one, len(found.seeds))] for one in found.methods]
    base = escape(found.reference)
    head = [
        "method",
        "virtual time",
        "times faster",
        "bytes, up + down",
        "times fewer bytes",
        "seeds",
        "never",
    ]
    several = len(found.seeds) > 1
    caption = (
        f"To the first evaluation with at least {100 * found.target:g} % of the best "
        f"{escape(short_title(found.metric))} that {base} had under the same seed; between evaluations "
        "nothing is interpolated. Times and bytes are since the start of the run"
        + (", means with their standard errors; ratios are geometric means of pairs. " if several else ". ")
        + f"Never: seeds that did not get there, and the best they had as a share of the best of {base}; "
        "a method with one has no mean."
    )
    return table(caption, head, rows, label="Time to target", kind="numbers")


def _way(one: Method, seeds: int) -> list[str]:
    way = one.way
    never = [f"seed {seed}" + ("" if best is None else f" ({_share(best)})") for seed, best in way.never]
    return [
        _with_error(way.seconds, way.seconds_error, seconds_text),
        _times(way.times_faster),
        _with_error(way.bytes, way.bytes_error, bytes_text),
        _times(way.times_fewer_bytes),
        f"{seeds - len(way.never)} of {seeds}",
        ", ".join(never) or _DASH,
    ]


def _with_error(mean: float | None, error: float | None, say: Callable[[float], str]) -> str:
    if mean is None:
        return _DASH
    return f"{say(mean)} ± {say(error)}" if error else say(mean)


def _times(ratio: float | None) -> str:
    return _DASH if ratio is None else f"{significant(ratio)}×"


def by_class(found: Comparison) -> str:
    """Each method's quality for a device class, and beside that of the reference for the same class."""
    names = list(dict.fromkeys(one.name for method in found.methods for one in method.classes))
    if len([name for name in names if name != NOBODY]) < 2:
        return ""
    rows = [
        [
            escape(method.name),
            *(_class(known.get(name), method.name == found.reference) for name in names),
        ]
        for method in found.methods
        for known in [{one.name: one for one in method.classes}]
    ]
    caption = (
        f"{escape(short_title(found.metric))} of the last version by device class, a mean over the class's "
        f"users and seeds; beside it its share of the quality that {escape(found.reference)} has for the "
        f"same class, with the 95 % interval, paired over users and seeds. "
        f"Marked: below {100 * _ENOUGH:.0f} %."
        + (
            f" No run asked the clients that were {NOBODY}, so their class is not known."
            if NOBODY in names
            else ""
        )
    )
    return table(
        caption, ["method", *map(_head(found), names)], rows, label="Each device class", kind="numbers"
    )


def _head(found: Comparison) -> Callable[[str], str]:
    users = {one.name: one.users for one in found.base.classes}
    return lambda name: f"{escape(name)} ({grouped(users[name])} users)" if name in users else escape(name)


def _class(one: ClassShare | None, is_reference: bool) -> str:
    if one is None or one.quality is None:
        return _DASH
    if one.of_reference is None or is_reference:
        return score(one.quality)
    text = f"{score(one.quality)} · {_share(one.of_reference)}"
    if one.low is not None and one.high is not None:
        text += f" ({_share(one.low)} to {_share(one.high)})"
    return f"<mark>{text}</mark>" if one.of_reference < _ENOUGH else text


def _share(fraction: float) -> str:
    return f"{100 * fraction:.1f} %".replace("-", MINUS)
