"""HTML as text. Whatever did not come from this project goes through `escape`.

Elements are closed the XML way, so that a page is well-formed both as HTML and as XML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

# what XML cannot carry, and lone surrogates, which UTF-8 cannot
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def escape(text: object) -> str:
    """Safe as content and as an attribute; characters no page can hold become U+FFFD."""
    return html.escape(_UNSPEAKABLE.sub("\ufffd", str(text)), quote=True)


def shorten(text: str, limit: int = 34) -> str:
    """At most `limit` characters: a long name loses its middle, where names differ least."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def section(anchor: str, title: str, *parts: str) -> str:
    """A second-level part of the page; empty parts are left out."""
    body = "\n".join(part for part in parts if part)
    return (
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">\n'
        f'<h2 id="{anchor}-title">{escape(title)}</h2>\n{body}\n</section>'
    )


def figure(panels: Sequence[str], caption: str, legend: str = "", kind: str = "") -> str:
    """Panels side by side where there is room, with one legend and one caption (both markup)."""
    return (
        f'<figure>\n{legend}<div class="{f"panels {kind}".strip()}">\n' + "\n".join(panels) + "\n</div>\n"
        f"<figcaption>{caption}</figcaption>\n</figure>"
    )


def table(
    caption: str, head: Sequence[str], body: Iterable[Sequence[str]], *, label: str, kind: str = ""
) -> str:
    """A table whose first column heads its rows; cells and caption are markup.

    It scrolls sideways in its own box on a narrow screen, reachable by keyboard: hence `label`.
    """
    columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = "\n".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>"
        for row in body
    )
    return (
        f'<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0">\n'
        f'<table class="{kind}">\n'
        f"<caption><span>{caption}</span></caption>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n"
        "</table>\n</div>"
    )
