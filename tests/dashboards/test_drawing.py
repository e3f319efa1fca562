"""Properties of scales, ticks, labels and thinning."""

import re
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.drawing import axes, scale
from dashboards.drawing.lines import thin
from dashboards.drawing.log_time import logarithmic_time
from dashboards.drawing.svg import element, number, text_width
from dashboards.markup import escape, shorten
from dashboards.units import bytes_text, percent, seconds_text, significant

KINDS = {
    "plain": (scale.decimal_step, scale.plain_label, 1e-6, 1e9),
    "bytes": (scale.whole_step, scale.bytes_label, 2.0, 1e18),  # two bytes have two whole ticks
    "seconds": (scale.time_step, scale.seconds_label, 1e-5, 1e9),
}


@st.composite
def ranges(draw) -> tuple[str, float, float]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    _, _, least, most = KINDS[kind]
    span = draw(st.floats(least, most))
    low = draw(st.sampled_from([0.0, span * 0.37, span * 5.1]))
    return kind, low, low + span


@given(ranges())
def test_linear_ticks_cover_rise_and_differ(given_range):
    kind, low, high = given_range
    step, label, _, _ = KINDS[kind]
    made = scale.linear(low, high, step=step, label=label)
    assert made.low <= low + 1e-6 * (high - low)
    assert made.high >= high - 1e-6 * (high - low)
    assert list(made.ticks) == sorted(set(made.ticks))
    assert 2 <= len(made.ticks) <= 8
    assert len(set(made.labels)) == len(made.labels)
    assert made.at(made.low) == 0
    assert made.at(made.high) == 1


@given(ranges())
def test_inside_keeps_to_its_range(given_range):
    kind, low, high = given_range
    step, label, _, _ = KINDS[kind]
    made = scale.inside(low, high, step=step, label=label)
    assert (made.low, made.high) == (low, high)
    assert all(-1e-6 <= made.at(tick) <= 1 + 1e-6 for tick in made.ticks)
    assert 2 <= len(made.ticks) <= 7
    assert len(set(made.labels)) == len(made.labels)


@given(st.floats(1.0, 1e15), st.floats(1.0, 1e6))
def test_logarithmic_ticks_cover_rise_and_differ(low, ratio):
    made = scale.logarithmic(low, low * ratio, label=scale.bytes_label)
    assert made.low <= low * (1 + 1e-6)
    assert made.high >= low * ratio * (1 - 1e-6)
    assert 2 <= len(made.ticks) <= 9
    assert list(made.ticks) == sorted(set(made.ticks))
    assert len(set(made.labels)) == len(made.labels)
    assert made.at(made.low) == pytest.approx(0)
    assert made.at(made.high) == pytest.approx(1)


@given(st.floats(1e-9, 1e9), st.floats(1.0, 1e9))
def test_logarithmic_time_covers_rises_and_says_what_it_is(low, ratio):
    high = min(low * ratio, 8e9)
    made = logarithmic_time(low, high)
    assert made.low <= low * (1 + 1e-6)
    assert made.high >= high * (1 - 1e-6)
    assert 1 <= len(made.ticks) <= 7
    assert list(made.ticks) == sorted(set(made.ticks))
    units = {"µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86_400}
    for tick, label in zip(made.ticks, made.labels, strict=True):
        value, unit = label.replace("\u202f", "").split(" ")
        assert float(value) * units[unit] == pytest.approx(tick)


def test_logarithmic_time_has_the_ticks_of_a_clock():
    assert logarithmic_time(6, 250).labels == ("5 s", "10 s", "20 s", "30 s", "1 min", "2 min", "5 min")
    assert logarithmic_time(0.9, 90_000).labels == ("1 s", "10 s", "1 min", "10 min", "1 h", "10 h", "1 d")


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 7e9])
@pytest.mark.parametrize("make", [scale.linear, scale.inside])
def test_an_empty_range_is_widened(make, value):
    made = make(value, value, step=scale.decimal_step, label=scale.plain_label)
    assert made.low <= value <= made.high
    assert made.low < made.high


@given(ranges())
def test_labels_of_an_axis_never_touch(given_range):
    kind, low, high = given_range
    step, label, _, _ = KINDS[kind]
    x = scale.inside(low, high, step=step, label=label)
    y = scale.linear(0, 1, step=scale.decimal_step, label=scale.plain_label)
    box = axes.frame(x, y)
    drawn = axes.draw(box, "title", "name")
    words = re.findall(r'<text x="([\d.-]+)" y="[\d.]+" text-anchor="middle" class="tick">([^<]+)<', drawn)
    edges = [(float(at) - text_width(word) / 2, float(at) + text_width(word) / 2) for at, word in words]
    assert all(after[0] - before[1] >= 5 for before, after in pairwise(edges))
    assert all(left >= 0 and right <= box.width + 1 for left, right in edges)


@given(st.integers(0, 3_000), st.integers(2, 400))
def test_thinning_keeps_both_ends_and_its_budget(size, budget):
    points = [(float(n), 0.0) for n in range(size)]
    kept, every = thin(points, budget)
    assert len(kept) <= budget
    assert kept[:1] == points[:1]
    assert kept[-1:] == points[-1:]
    assert kept == sorted(set(kept))
    assert (every == 1) == (size <= budget)


@given(st.floats(0, 1e20))
def test_bytes_are_short_and_close(count):
    value, unit = bytes_text(count).split(" ")
    power = ("B", "kB", "MB", "GB", "TB", "PB", "EB").index(unit)
    assert float(value) * 1000**power == pytest.approx(count, rel=6e-3, abs=1e-6)
    assert power == 6 or float(value) < 1000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.0321, "32.1 ms"), (2e-10, "0.2 ns"), (0.9999, "1 s"), (45.21, "45.2 s"),
        (59.97, "1 min"), (725, "12 min 5 s"), (3_599.9, "1 h"), (12_000, "3 h 20 min"),
        (187_200, "2 d 4 h"), (86_400, "1 d"),
    ],
)  # fmt: skip
def test_time_as_a_person_says_it(seconds, text):
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.984, "98.4 %"), (0.9923, "99.23 %"), (0.99951, "99.951 %"), (-0.031, "−3.1 %"), (0, "0.0 %")],
)
def test_percent(fraction, text):
    assert percent(fraction) == text


def test_text_that_must_not_be_markup():
    assert escape('<a href="x">\'&') == "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;"
    assert escape("a\x00b\ud800c\nd") == "a\ufffdb\ufffdc\nd"
    assert element("text", x=1.0, class_='"') == '<text x="1" class="&quot;"/>'


@given(st.text(max_size=80), st.integers(8, 40))
def test_shortened_names_fit(name, limit):
    short = shorten(name, limit)
    assert len(short) <= limit
    assert short[0:1] == name[0:1]
    assert short[-1:] == name[-1:]


@given(st.floats(-1e6, 1e6))
def test_coordinates_are_short_and_close(value):
    assert float(number(value)) == pytest.approx(value, abs=0.0501)


def test_significant_never_uses_exponents():
    assert [significant(v) for v in (0, 1234567, 67.29, 0.000123456, 100)] == [
        "0",
        "1234567",
        "67.3",
        "0.000123",
        "100",
    ]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_can_be_seen_in_light_dark_and_print():
    style = files("dashboards").joinpath("report.css").read_text(encoding="utf-8")
    palettes = [
        dict(re.findall(r"--(\w+): (#\w{6});", block)) for block in re.findall(r":root \{([^}]*)\}", style)
    ]
    assert len(palettes) == 3
    for palette in palettes:
        page = palette["page"]
        assert all(contrast(palette[f"c{n}"], page) >= 3 for n in range(6))
        assert contrast(palette["text"], page) >= 7
        assert min(contrast(palette["soft"], page), contrast(palette["soft"], palette["tint"])) >= 4.5
        for family in "pw":
            shades = sorted(luminance(palette[f"{family}{n}"]) for n in range(3))
            assert min((b + 0.05) / (a + 0.05) for a, b in pairwise(shades)) >= 1.8
