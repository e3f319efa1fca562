"""Interactions: where they come from, how they are held, how they are split.

What reads them is imported once it is asked for: a process that only holds some does without Arrow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fedras_ray.data.interactions import Dataset, Interactions

if TYPE_CHECKING:
    from fedras_ray.data.catalog import CATALOG, Entry, entry
    from fedras_ray.data.loading import describe, load
    from fedras_ray.data.places import obtain

__all__ = ["CATALOG", "Dataset", "Entry", "Interactions", "describe", "entry", "load", "obtain"]

_READING = {
    "CATALOG": "catalog",
    "Entry": "catalog",
    "entry": "catalog",
    "describe": "loading",
    "load": "loading",
    "obtain": "places",
}


def __getattr__(name: str) -> Any:
    if name not in _READING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_READING[name]}"), name)
