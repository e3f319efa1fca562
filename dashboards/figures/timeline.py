"""The opening of a run on the fleet's clock: download, train, upload, what became of it, and the versions."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.drawing import axes, scale
from dashboards.drawing.axes import Frame
from dashboards.drawing.scale import Scale
from dashboards.drawing.svg import element, image, number, text, text_width
from dashboards.markup import escape, figure, shorten
from dashboards.opening import USED, Opening, Turn
from dashboards.reading import Run
from dashboards.units import grouped, seconds_text

_PANELS = 6  # runs drawn
_ROW = 8.0  # px
_LINES = 24  # versions drawn at most
_TOLD = 240  # turns that get a tooltip each; more are drawn as one
_SIZES = ((760.0, "wide"), (axes.WIDTH, "narrow"))  # one is for large screens and print, one for phones
_PHASES = ("download", "train", "upload")
_CROSS = "m-2.5-2.5l5 5m0-5l-5 5"  # what is not used ends in a sign, for those who see no colour:
_CIRCLE = "m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0"  # this one where it never arrived
_NEVER_ARRIVED = ("dropped", "lost")


def timeline(runs: Sequence[Run]) -> str:
    """One run in two widths, of which the page shows one; several side by side on one scale."""
    shown = [run for run in runs if run.records.opening.turns][:_PANELS]
    if not shown:
        return "<p>No turns were recorded, so there is no timeline.</p>"
    longest = _length([run.records.opening for run in shown])
    sizes = _SIZES if len(runs) == 1 else ((axes.WIDTH, ""),)
    panels = [_panel(run, longest, width, kind) for run in shown for width, kind in sizes]
    more = f" The first {_PANELS} runs are drawn." if len(runs) > _PANELS else ""
    caption = (
        f"<b>The first {seconds_text(longest)} of virtual time.</b> A row is a place at work, taken by one "
        "client after another, the shortest turn first where several begin at once: a gap is a device not at "
        "work. "
        "An upright line is a new version. Latency is part of both transfers. "
        f"{_choice(shown)}{_thinned(shown, longest)}{more}"
    )
    return figure(panels, caption, _legend(shown))


def _length(openings: Sequence[Opening]) -> float:
    """Seconds shown of every run: what is worth seeing, as far as all is known."""
    return min(
        max(one.wish_s - one.start_s for one in openings), min(one.limit_s - one.start_s for one in openings)
    )


def _choice(runs: Sequence[Run]) -> str:
    parts = []
    for run in runs:
        one = run.records.opening
        of = f"{grouped(one.rows)} of {grouped(one.places)} places" if one.rows < one.places else ""
        nth = f"one client in {one.every}" if one.every > 1 else ""
        said = ", ".join(part for part in (of, nth) if part)
        parts += [f"{escape(run.label)}: {said}" if len(runs) > 1 else said] if said else []
    return f"Shown at even distances, from fast to slow: {'; '.join(parts)}." if parts else ""


def _made(one: Opening, longest: float) -> tuple[list[tuple[int, float]], int]:
    """The versions that get a line, and that of how many it is one."""
    seen = [pair for pair in one.versions if pair[1] <= one.start_s + longest]
    every = -(-len(seen) // _LINES) or 1
    return [pair for pair in seen if pair[0] % every == 0], every


def _thinned(runs: Sequence[Run], longest: float) -> str:
    widest = max(_made(run.records.opening, longest)[1] for run in runs)
    return f" There are so many versions that one in {widest} has a line." if widest > 1 else ""


def _legend(runs: Sequence[Run]) -> str:
    fates = sorted({turn.fate for run in runs for turn in run.records.opening.turns} - {USED})
    items = "".join(
        f'<li><span class="swatch p{place}"></span>{name}</li>' for place, name in enumerate(_PHASES)
    )
    for sign in dict.fromkeys(_sign(fate) for fate in fates):
        swatches = "".join(f'<span class="swatch w{place}"></span>' for place in range(len(_PHASES)))
        names = " or ".join(fate for fate in fates if _sign(fate) == sign)
        items += f"<li>{swatches}{_key('sign', 'M6 6' + sign)}the same, {escape(names)}</li>"
    return f'<ul class="legend">{items}<li>{_key("made", "M6 0V12")}a version</li></ul>\n'


def _sign(fate: str) -> str:
    return _CIRCLE if fate in _NEVER_ARRIVED else _CROSS


def _key(kind: str, data: str) -> str:
    drawn = element("path", d=data, class_=kind)
    return f'<svg class="tiny" viewBox="0 0 12 12" aria-hidden="true">{drawn}</svg>'


def _panel(run: Run, longest: float, width: float, kind: str) -> str:
    one = run.records.opening
    end, target = one.start_s + longest, 8 if kind == "wide" else 5
    x = scale.inside(one.start_s, end, step=scale.time_step, label=scale.seconds_label, target=target)
    box = axes.frame(x, Scale(0.0, float(one.rows), (), ()), width, height=86.0 + _ROW * one.rows, top=42.0)
    turns = [turn for turn in one.turns if turn.times_s[0] < end]
    body = axes.draw(box, shorten(run.label, 48), "virtual time")
    body += _told(box, turns) if kind == "wide" and len(turns) <= _TOLD else _plain(box, turns)
    body += _lines(box, _made(one, longest)[0])
    return image(
        f"g{run.style}{kind[:1]}", width, box.height, f"{run.label}: first turns", _summary(turns), body, kind
    )


def _summary(turns: Sequence[Turn]) -> str:
    slowest = max(turns, key=_span)
    lost = sum(turn.fate != USED for turn in turns)
    return (
        f"{len(turns)} turns, {lost} of them not used; the longest, of client {slowest.client} "
        f"({slowest.device_class}), takes {seconds_text(_span(slowest))}"
    )


def _span(turn: Turn) -> float:
    return turn.times_s[3] - turn.times_s[0]


def _told(box: Frame, turns: Sequence[Turn]) -> str:
    """A group for each turn, whose tooltip says what it is."""
    drawn = ""
    for turn in turns:
        spans = [turn.times_s[phase + 1] - turn.times_s[phase] for phase in range(3)]
        steps = ", ".join(f"{name} {seconds_text(span)}" for name, span in zip(_PHASES, spans, strict=True))
        said = f"client {turn.client} ({turn.device_class}): {steps}; {turn.fate}"
        parts = "".join(element("path", d=data, class_=kind) for kind, data in _bars(box, turn))
        drawn += element("g", f"<title>{escape(said)}</title>{parts}")
    return drawn + _signs(box, turns)


def _plain(box: Frame, turns: Sequence[Turn]) -> str:
    """All bars of a colour in one path."""
    paths: dict[str, str] = {}
    for turn in turns:
        for kind, data in _bars(box, turn):
            paths[kind] = paths.get(kind, "") + data
    bars = "".join(element("path", d=data, class_=kind) for kind, data in sorted(paths.items()))
    return bars + _signs(box, turns)


def _bars(box: Frame, turn: Turn) -> list[tuple[str, str]]:
    """(class, path data) of up to three bars that touch."""
    top, family = _top(box, turn), "p" if turn.fate == USED else "w"
    found = []
    for phase in range(3):
        begins, ends = turn.times_s[phase], min(turn.times_s[phase + 1], box.x.high)
        if ends > begins:
            outline = f"M{number(box.px(begins))} {number(top)}H{number(box.px(ends))}v{number(_ROW - 2)}"
            found.append((f"fill {family}{phase}", f"{outline}H{number(box.px(begins))}z"))
    return found


def _top(box: Frame, turn: Turn) -> float:
    return box.top + turn.row * _ROW + 1


def _signs(box: Frame, turns: Sequence[Turn]) -> str:
    """Over all bars, at the end of each turn that was not used."""
    data = "".join(
        f"M{number(box.px(turn.times_s[3]))} {number(_top(box, turn) + _ROW / 2 - 1)}{_sign(turn.fate)}"
        for turn in turns
        if turn.fate != USED and turn.times_s[3] <= box.x.high
    )
    return element("path", d=data, class_="sign") if data else ""


def _lines(box: Frame, made: Sequence[tuple[int, float]]) -> str:
    """An upright line for each version, with its number where there is room."""
    drawn, edge = "", 0.0
    for version, at_s in made:
        x, said = box.px(at_s), f"v{version}"
        drawn += element("path", d=f"M{number(x)} {number(box.top - 4)}V{number(box.bottom)}", class_="made")
        half = text_width(said) / 2
        if x - half >= edge and x + half <= box.width:
            drawn += text(x, box.top - 8, said, anchor="middle", kind="tick")
            edge = x + half + axes.GAP
    return drawn
