"""Numbers as people read them."""

from __future__ import annotations


def size(byte_count: float) -> str:
    """Decimal units, as links are sold: ``1.3 MB``."""
    if abs(byte_count) < 1000:
        return f"{byte_count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        byte_count /= 1000
        if abs(byte_count) < 1000:
            return f"{byte_count:.4g} {unit}"
    return f"{byte_count / 1000:,.1f} TB"


def span(duration_s: float) -> str:
    """``4.2 s``, ``42 s``, ``3 min 05 s``, ``2 h 10 min``, ``3 d 04 h``."""
    whole = round(duration_s)
    if duration_s < 9.95:
        return f"{duration_s:.1f} s" if duration_s >= 1 else f"{duration_s:.2f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02d} h"


def share(fraction: float) -> str:
    """A fraction as a percentage, never rounded up to 100 %."""
    percent = min(100 * fraction, 99.99) if fraction < 1 else 100.0
    return f"{percent:.2f} %"


def saving(fraction: float) -> str:
    """A reduction against dense f32, in words: ``98.40 % less than dense f32``."""
    if abs(fraction) < 5e-5:
        return "as dense f32"
    much = f"{share(fraction)} less" if fraction > 0 else f"{-100 * fraction:.2f} % more"
    return f"{much} than dense f32"
