"""Interactions: where they come from, how they are held, how they are split."""

from fedras_ray.data.catalog import CATALOG, Entry, entry
from fedras_ray.data.interactions import Dataset, Interactions
from fedras_ray.data.loading import describe, load
from fedras_ray.data.places import obtain

__all__ = ["CATALOG", "Dataset", "Entry", "Interactions", "describe", "entry", "load", "obtain"]
