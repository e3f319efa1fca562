"""A simulation that is stopped after some events, and another one that goes on from there."""

import json

from fedras_ray.checkpoints import put_back, settled, take
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import Simulation


def begun(experiment, dataset, executor=None):
    """A simulation at its beginning, and who computes for it."""
    executor = executor or SerialExecutor(experiment, dataset)
    return Simulation(experiment, population_of(dataset), executor), executor


def told(simulation, events=None):
    """What a simulation says during so many events, or to its end."""
    said = []
    for number, _ in enumerate(simulation.events(), 1):
        if simulation.said:
            said += list(simulation.tell())
        if number == events:
            break
    return said


def events_of(experiment, dataset):
    """How many events a run has."""
    return sum(1 for _ in begun(experiment, dataset)[0].events())


def through_json(plain):
    """What is left of a checkpoint's trees once they have been text."""
    trees = json.loads(json.dumps([plain.simulation, plain.results, plain.views]))
    return plain._replace(simulation=trees[0], results=trees[1], views=trees[2])


def gone_on(experiment, dataset, simulation, executor, other=None):
    """A fresh simulation in the state of one that was stopped."""
    plain = through_json(settled(take(simulation, executor)))
    fresh, its_executor = begun(experiment, dataset, other)
    put_back(plain, fresh, its_executor)
    return fresh, its_executor
