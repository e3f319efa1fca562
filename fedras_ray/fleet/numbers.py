"""Reading text files about devices: one error for what is no text, and numbers as people write them."""

from __future__ import annotations

from pathlib import Path

from fedras_ray.errors import FleetError


def decoded(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Raises:
        FleetError: it cannot be read; the message has the line that is to blame.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise FleetError(f"{path}:{line}: {problem}") from error
    except OSError as error:
        raise FleetError(f"{path}: cannot be read: {error}") from error


def number(text: str) -> float | None:
    """A number, which may be NaN; None for what is none. Python alone would read ``1_0`` as 10."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
