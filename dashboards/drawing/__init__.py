"""A small figure kit: scales, axes, lines and bars as inline SVG text.

Everything is drawn in CSS pixels on panels about as wide as a phone, so that type keeps its size
on every screen; colours are classes of ``report.css``, so that light, dark and print agree.
"""
