"""From the name of a policy to the function: one that is built in, or one from a file of your own."""

from __future__ import annotations

import inspect
import math
from typing import Any, Final

import numpy as np

from fedras_ray.config.base import unknown
from fedras_ray.config.codecs import MOST_ACTIONS
from fedras_ray.config.pacing import PacingConfig
from fedras_ray.errors import ConfigError, FedrasError, PolicyError
from fedras_ray.imported import imported
from fedras_ray.server.pacing import Decision, DispatchView, Policy, Reason
from fedras_ray.server.straggling import as_configured, straggler_aware

BUILT_IN: Final[dict[str, Policy]] = {"none": as_configured, "straggler-aware": straggler_aware}


def load_policy(spec: str, key: str = "schedule.policy") -> Policy:
    """The policy that `spec` names: built in, or ``module:function`` from anywhere Python finds it.

    What a policy of your own decides is checked at every call (`checked`).

    Args:
        spec: a name of `BUILT_IN`, or ``module:function``.
        key: where it was configured, for the message.

    Raises:
        ConfigError: no such name, module or function, or one that cannot be called with a view and options.
    """
    if spec in BUILT_IN:
        return BUILT_IN[spec]
    module, colon, name = spec.partition(":")
    if not colon or not module or not name:
        raise ConfigError(key, f"{unknown(spec, list(BUILT_IN))}; a policy of your own is 'module:function'")
    try:
        function = imported(spec)
    except Exception as error:  # somebody else's module: whatever it raises is about the name
        tried = f"'{spec}' cannot be imported here; it must be in the current folder or on PYTHONPATH"
        raise ConfigError(key, f"{tried}: {type(error).__name__}: {error}") from error
    _check_signature(function, spec, key)
    return checked(function, spec)


def checked(policy: Policy, name: str) -> Policy:
    """The policy, with every decision checked before it is carried out.

    The function returned raises:
        PolicyError: the policy raised, or decided what cannot be done; it names client and field.
    """

    def decide(view: DispatchView, options: PacingConfig) -> Decision:
        try:
            decision = policy(view, options)
        except FedrasError:
            raise
        except Exception as error:  # somebody else's code: whatever it raises is its own
            raise PolicyError(name, view.client, f"it raised {type(error).__name__}: {error}") from error
        problem = _problem(decision, view)
        if problem:
            raise PolicyError(name, view.client, problem)
        return _plain(decision)

    return decide


def _check_signature(function: Any, spec: str, key: str) -> None:
    try:
        inspect.signature(function).bind("view", "options")
    except (TypeError, ValueError) as error:
        raise ConfigError(key, f"'{spec}' cannot be called as policy(view, options): {error}") from error


def _problem(decision: Any, view: DispatchView) -> str:
    """What is wrong with a decision; empty where nothing is."""
    if not isinstance(decision, Decision):
        return f"it returned {decision!r}, which is no Decision (view.decision(…) makes one)"
    own_codec = view.codec == "custom"  # what it listens to, only its author knows
    found = (
        _no_count("epochs", decision.epochs),
        _no_order("actions", decision.actions, MOST_ACTIONS, own_codec or view.actions is not None, view),
        _no_order(
            "budget_bytes", decision.budget_bytes, None, own_codec or view.budget_bytes is not None, view
        ),
        "" if _is_time(decision.predicted_s) else f"predicted_s is {decision.predicted_s!r}, not a time",
        ""
        if isinstance(decision.later, bool | np.bool_)
        else f"later is {decision.later!r}, not true or false",
        "" if isinstance(decision.reason, Reason) else f"reason is {decision.reason!r}, not a Reason",
    )
    return next((problem for problem in found if problem), "")


def _no_order(field: str, value: Any, most: int | None, heard: bool, view: DispatchView) -> str:
    if value is None:
        return ""
    if not heard:
        return f"{field} is {value!r}, but codec '{view.codec}' as configured has no use for it: leave None"
    return _no_count(field, value, most)


def _no_count(field: str, value: Any, most: int | None = None) -> str:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and value >= 1 and (most is None or value <= most):
        return ""
    return f"{field} is {value!r}, not a whole number of at least 1" + (
        f" and at most {most}" if most else ""
    )


def _is_time(value: Any) -> bool:
    number = isinstance(value, float | int | np.floating) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0


def _plain(decision: Decision) -> Decision:
    """With Python's own numbers, whatever kind of numbers a policy computed with."""
    actions, budget_bytes = decision.actions, decision.budget_bytes
    return Decision(
        int(decision.epochs),
        float(decision.predicted_s),
        None if actions is None else int(actions),
        None if budget_bytes is None else int(budget_bytes),
        bool(decision.later),
        decision.reason,
    )
