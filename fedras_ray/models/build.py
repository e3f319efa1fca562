"""From a model's configuration to the model."""

from __future__ import annotations

from fedras_ray.config.client import MatrixFactorization
from fedras_ray.models.base import Model
from fedras_ray.models.factorization import FactorizationModel


def build_model(config: MatrixFactorization) -> Model:
    """The model of an experiment."""
    return FactorizationModel(config)
