"""The frame of every page: one HTML file, no script, no request to anywhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from dashboards.markup import escape
from fedras_ray.errors import RunError


def page(title: str, kind: str, sections: Sequence[str]) -> str:
    """A whole page; `sections` are markup."""
    style = files("dashboards").joinpath("report.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>',
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
            '<meta name="color-scheme" content="light dark"/>',
            # the page asks for nothing, and a browser is told to see to it
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>",
            '<link rel="icon" href="data:,"/>',
            f"<title>{escape(title)} · FedRAS-Ray</title>\n<style>\n{style}</style>\n</head>\n<body>",
            f"<header><p>FedRAS-Ray {escape(kind)}</p><h1>{escape(title)}</h1></header>\n<main>",
            *sections,
            "</main>\n</body>\n</html>\n",
        ]
    )


def write_whole(text: str, target: Path) -> Path:
    """Write a page, which appears whole or not at all.

    Raises:
        RunError: `target` cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        os.replace(part, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise RunError(f"{target}: the report cannot be written: {error}; choose another file") from error
    return target
