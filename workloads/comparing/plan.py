"""What is to be compared: methods, seeds, a reference, and the question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fedras_ray.config import Experiment, build
from fedras_ray.config.base import unknown
from fedras_ray.config.reading import Tree, read_tree
from fedras_ray.errors import ConfigError
from fedras_ray.evaluation.comparison import MARGIN
from fedras_ray.evaluation.quality import METRICS
from workloads import experiments, studies
from workloads.comparing.study import SEEDS, TARGET, Study, is_study, methods_of, read_study

ANYTHING = "comparison"  # what experiments without a study are called together
PREFERRED = ("sampled_ndcg@10", "ndcg@20")


@dataclass(frozen=True, slots=True)
class Plan:
    """A comparison."""

    name: str
    methods: Mapping[str, Experiment]  # by name, in the order of the table
    seeds: tuple[int, ...]
    reference: str
    metric: str | None  # None: see `headline`
    margin: float  # of the reference's quality
    target: float  # of the best quality of the reference's run

    def experiment(self, method: str, seed: int) -> Experiment:
        """One method under one seed."""
        return self.methods[method].model_copy(update={"seed": seed})

    def runs(self) -> Iterator[tuple[str, int]]:
        """All of them, one seed after the other: a study that is stopped has whole pairs."""
        return ((method, seed) for seed in self.seeds for method in self.methods)


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line says over the study; None leaves it as it is."""

    seeds: tuple[int, ...] | None = None
    reference: str | None = None
    metric: str | None = None
    margin: float | None = None
    target: float | None = None


def plan(sources: Sequence[str], settings: list[str], question: Question) -> Plan:
    """The comparison of experiments and of the methods of at most one study.

    Args:
        sources: names or .toml files of either.
        settings: ``key=value`` laid over every method.
        question: what is asked other than the study does.

    Raises:
        ConfigError: something is unknown, wrong or cannot be compared; the message names it.
    """
    if any(setting.partition("=")[0].strip() == "seed" for setting in settings):
        raise ConfigError("seed", "a comparison has seeds for all its methods: --seeds 1,2,3")
    found: list[Experiment] = []
    study: Study | None = None
    for source in sources:
        path, tree = _source(source)
        if not is_study(tree):
            found.append(build(tree, settings))
        elif study is not None:
            raise ConfigError("comparison", f"two studies, '{study.name}' and '{path.stem}'; give one")
        else:
            study = read_study(path, tree)
            found += methods_of(study, path.parent, settings)
    return _checked(_asked(study, _named(found), question))


def headline(asked: str | None, measured: Sequence[str]) -> str:
    """The metric a comparison is about: the one asked for, else the first measured of `PREFERRED`."""
    return asked or next((name for name in PREFERRED if name in measured), "ndcg@10")


def _source(source: str) -> tuple[Path, Tree]:
    if source in studies.names():
        path = studies.path(source)
    elif source.endswith(".toml") or source in experiments.names():
        path = experiments.find(source)
    else:
        known = [*experiments.names(), *studies.names()]
        raise ConfigError("comparison", f"{unknown(source, known)}; or give the path of a .toml file")
    return path, read_tree(path)


def _named(found: Sequence[Experiment]) -> dict[str, Experiment]:
    name, often = Counter(one.name for one in found).most_common(1)[0]
    if often > 1:
        raise ConfigError("name", f"{often} methods are called '{name}'; give each its own name")
    return {one.name: one for one in found}


def _asked(study: Study | None, methods: Mapping[str, Experiment], question: Question) -> Plan:
    made = Plan(ANYTHING, methods, SEEDS, next(iter(methods)), None, MARGIN, TARGET)
    if study is not None:
        reference = study.reference or made.reference
        told = (study.metric, study.margin, study.target)
        made = Plan(study.name, methods, tuple(study.seeds), reference, *told)
    over = {name: getattr(question, name) for name in question.__slots__}
    return replace(made, **{name: value for name, value in over.items() if value is not None})


def _checked(made: Plan) -> Plan:
    if made.reference not in made.methods:
        raise ConfigError("reference", unknown(made.reference, list(made.methods)))
    if made.metric is not None and made.metric not in METRICS:
        raise ConfigError("metric", unknown(made.metric, list(METRICS)))
    if len(set(made.seeds)) < len(made.seeds):
        raise ConfigError("seeds", f"one is there twice: {', '.join(map(str, made.seeds))}")
    reference = made.methods[made.reference]
    for name, one in made.methods.items():
        for key in ("data", "evaluation.sampled_negatives", "evaluation.users"):
            if _value(one, key) != _value(reference, key):
                raise ConfigError(
                    key, f"differs between '{made.reference}' and '{name}': no user could be paired"
                )
    tracking = {"tracking": reference.tracking}  # one MLflow experiment holds all of it
    return replace(
        made, methods={name: one.model_copy(update=tracking) for name, one in made.methods.items()}
    )


def _value(experiment: Experiment, key: str) -> object:
    section, _, name = key.partition(".")
    value = getattr(experiment, section)
    return getattr(value, name) if name else value
