"""Quantities as a person says them: 12.3 MB, 1 h 20 min, 98.4 %, 1 234 567."""

from __future__ import annotations

import math

THIN = "\u202f"  # narrow no-break space: SI's separator of thousands
MINUS = "\u2212"
_BYTES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_SUBSECOND = ((1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def bytes_text(count: float) -> str:
    """Three significant digits in decimal units (1 kB is 1000 bytes)."""
    value, unit = float(count), 0
    while abs(value) >= 999.5 and unit < len(_BYTES) - 1:
        value, unit = value / 1000, unit + 1
    return f"{significant(value)} {_BYTES[unit]}"


def seconds_text(seconds: float) -> str:
    """The two largest units that matter, e.g. 45.2 s, 12 min 5 s, 3 h 20 min, 2 d 4 h."""
    if 0 < seconds < 0.9995:
        scale, unit = next((pair for pair in _SUBSECOND if seconds >= pair[0] * 0.9995), _SUBSECOND[-1])
        return f"{significant(seconds / scale)} {unit}"
    if seconds < 59.95:
        return f"{significant(seconds)} s"
    whole = round(seconds)
    for big, big_name, small, small_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min")):
        if whole >= big:
            return _two(round(whole / small), big // small, big_name, small_name)
    return _two(whole, 60, "min", "s")


def _two(smalls: int, per_big: int, big_name: str, small_name: str) -> str:
    big, small = divmod(smalls, per_big)
    return f"{grouped(big)} {big_name} {small} {small_name}" if small else f"{grouped(big)} {big_name}"


def percent(fraction: float) -> str:
    """One decimal, and more above 99 %, where the next tenth is what the work is about."""
    digits = 1 if fraction < 0.99 else 2 if fraction < 0.999 else 3
    return f"{fraction * 100:.{digits}f} %".replace("-", MINUS)


def signed(share: float | None) -> str:
    """A relative difference with its sign; a dash where it has none."""
    if share is None:
        return "–"
    return f"{'+' if share > 0 else ''}{100 * share:.1f} %".replace("-", MINUS)


def grouped(count: float) -> str:
    """A whole number with its thousands set apart."""
    return f"{round(count):,}".replace(",", THIN).replace("-", MINUS)


def score(value: float | None) -> str:
    """A quality between 0 and 1 with four decimals, or a dash where it was not measured."""
    return "–" if value is None else f"{value:.4f}"


def significant(value: float, digits: int = 3) -> str:
    """So many significant digits, never in exponent form, without trailing zeros after a point."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS)
