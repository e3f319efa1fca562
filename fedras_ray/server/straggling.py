"""The policies that are built in: the same for everyone, or less from who would be late."""

from __future__ import annotations

from typing import NamedTuple

from fedras_ray.config.pacing import PacingConfig
from fedras_ray.errors import PolicyError
from fedras_ray.server.pacing import Decision, DispatchView, Reason


def as_configured(view: DispatchView, options: PacingConfig) -> Decision:
    """What the experiment says, for everyone."""
    return view.decision(None, view.epochs, Reason.CONFIGURED)


def straggler_aware(view: DispatchView, options: PacingConfig) -> Decision:
    """The work that is predicted to be in time and of which least is lost (`share_lost`).

    Fewer actions help who has a slow uplink, fewer epochs who has a slow processor; which of both, or how
    much of each, follows from the prediction. Who cannot even do the least in time is left for later
    where there is a deadline, and asked for the least where there is only a target: otherwise the
    slowest would never be asked.

    Raises:
        PolicyError: there is neither a deadline nor a target.
    """
    allowed_s = view.allowed_s
    if allowed_s is None:
        raise PolicyError("straggler-aware", view.client, "there is neither a deadline nor a target to meet")
    goal_s = (1 - options.margin) * allowed_s
    if view.turn_s(None, view.epochs) <= goal_s:
        return _all_of_it(view, options, goal_s)
    work = _least_lost(view, options, goal_s)
    if work is not None:
        return view.decision(work.actions, work.epochs, Reason.LESS)
    actions, epochs = _least_actions(view, options), min(options.least_epochs, view.epochs)
    if view.deadline_s is not None and options.leave and view.turn_s(actions, epochs) > allowed_s:
        return view.decision(actions, epochs, Reason.LATER, later=True)
    return view.decision(actions, epochs, Reason.LEAST)


def share_lost(actions: int | None, epochs: int, configured_epochs: int) -> float:
    """How much of an update is lost with K actions and e of E epochs: relative squared error, 0 to 1.

    e of E epochs go e/E of the way: (1 − e/E)² is lost. Of what is left K levels lose 1.32·K^−1.74, and as a
    codeword is the mean of what it stands for, what is kept is the product of both shares. The law is
    how the best quantiser of a normal variable fares (J. Max, "Quantizing for minimum distortion", IRE
    Trans. Information Theory 6(1), 1960, doi:10.1109/TIT.1960.1057548); an update of matrix factorisation is
    nearly rank one, and on MovieLens-100K its actions lose 0.003 to 0.009 with K = 16 (the law: 0.011), 0.05
    to 0.13 with 4 (0.118), 0.17 to 0.49 with 2 (0.395).
    """
    done = min(epochs / configured_epochs, 1.0)
    rough = 0.0 if actions is None else min(1.0, 1.32 * actions**-1.74)
    return 1 - (1 - (1 - done) ** 2) * (1 - rough)


class _Work(NamedTuple):
    lost: float
    actions: int | None
    epochs: int


def _all_of_it(view: DispatchView, options: PacingConfig, goal_s: float) -> Decision:
    epochs = view.epochs
    while options.boost and epochs < options.most_epochs and view.turn_s(None, epochs + 1) <= goal_s:
        epochs += 1
    return view.decision(None, epochs, Reason.MORE if epochs > view.epochs else Reason.IN_TIME)


def _least_lost(view: DispatchView, options: PacingConfig, goal_s: float) -> _Work | None:
    """The work in time of which least is lost; None where even the least is late."""
    best: _Work | None = None
    for epochs in range(view.epochs, min(options.least_epochs, view.epochs) - 1, -1):
        if best is not None and share_lost(None, epochs, view.epochs) >= best.lost:
            break  # still fewer epochs lose more, whatever K
        actions = _most_actions(view, options, epochs, goal_s)
        if actions is None and (view.actions is not None or view.turn_s(None, epochs) > goal_s):
            continue
        lost = share_lost(actions, epochs, view.epochs)
        if best is None or lost < best.lost:
            best = _Work(lost, actions, epochs)
    return best


def _most_actions(view: DispatchView, options: PacingConfig, epochs: int, goal_s: float) -> int | None:
    """The largest K that is in time with so many epochs; None: the least is late, or there are no actions."""
    least, most = _least_actions(view, options), view.actions
    if least is None or most is None or view.turn_s(least, epochs) > goal_s:
        return None
    while least < most:  # by halving: an upload never shrinks as K grows
        middle = (least + most + 1) // 2
        if view.turn_s(middle, epochs) <= goal_s:
            least = middle
        else:
            most = middle - 1
    return least


def _least_actions(view: DispatchView, options: PacingConfig) -> int | None:
    return None if view.actions is None else min(options.least_actions, view.actions)
