"""Every schedule under every network: what must hold whatever happens to clients and messages."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from fedras_ray.errors import FleetError
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import EndRecord, Fate, VersionRecord
from fedras_ray.simulation import simulate
from tests.simulation.worlds import NETWORKS, SCHEDULES, Watch, world

TOUCHED = ["downlink.kind=lattice", "downlink.rows=touched", "downlink.step=0.05"]
LANES = ["downlink.kind=lanes", "downlink.count=2"]


def run(experiment, dataset):
    watch = Watch(experiment)
    for record in simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)):
        watch.see(record)
        last = record
    assert isinstance(last, EndRecord)
    return watch, last


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_what_must_hold_holds_and_once_more_it_is_the_same(schedule, network):
    experiment, dataset = world(*SCHEDULES[schedule], *NETWORKS[network])
    watch, end = run(experiment, dataset)
    again, same = run(experiment, dataset)
    assert watch.turns == again.turns
    assert end == same
    fates = {turn.fate for turn in watch.turns}
    assert (Fate.LOST in fates) == ("shaky" in network)
    assert (Fate.DROPPED in fates) == (network != "calm")


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if "tiered" not in name])
def test_of_what_was_sent_no_more_is_kept_than_is_on_the_way(schedule):
    experiment, dataset = world(*SCHEDULES[schedule], *NETWORKS["narrow and shaky"])
    executor = SerialExecutor(experiment, dataset)
    kept = [
        (len(executor.site.desk.shelf), record.in_flight)
        for record in simulate(experiment, population_of(dataset), executor)
        if isinstance(record, VersionRecord)
    ]
    assert all(here <= under_way for here, under_way in kept)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_differences_downlink_survive_downloads_that_are_cut_off(schedule):
    for downlink in (TOUCHED, LANES):
        run(*world(*SCHEDULES[schedule], *NETWORKS["narrow and shaky"], *downlink))


def test_a_deadline_ends_rounds_and_the_late_are_used_or_wasted():
    for schedule, fate in (("sync-deadline", Fate.USED), ("deadline, late wasted", Fate.LATE)):
        experiment, dataset = world(*SCHEDULES[schedule])
        watch, _ = run(experiment, dataset)
        late = [turn for turn in watch.turns if turn.staleness and turn.fate is not Fate.WASTED]
        assert late
        assert {turn.fate for turn in late} == {fate}
        made = [0, *(version.at_ns for version in watch.versions)]
        assert min(np.diff(made)) >= 0
        begun = {turn.version: turn.dispatched_at_ns for turn in watch.turns}
        for version in watch.versions[:-1]:
            limit = begun[version.version - 1] + 120_000_000
            first = min(turn.arrived_at_ns for turn in watch.turns if turn.version == version.version - 1)
            assert version.at_ns <= max(limit, first)


def test_over_selection_waits_for_the_first_and_wastes_the_rest():
    experiment, dataset = world(*SCHEDULES["over-selection"])
    watch, _ = run(experiment, dataset)
    for version in watch.versions:
        arrivals = sorted(turn.arrived_at_ns for turn in watch.turns if turn.version == version.version - 1)
        assert len(arrivals) == 12
        assert version.at_ns == arrivals[7]


def test_every_arrival_is_a_version_where_nobody_is_waited_for():
    experiment, dataset = world(*SCHEDULES["async"])
    watch, _ = run(experiment, dataset)
    assert {version.updates for version in watch.versions} == {1}


def test_tiers_wait_for_nobody_but_themselves():
    experiment, dataset = world(*SCHEDULES["tiered"])
    watch, _ = run(experiment, dataset)
    used = [turn for turn in watch.turns if turn.fate is Fate.USED]
    assert {turn.tier for turn in used} == {0, 1, 2}
    rounds = {tier: len({turn.version for turn in used if turn.tier == tier}) for tier in range(3)}
    assert rounds[0] >= rounds[2] >= 1
    tier_of = {}
    assert all(tier_of.setdefault(turn.client, turn.tier) == turn.tier for turn in watch.turns)


@pytest.mark.parametrize(("beyond", "fate"), [("waste", Fate.STALE), ("down-weight", Fate.USED)])
def test_an_update_beyond_the_limit_of_staleness_meets_its_declared_fate(beyond, fate):
    limit = ["server.staleness_limit.versions=3", f"server.staleness_limit.beyond={beyond}"]
    experiment, dataset = world(*SCHEDULES["async"], *limit)
    watch, _ = run(experiment, dataset)
    old = {turn.fate for turn in watch.turns if turn.staleness > 3 and turn.fate is not Fate.WASTED}
    assert old == {fate}
    assert {turn.fate for turn in watch.turns if turn.staleness <= 3} <= {Fate.USED, Fate.WASTED}


def test_a_narrow_server_makes_everyone_slower_and_an_endless_one_nobody():
    settings = SCHEDULES["sync"]
    free, _ = run(*world(*settings))
    wide, _ = run(*world(*settings, "network.server_uplink_bytes_per_s=1e12"))
    narrow, _ = run(*world(*settings, "network.server_uplink_bytes_per_s=20000"))
    assert abs(wide.now - free.now) < 1_000
    total = sum(turn.down_bytes for turn in narrow.turns) / 20_000 * 1e9
    assert narrow.now > max(total, free.now)


def test_nobody_is_asked_who_is_off():
    experiment, dataset = world(
        *SCHEDULES["buffered"], "network.availability.kind=diurnal", "network.availability.hours_per_day=1"
    )
    watch, _ = run(experiment, dataset)
    first = min(turn.dispatched_at_ns for turn in watch.turns)
    assert first >= 0
    assert watch.turns


def test_a_run_of_which_nothing_can_come_is_given_up_with_the_reasons(monkeypatch):
    monkeypatch.setattr("fedras_ray.fruitless.MOST_FRUITLESS", 200)
    off = ["network.availability.kind=renewal", "network.availability.mean_on_s=0.01"]
    with pytest.raises(FleetError, match=r"of the last 200 turns none was used \(200 dropped\)"):
        run(*world(*SCHEDULES["buffered"], *off))


class EngineMachine(RuleBasedStateMachine):
    """An engine under any schedule and network, stepped record by record to its end."""

    watch = None

    @initialize(
        schedule=st.sampled_from(sorted(SCHEDULES)),
        deadline_s=st.floats(0.05, 1),
        dropout=st.floats(0, 0.5),
        loss=st.floats(0, 0.5),
        on_s=st.none() | st.floats(1, 5),
        server=st.none() | st.integers(40_000, 500_000),
        cv=st.none() | st.floats(0.1, 2),
        downlink=st.sampled_from([(), tuple(TOUCHED), tuple(LANES)]),
        limit=st.none() | st.integers(0, 4),
        seed=st.integers(0, 10_000),
    )
    def begin(self, schedule, deadline_s, dropout, loss, on_s, server, cv, downlink, limit, seed):
        asked = [*SCHEDULES[schedule], *downlink, f"seed={seed}"]
        asked += [f"network.dropout={dropout}", f"network.loss={loss}"]
        if "deadline" in schedule:
            asked.append(f"schedule.deadline_s={deadline_s}")
        if on_s is not None:
            asked += ["network.availability.kind=renewal", f"network.availability.mean_on_s={on_s}",
                      "network.availability.mean_off_s=1"]  # fmt: skip
        if server is not None:
            asked += [f"network.server_uplink_bytes_per_s={server}",
                      f"network.server_downlink_bytes_per_s={server}"]  # fmt: skip
        if cv is not None:
            asked += ["network.variation.kind=gamma", f"network.variation.cv={cv}",
                      "network.variation.hold_s=0.1"]  # fmt: skip
        if limit is not None:
            asked.append(f"server.staleness_limit.versions={limit}")
        experiment, dataset = world(*asked)
        self.watch = Watch(experiment)
        self.records = simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
        self.over = False

    @rule(count=st.integers(1, 40))
    def step(self, count):
        for _ in range(0 if self.over else count):
            record = next(self.records, None)
            if record is None:
                self.over = True
                return
            self.watch.see(record)

    def teardown(self):
        if self.watch is not None and not self.over:
            for record in self.records:
                self.watch.see(record)


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(max_examples=60, stateful_step_count=8)
