"""Paths as people write them."""

from __future__ import annotations

import os
from pathlib import Path


def path_of(written: str) -> Path:
    """A path with its ``~`` resolved; the home of somebody who is not there stays as it is written."""
    return Path(os.path.expanduser(written))  # Path.expanduser raises there
