"""The parts of one simulation, put together from an experiment."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fedras_ray.arrivals import Arrivals
from fedras_ray.asking import Asker
from fedras_ray.clock import Clock
from fedras_ray.codecs.build import dense_bytes
from fedras_ray.cohorts import Cohorts
from fedras_ray.config import Experiment
from fedras_ray.departures import Departures
from fedras_ray.errors import ConfigError
from fedras_ray.executor import Executor
from fedras_ray.faults import Faults
from fedras_ray.fleet.availability import build_availability
from fedras_ray.fleet.build import build_fleet
from fedras_ray.flight import Flight, Views
from fedras_ray.journeys import Journeys, Surroundings
from fedras_ray.judge import Judge
from fedras_ray.models.build import build_model
from fedras_ray.ordering import Orders
from fedras_ray.population import Population
from fedras_ray.server import schedules
from fedras_ray.server.downlink import Downlink
from fedras_ray.server.downlinks import build_downlink
from fedras_ray.server.robust import together
from fedras_ray.server.schedules import Round
from fedras_ray.server.server import Server
from fedras_ray.snapshots.kinds import kept
from fedras_ray.trace import Trace
from fedras_ray.transit import Transit
from fedras_ray.turns import Event


@kept(
    "clock",
    "trace",
    "server",
    "downlink",
    "flight",
    "arrivals",
    "views",
    "judge",
    "orders",
    "asker",
    "journeys",
    "rounds",
)
class Parts(NamedTuple):
    """What a simulation is made of."""

    clock: Clock[Event]
    trace: Trace
    server: Server
    downlink: Downlink
    flight: Flight
    arrivals: Arrivals
    views: Views
    judge: Judge
    orders: Orders
    asker: Asker
    journeys: Journeys
    cohorts: Cohorts
    rounds: list[Round]  # one per tier
    dense_bytes: int  # of a dense table in f32, one way
    class_names: tuple[str, ...]


def assemble(experiment: Experiment, population: Population, executor: Executor, trace: Trace) -> Parts:
    """Everything at the beginning of a run, whose events go to `trace`.

    Raises:
        ConfigError: the schedule asks for more clients than there are, or something named is not there.
        FleetError: a device cannot be, or a file of devices or traces is wrong.
    """
    count, seed = len(population.positives), experiment.seed
    clock: Clock[Event] = Clock()
    fleet = build_fleet(experiment.fleet, count, seed)
    samples = population.samples_per_epoch(experiment.training)
    tier_of = schedules.tiers(experiment.schedule, fleet, samples)
    rounds = [Round() for _ in range(schedules.tier_count(experiment.schedule))]
    _check(experiment, np.bincount(tier_of[samples > 0], minlength=len(rounds)))
    server = Server(experiment, population.item_count, build_model(experiment.model))
    downlink = build_downlink(experiment, fleet, population.positives)
    flight = Flight(executor, experiment.execution.shards)
    merging = together(experiment.server.aggregate)
    arrivals = Arrivals(executor, experiment.execution.shards, len(rounds), merging)
    transit = Transit(experiment.network, fleet, seed, clock)
    availability = build_availability(experiment.network.availability, count, seed)
    orders = Orders(experiment, fleet, transit.link, population, samples)
    views = Views(executor, flight)
    around = Surroundings(
        clock,
        trace,
        fleet,
        transit,
        Departures(experiment.network, availability, seed),
        downlink,
        flight,
        arrivals,
        views,
        server.tally,
        Faults(experiment.faults, seed),
    )
    dense = dense_bytes(population.item_count, experiment.model.width)
    return Parts(
        clock,
        trace,
        server,
        downlink,
        flight,
        arrivals,
        views,
        Judge(experiment, count, executor, downlink, flight),
        orders,
        Asker(experiment, fleet, availability, orders, samples, tier_of, downlink, flight),
        Journeys(around, samples, dense),
        Cohorts(around, samples, dense, _weigh(experiment, population, server)),
        rounds,
        dense,
        fleet.class_names,
    )


def _weigh(
    experiment: Experiment, population: Population, server: Server
) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    if experiment.server.client_weight != "samples":
        return lambda clients: server.weigh_each(len(clients), None)
    relative = population.relative_samples(experiment.training)
    return lambda clients: server.weigh_each(len(clients), relative[clients])


def _check(experiment: Experiment, clients: NDArray[np.int64]) -> None:
    """Refuse what the clients (tiers,) with training data can never do."""
    most, fewest = schedules.most_at_once(experiment.schedule), int(clients.min())
    if fewest < most:
        where = f" in one of {len(clients)} tiers" if len(clients) > 1 else ""
        raise ConfigError(
            "schedule", f"asks for {most} clients at once, but only {fewest}{where} have training data"
        )
