"""Experiments that come with the project, as TOML files beside this one, and finding them by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fedras_ray.config.base import unknown
from fedras_ray.errors import ConfigError

DEFAULT = "ml-100k-fedras"


def names() -> list[str]:
    """What `fedras run NAME` knows, sorted."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")
    )


def find(name: str) -> Path:
    """The file of an experiment, by its name or by its path.

    Raises:
        ConfigError: neither a file nor a name that is known.
    """
    path = Path(name)
    if name.endswith(".toml") or path.exists():
        if not path.is_file():
            raise ConfigError("experiment", f"there is no file '{name}'")
        return path
    if name not in names():
        raise ConfigError("experiment", f"{unknown(name, names())}; or give the path of a .toml file")
    return _folder() / f"{name}.toml"


def _folder() -> Path:
    return Path(str(files("workloads.experiments")))
