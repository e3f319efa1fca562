"""A study file: a base experiment, and methods that differ from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from fedras_ray.config import Experiment, build
from fedras_ray.config.base import Section
from fedras_ray.config.problems import first_problem
from fedras_ray.config.reading import Tree, merged, read_tree
from fedras_ray.errors import ConfigError
from fedras_ray.evaluation.comparison import MARGIN
from workloads.experiments import find

SEEDS = (1, 2, 3)
TARGET = 0.95  # see `workloads.comparing.target`
Seed = Annotated[int, Field(ge=0)]
TAKEN = {"name": "a method's name is that of its table", "seed": "seeds are given for all methods together"}


class Study(Section):
    """The keys of a study file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.\-]*$", max_length=100)
    base: str | dict[str, Any]  # a name, a .toml file beside this one, or an experiment's tree
    seeds: list[Seed] = Field(default_factory=lambda: list(SEEDS), min_length=1)
    reference: str | None = None  # None: the first method
    metric: str | None = None  # None: see `workloads.comparing.plan.headline`
    margin: float = Field(default=MARGIN, ge=0, lt=1)
    target: float = Field(default=TARGET, gt=0, le=1)  # of the best quality of the reference's run
    methods: dict[str, dict[str, Any]] = Field(min_length=1)


def is_study(tree: Tree) -> bool:
    """Whether a file is one, or else an experiment."""
    return "methods" in tree


def read_study(path: Path, tree: Tree) -> Study:
    """The study in a file's tree; its name is the file's where it says none.

    Raises:
        ConfigError: a key or a value is wrong.
    """
    tree = {"name": path.stem, **tree}
    try:
        return Study.model_validate(tree)
    except ValidationError as error:
        raise first_problem(error, tree) from error


def methods_of(study: Study, folder: Path, settings: list[str]) -> list[Experiment]:
    """The experiment of each method: the base, the method's table over it, then ``key=value`` settings.

    Raises:
        ConfigError: a key or a value is wrong; one of a method is named ``methods.NAME.key``.
    """
    whole = build(_base(study.base, folder)).model_dump(mode="json", exclude_none=True)
    return [_method(name, merged(whole, over), over, settings) for name, over in study.methods.items()]


def _base(base: str | Tree, folder: Path) -> Tree:
    if isinstance(base, dict):
        return base
    beside = folder / base
    return read_tree(beside if base.endswith(".toml") and beside.is_file() else find(base))


def _method(name: str, tree: Tree, over: Tree, settings: list[str]) -> Experiment:
    for key, why in TAKEN.items():
        if key in over:
            raise ConfigError(f"methods.{name}.{key}", why)
    try:
        return build(tree | {"name": name}, settings)
    except ConfigError as error:
        key, problem = error.args
        raise ConfigError(f"methods.{name}: {key}", problem) from error
