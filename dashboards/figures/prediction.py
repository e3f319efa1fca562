"""How far predicted turn times are from actual ones: the share of turns that are off by no more."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.drawing import axes, scale
from dashboards.drawing.lines import Series, legend, line
from dashboards.drawing.svg import image
from dashboards.markup import escape, figure, shorten
from dashboards.reading import Run
from dashboards.units import grouped, significant
from fedras_ray.evaluation.prediction import PredictionError

_DRAWN = 99  # % of a run's turns; the last one may be off by any amount
_LEAST = 0.01  # an axis of no error at all ends here


def prediction(runs: Sequence[Run]) -> str:
    """A curve and a sentence for each run whose policy predicted; nothing where none did."""
    told = [(run, error) for run in runs if (error := run.records.prediction) is not None]
    if not told:
        return ""
    several = len(runs) > 1
    said = "; ".join(f"{escape(run.label) + ': ' if several else ''}{_said(error)}" for run, error in told)
    caption = (
        "<b>Predicted turn times.</b> How far a turn's predicted time is from what it took, as a share of "
        "that, and the share of turns that are off by no more. Turns that clients left are not counted."
    )
    names = [(shorten(run.label), run.style) for run, _ in told] if several else []
    return f"<p>{said}.</p>" + figure([_panel(told)], caption, legend(names))


def _said(error: PredictionError) -> str:
    return (
        f"{grouped(error.turns)} turns were predicted, half of them to at most {_percent(error.median)} "
        f"of what they took, 19 of 20 to at most {_percent(error.p95)}"
    )


def _percent(off: float) -> str:
    return f"{significant(100 * off)} %"


def _panel(told: Sequence[tuple[Run, PredictionError]]) -> str:
    curves = [
        Series(run.label, run.style, [(float(off), at / 100) for at, off in enumerate(error.quantiles)])
        for run, error in told
    ]
    end = max(_LEAST, *(curve.points[_DRAWN][0] for curve in curves))
    x = scale.linear(0, end, step=scale.decimal_step, label=_share)
    y = scale.linear(0, 1, step=scale.decimal_step, label=_share)
    box = axes.frame(x, y)
    body = axes.draw(box, "share of turns", "off by no more than")
    body += "".join(line(box, Series(one.label, one.style, one.points[: _DRAWN + 1])) for one in curves)
    said = "; ".join(f"{run.label}: {_said(error)}" for run, error in told)
    return image("prediction", box.width, box.height, "Error of predicted turn times", said, body)


def _share(value: float, step: float) -> str:
    return _percent(value) if step < 0.01 else f"{value * 100:.0f} %"
