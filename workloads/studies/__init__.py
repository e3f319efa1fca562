"""Studies that come with the project: methods and seeds to compare, as TOML files beside this one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def names() -> list[str]:
    """What `fedras compare NAME` knows beside experiments, sorted."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def path(name: str) -> Path:
    """The file of a study that is known."""
    return _folder() / f"{name}.toml"


def _folder() -> Path:
    return Path(str(files("workloads.studies")))
