"""SVG as text: elements, numbers short enough to keep a page small, and an image with a title."""

from __future__ import annotations

from dashboards.markup import escape

EM = 12.0  # px: the type size of every figure, repeated in report.css


def number(value: float) -> str:
    """A coordinate to a tenth of a pixel."""
    text = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(tag: str, content: str = "", **attributes: str | float) -> str:
    """`content` is markup; attributes are escaped (``class_`` is class, ``text_anchor`` is text-anchor)."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value != ""
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def _value(value: str | float) -> str:
    return number(value) if isinstance(value, float) else escape(value)


def text(x: float, y: float, content: str, *, anchor: str = "", kind: str = "") -> str:
    """A line of text with its baseline at `y`; `anchor` is middle or end, else it starts at `x`."""
    return element("text", escape(content), x=float(x), y=float(y), text_anchor=anchor, class_=kind)


def text_width(content: str) -> float:
    """Pixels that a label takes, a little on the wide side: digits and lower case are 0.56 em."""
    return 0.56 * EM * len(content)


def image(
    key: str, width: float, height: float, title: str, description: str, body: str, kind: str = ""
) -> str:
    """A whole drawing; `key` is unique on the page, title and description are read aloud."""
    return (
        f'<svg class="{f"panel {kind}".strip()}" viewBox="0 0 {number(width)} {number(height)}" role="img" '
        f'aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>'
        f"{body}</svg>"
    )
