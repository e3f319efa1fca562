"""The policies that are built in, held to what they promise."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.codecs.forecast import build_forecast
from fedras_ray.config.codecs import ActionsCodec, AdaptiveActions, FixedActions, GainShapeCodec, SparseCodec
from fedras_ray.config.pacing import PacingConfig
from fedras_ray.errors import PolicyError
from fedras_ray.server.pacing import DispatchView, Reason
from fedras_ray.server.straggling import as_configured, share_lost, straggler_aware

ACTIONS = build_forecast(ActionsCodec(kind="actions", actions=FixedActions(count=16)), 1_682, 32)
SPARSE = build_forecast(SparseCodec(kind="sparse"), 1_682, 32)
PLAIN = DispatchView(
    client=7,
    device_class="slow",
    train_s_per_sample=1e-3,
    uplink_bytes_per_s=1_000.0,
    downlink_bytes_per_s=10_000.0,
    latency_s=0.1,
    samples_per_epoch=500,
    rows=380,
    down_bytes=5_000,
    request_bytes=0,
    epochs=3,
    codec="actions",
    actions=16,
    budget_bytes=None,
    deadline_s=None,
    target_s=None,
    item_count=1_682,
    width=32,
    forecast=ACTIONS,
)  # full work: 0.7 s of transfer and latency, 3 × 0.5 s of training, 1.4 s of upload

views = st.builds(
    PLAIN._replace,
    train_s_per_sample=st.floats(1e-6, 1e-1),
    uplink_bytes_per_s=st.floats(1e2, 1e7),
    downlink_bytes_per_s=st.floats(1e3, 1e8),
    latency_s=st.floats(0, 1),
    samples_per_epoch=st.integers(1, 2_000),
    rows=st.integers(1, 1_682),
    epochs=st.integers(1, 5),
    actions=st.integers(1, 64),
    deadline_s=st.none() | st.floats(1e-2, 1e3),
    target_s=st.floats(1e-2, 1e3),
    slow_factor=st.floats(0.1, 10),
)
option_sets = st.builds(
    PacingConfig,
    least_actions=st.integers(1, 8),
    least_epochs=st.integers(1, 3),
    margin=st.sampled_from([0.0, 0.2]),
    leave=st.booleans(),
    boost=st.booleans(),
)


def all_work(view, options):
    least = min(options.least_actions, view.actions)
    epochs = range(min(options.least_epochs, view.epochs), view.epochs + 1)
    return itertools.product(range(least, view.actions + 1), epochs)


@given(views, option_sets)
def test_nothing_that_is_in_time_loses_less(view, options):
    """Against every K and every number of epochs there is."""
    decision = straggler_aware(view, options)
    goal_s = (1 - options.margin) * view.allowed_s
    in_time = [work for work in all_work(view, options) if view.turn_s(*work) <= goal_s]
    assert bool(in_time) == (decision.reason in (Reason.IN_TIME, Reason.LESS, Reason.MORE))
    if decision.reason is Reason.LESS:
        assert decision.predicted_s <= goal_s
        lost = share_lost(decision.actions, decision.epochs, view.epochs)
        assert lost == min(share_lost(k, epochs, view.epochs) for k, epochs in in_time)
    elif in_time:
        assert decision.actions is None
        assert decision.predicted_s <= goal_s
        assert decision.epochs >= view.epochs


@given(views, option_sets)
def test_who_cannot_make_it_is_left_only_where_there_is_a_deadline(view, options):
    decision = straggler_aware(view, options)
    least = (min(options.least_actions, view.actions), min(options.least_epochs, view.epochs))
    hopeless = view.turn_s(*least) > view.allowed_s
    assert decision.later == (hopeless and view.deadline_s is not None and options.leave)
    if hopeless:
        assert (decision.actions, decision.epochs) == least
        assert decision.reason is (Reason.LATER if decision.later else Reason.LEAST)


@given(views, option_sets, st.floats(1, 10))
def test_more_time_never_means_less_work(view, options, longer):
    first = straggler_aware(view, options)
    allowed = {"deadline_s": view.deadline_s and view.deadline_s * longer, "target_s": view.target_s * longer}
    second = straggler_aware(view._replace(**allowed), options)
    lost = [share_lost(one.actions or view.actions, one.epochs, view.epochs) for one in (first, second)]
    assert lost[1] <= lost[0]


@given(views, option_sets)
def test_what_is_asked_is_within_what_is_allowed(view, options):
    decision = straggler_aware(view, options)
    assert decision.predicted_s == view.turn_s(decision.actions, decision.epochs)
    assert 1 <= decision.epochs <= max(view.epochs, options.most_epochs if options.boost else 1)
    assert decision.actions is None or decision.actions <= view.actions
    assert straggler_aware(view, options) == decision
    assert as_configured(view, options) == (
        view.epochs,
        view.turn_s(None, view.epochs),
        None,
        None,
        False,
        Reason.CONFIGURED,
    )


@pytest.mark.parametrize(
    ("change", "actions", "epochs"),
    [
        ({"uplink_bytes_per_s": 1_000.0}, 8, 3),  # a slow uplink: fewer actions
        ({"uplink_bytes_per_s": 1e6, "train_s_per_sample": 2e-3}, 16, 2),  # a slow processor: fewer epochs
        ({"uplink_bytes_per_s": 1_100.0, "train_s_per_sample": 1.5e-3}, 9, 2),  # both
    ],
)
def test_what_is_slow_is_what_is_cut(change, actions, epochs):
    decision = straggler_aware(PLAIN._replace(deadline_s=3.1, **change), PacingConfig())
    assert decision.reason is Reason.LESS
    assert (decision.actions, decision.epochs) == (actions, epochs)


def test_a_codec_without_actions_can_only_be_given_fewer_epochs():
    view = PLAIN._replace(codec="sparse", actions=None, forecast=SPARSE, uplink_bytes_per_s=1e6)
    decision = straggler_aware(view._replace(deadline_s=1.8), PacingConfig())
    assert (decision.actions, decision.epochs, decision.reason) == (None, 2, Reason.LESS)
    assert straggler_aware(view._replace(deadline_s=0.5), PacingConfig()).later


def test_a_codec_that_adapts_still_does_within_a_smaller_budget():
    config = GainShapeCodec(kind="gain-shape", actions=AdaptiveActions(kind="adaptive", most=64))
    view = PLAIN._replace(
        codec="gain-shape", actions=64, budget_bytes=100_000, forecast=build_forecast(config, 1_682, 32)
    )
    full = straggler_aware(view._replace(deadline_s=9.0), PacingConfig())
    assert (full.actions, full.budget_bytes) == (None, None)
    tight = straggler_aware(view._replace(deadline_s=2.6), PacingConfig())
    assert tight.actions is None
    k = next(k for k in range(64, 0, -1) if view.upload_bytes(k) <= 400)  # 0.4 s are left of the 2.6
    assert 4 < k < 64
    assert tight.budget_bytes == view.upload_bytes(k)
    assert tight.predicted_s <= 2.6


def test_a_budget_bounds_what_is_predicted():
    view = PLAIN._replace(budget_bytes=600)
    assert view.turn_s(None, 3) == pytest.approx(
        PLAIN.turn_s(None, 3) - (ACTIONS.upload_bytes(380, 16) - 600) / 1_000
    )


def test_who_has_time_to_spare_does_more_only_if_asked_to():
    view = PLAIN._replace(target_s=4.3)  # the full work takes 3.6
    assert straggler_aware(view, PacingConfig()).epochs == 3
    more = straggler_aware(view, PacingConfig(boost=True))
    assert (more.epochs, more.reason) == (4, Reason.MORE)
    assert straggler_aware(view._replace(target_s=99.0), PacingConfig(boost=True)).epochs == 5


def test_a_client_that_was_slower_than_predicted_is_asked_for_less():
    view = PLAIN._replace(deadline_s=4.0)
    assert straggler_aware(view, PacingConfig()).reason is Reason.IN_TIME
    slow = straggler_aware(view._replace(slow_factor=1.5), PacingConfig())
    assert slow.reason is Reason.LESS
    assert slow.predicted_s <= 4


def test_a_reserve_that_even_the_least_would_use_up_is_used_up():
    least = PLAIN.turn_s(4, 1)
    view = PLAIN._replace(deadline_s=1.05 * least)
    assert straggler_aware(view, PacingConfig(margin=0.1)).reason is Reason.LEAST
    assert straggler_aware(view._replace(deadline_s=0.99 * least), PacingConfig(margin=0.1)).later


def test_without_a_time_to_meet_there_is_nothing_to_decide():
    with pytest.raises(PolicyError, match=r"client 7.*neither a deadline nor a target"):
        straggler_aware(PLAIN, PacingConfig())


def test_what_is_lost_by_hand():
    assert share_lost(None, 2, 2) == 0
    assert share_lost(None, 1, 2) == 0.25
    assert share_lost(1, 2, 2) == 1
    assert share_lost(4, 2, 2) == pytest.approx(0.118, abs=1e-3)
    assert share_lost(16, 1, 2) == pytest.approx(1 - 0.75 * (1 - 0.0106), abs=1e-4)
    assert share_lost(1, 1, 2) == 1  # nothing is kept, however little is done
