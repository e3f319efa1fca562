"""How much each client is asked for: what a policy gets to see, and what is learned from how turns went.

U clients. The policy itself is a pure function (`server.pacing`); here are the arrays it is a function of.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedras_ray.codecs.forecast import UploadForecast, build_forecast
from fedras_ray.config import Experiment
from fedras_ray.config.codecs import adaptive_actions, configured_actions
from fedras_ray.fleet.links import Direction, Link
from fedras_ray.fleet.profiles import Fleet
from fedras_ray.population import Population
from fedras_ray.server.choosing import load_policy
from fedras_ray.server.downlink import Delivery
from fedras_ray.server.pacing import Decision, DispatchView, Reason
from fedras_ray.server.policies import upload_budget_bytes
from fedras_ray.server.prediction import expected_rows, learned_factor, predict_turn_s, target_s
from fedras_ray.server.schedules import deadline_s
from fedras_ray.snapshots.kinds import kept

Floats = NDArray[np.float64]


@kept()
@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What a policy is told of each client's last turns: 20 bytes a client, for policies that look."""

    rows: NDArray[np.int32]  # (U,) that a turn touches on average
    factor: NDArray[np.float32]  # (U,) see `prediction.learned_factor`
    predicted_s: NDArray[np.float32]  # (U,) of the last turn; 0: none yet
    actual_s: NDArray[np.float32]  # (U,)
    staleness: NDArray[np.int32]  # (U,)


def no_lessons(rows: NDArray[np.int64]) -> Lessons:
    """Before the first turn of U clients, whose turns touch so many `rows` (U,) on average."""
    count = len(rows)
    nothing_s = np.zeros(count, np.float32)
    return Lessons(
        rows.astype(np.int32),
        np.ones(count, np.float32),
        nothing_s,
        nothing_s.copy(),
        np.zeros(count, np.int32),
    )


@kept("_lessons", "_target_s")
class Orders:
    """Decides for each client that is about to be asked.

    Args:
        experiment: with the policy and its options.
        fleet: the devices.
        link: with their rates now.
        population: how many positives they have, and I.
        samples: (U,) that they train on in one epoch.

    Raises:
        ConfigError: there is no such policy.
    """

    def __init__(
        self,
        experiment: Experiment,
        fleet: Fleet,
        link: Link,
        population: Population,
        samples: NDArray[np.int64],
    ) -> None:
        self._item_count = population.item_count
        self._experiment = experiment
        self._fleet = fleet
        self._link = link
        self._samples = samples
        self._policy = load_policy(experiment.schedule.policy)
        self._deadline_s = deadline_s(experiment.schedule)
        self._positives = population.positives
        self._actions = configured_actions(experiment.codec)
        self._adapts = adaptive_actions(experiment.codec) is not None
        self._configured = Decision(experiment.training.epochs, 0.0, reason=Reason.CONFIGURED)
        self._lessons = None if experiment.schedule.policy == "none" else no_lessons(self._expected_rows())
        self._target_s: float | None = None

    @property
    def looks_back(self) -> bool:
        """Whether anything is learned from how turns go."""
        return self._lessons is not None

    @property
    def alike(self) -> Decision | None:
        """What is decided for everyone, whoever they are; None: that differs."""
        return None if self._adapts or self.looks_back else self._configured

    @functools.cached_property
    def _forecast(self) -> UploadForecast:
        """Made where somebody looks ahead: it may encode blobs, with a codec that is not ours."""
        return build_forecast(self._experiment.codec, self._item_count, self._experiment.model.width)

    def _expected_rows(self) -> NDArray[np.int64]:
        others = self._samples - self._positives  # (U,) negatives, or repeated positives that were given
        return expected_rows(self._positives, self._item_count, others)  # (U,)

    def expect(self, deliveries: list[Delivery]) -> None:
        """Take downloads like these for granted in what a good time for a turn is, unless one is known."""
        if self._lessons is not None and self._target_s is None:
            down = float(np.mean([one.byte_count for one in deliveries]))
            asked = float(np.mean([one.request_bytes for one in deliveries]))
            turn_s = self.full_turn_s(down, asked)[self._samples > 0]
            self._target_s = target_s(turn_s, self._experiment.pacing.patience)

    def full_turn_s(self, down_bytes: float, request_bytes: float = 0.0) -> Floats:
        """(U,) the expected seconds of the configured work, with downloads of this size."""
        up_bytes = self._forecast.upload_bytes(int(self._expected_rows().mean()), None)
        return predict_turn_s(
            self._fleet.train_s_per_sample,
            self._fleet.uplink_bytes_per_s,
            self._fleet.downlink_bytes_per_s,
            self._fleet.latency_s,
            samples=(self._samples * self._experiment.training.epochs).astype(np.float64),
            down_bytes=np.full(len(self._samples), down_bytes),
            up_bytes=np.full(len(self._samples), float(up_bytes)),
            request_bytes=request_bytes,
        )

    def decide(
        self, client: int, turn: int, at_ns: int, delivery: Delivery, rows: NDArray[np.int32] | None
    ) -> Decision:
        """What the client is asked for if it is asked now.

        Raises:
            PolicyError: the policy decides what cannot be done.
        """
        decision, budget = self._configured, None
        if self._adapts:
            uplink = self._link.rate_now(client, Direction.UP, at_ns)
            budget = upload_budget_bytes(self._experiment.codec, uplink)
        if self._lessons is not None:
            view = self._view(self._lessons, client, turn, at_ns, delivery, rows, budget)
            decision = self._policy(view, self._experiment.pacing)
            self._lessons.predicted_s[client] = decision.predicted_s
        if budget is None or decision.budget_bytes is not None:
            return decision
        return decision._replace(budget_bytes=budget)

    def learn(self, client: int, predicted_ns: int, took_ns: int, staleness: int) -> None:
        """A turn arrived, so long after its dispatch."""
        lessons = self._lessons
        if lessons is None or predicted_ns == 0:
            return
        predicted_s, actual_s = predicted_ns / 1e9, took_ns / 1e9
        memory = self._experiment.pacing.memory
        lessons.factor[client] = learned_factor(float(lessons.factor[client]), predicted_s, actual_s, memory)
        lessons.actual_s[client], lessons.staleness[client] = actual_s, staleness

    def _view(
        self,
        lessons: Lessons,
        client: int,
        turn: int,
        at_ns: int,
        delivery: Delivery,
        rows: NDArray[np.int32] | None,
        budget: int | None,
    ) -> DispatchView:
        fleet, experiment, had = self._fleet, self._experiment, lessons.actual_s[client] > 0
        return DispatchView(
            client=client,
            device_class=fleet.class_of(client),
            train_s_per_sample=float(fleet.train_s_per_sample[client]),
            uplink_bytes_per_s=self._link.rate_now(client, Direction.UP, at_ns),
            downlink_bytes_per_s=self._link.rate_now(client, Direction.DOWN, at_ns),
            latency_s=float(fleet.latency_s[client]),
            samples_per_epoch=int(self._samples[client]),
            rows=int(lessons.rows[client]) if rows is None else len(rows),
            down_bytes=delivery.byte_count,
            request_bytes=delivery.request_bytes,
            epochs=experiment.training.epochs,
            codec=experiment.codec.kind,
            actions=self._actions,
            budget_bytes=budget,
            deadline_s=self._deadline_s,
            target_s=self._target_s,
            item_count=self._item_count,
            width=experiment.model.width,
            forecast=self._forecast,
            turns=turn,
            slow_factor=float(lessons.factor[client]),
            last_predicted_s=float(lessons.predicted_s[client]) if had else None,
            last_actual_s=float(lessons.actual_s[client]) if had else None,
            last_staleness=int(lessons.staleness[client]) if had else None,
        )
