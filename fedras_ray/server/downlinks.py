"""From a configured downlink to the object that serves it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedras_ray.config import Experiment
from fedras_ray.config import codecs as configs
from fedras_ray.crew import Crew, thread_count
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.server.downlink import DenseDownlink, Downlink
from fedras_ray.server.lanes import LanesDownlink, assign
from fedras_ray.server.touched import TouchedDownlink
from fedras_ray.server.whole import WholeDownlink


def build_downlink(experiment: Experiment, fleet: Fleet, samples: NDArray[np.int64]) -> Downlink:
    """The downlink of an experiment, for the clients of a fleet and what each trains on in a turn (U,)."""
    config, seed, versions = experiment.downlink, experiment.seed, experiment.schedule.versions
    crew = Crew(thread_count(experiment.execution.threads))
    match config:
        case configs.DenseDownlink():
            return DenseDownlink(config, seed)
        case configs.LatticeDownlink():
            if config.rows == "touched":
                return TouchedDownlink(config, versions, seed, crew)
            return WholeDownlink(config, len(fleet), versions, seed, crew)
        case configs.LanesDownlink():
            return LanesDownlink(config, assign(config, fleet, samples, seed), seed)
