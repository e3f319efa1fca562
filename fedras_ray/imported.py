"""Somebody else's Python, by the name that a configuration gives it."""

from __future__ import annotations

import functools
import importlib
from typing import Any


def imported(target: str) -> Any:
    """What ``module:name`` (or ``module:name.of.it``) names, from anywhere Python finds it.

    Raises:
        Exception: whatever the import raises; it is about the name, and the caller says whose it was.
    """
    module, _, name = target.partition(":")
    return functools.reduce(getattr, name.split("."), importlib.import_module(module))
