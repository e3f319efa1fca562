"""Experiments: frozen, strict, from TOML and back."""

from fedras_ray.config.experiment import Experiment
from fedras_ray.config.reading import build, read

__all__ = ["Experiment", "build", "read"]
