"""Policies by name: from the project, and from a file that the project has never seen."""

import sys

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from fedras_ray.config.pacing import PacingConfig, PolicyName
from fedras_ray.errors import CodecError, ConfigError, PolicyError
from fedras_ray.server.choosing import BUILT_IN, checked, load_policy
from fedras_ray.server.pacing import Decision, Reason
from tests.server.test_straggling import PLAIN

OPTIONS = PacingConfig(own={"share": 0.5})


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a module, and make it importable for one test."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text):
        (tmp_path / "pacing_of_mine.py").write_text(text, encoding="utf-8")
        sys.modules.pop("pacing_of_mine", None)

    yield write
    sys.modules.pop("pacing_of_mine", None)


@pytest.mark.parametrize("name", BUILT_IN)
def test_those_built_in_have_names(name):
    assert load_policy(name)(PLAIN._replace(target_s=99.0), OPTIONS).epochs == 3


def test_one_from_a_file_decides(file):
    file(
        "def half(view, options):\n"
        "    return view.decision(int(view.actions * options.own['share']), view.epochs)\n"
        "class Kept:\n"
        "    half = staticmethod(half)\n"
    )
    decision = load_policy("pacing_of_mine:half")(PLAIN, OPTIONS)
    assert decision == Decision(3, PLAIN.turn_s(8, 3), 8, None, False, Reason.OWN)
    assert load_policy("pacing_of_mine:Kept.half")(PLAIN, OPTIONS) == decision


def test_a_name_in_an_experiment_is_checked_when_it_is_read():
    name = TypeAdapter(PolicyName)
    for good in ("none", "straggler-aware", "mine:f", "a.b.mine:Kept.f"):
        assert name.validate_python(good) == good
    for bad in ("straggler", "mine", "mine:", ":f", "mine:f()", "9mine:f", ""):
        with pytest.raises(ValidationError, match="'module:function'"):
            name.validate_python(bad)


def test_numbers_of_numpy_become_pythons_own():
    made = checked(lambda view, _: Decision(np.int64(2), np.float32(1.5), np.int32(4)), "mine")
    decision = made(PLAIN, OPTIONS)
    assert [type(value) for value in decision[:3]] == [int, float, int]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("straggler_aware", "did you mean 'straggler-aware'"),
        ("mine", "'module:function'"),
        (":half", "'module:function'"),
        ("pacing_of_mine:", "'module:function'"),
        ("no_such_module:half", "PYTHONPATH: ModuleNotFoundError.*no_such_module"),
        ("pacing_of_mine:third", "AttributeError.*third"),
        ("pacing_of_mine:ONE", r"cannot be called as policy\(view, options\)"),
        ("pacing_of_mine:alone", r"cannot be called as policy\(view, options\)"),
        ("pacing_of_mine:three", r"cannot be called as policy\(view, options\)"),
    ],
)
def test_what_is_no_policy_is_said_at_once(file, spec, problem):
    file("ONE = 1\ndef alone(view): ...\ndef three(view, options, more): ...\n")
    with pytest.raises(ConfigError, match=problem) as raised:
        load_policy(spec)
    assert raised.value.args[0] == "schedule.policy"


def test_a_file_that_cannot_be_read_is_said_so(file):
    file("def half(view, options:\n")
    with pytest.raises(ConfigError, match="SyntaxError"):
        load_policy("pacing_of_mine:half", "pacing.policy")


GOOD = Decision(2, 1.5, 4)


@pytest.mark.parametrize(
    ("decision", "problem"),
    [
        (None, "no Decision"),
        ((2, 1.5), "no Decision"),
        (GOOD._replace(epochs=0), "epochs is 0"),
        (GOOD._replace(epochs=1.5), "epochs is 1.5"),
        (GOOD._replace(epochs=True), "epochs is True"),
        (GOOD._replace(epochs=None), "epochs is None"),
        (GOOD._replace(actions=0), "actions is 0"),
        (GOOD._replace(actions=4097), "actions is 4097.*at most 4096"),
        (GOOD._replace(actions="4"), "actions is '4'"),
        (GOOD._replace(budget_bytes=500), "budget_bytes is 500, but codec 'actions'"),
        (GOOD._replace(predicted_s=float("nan")), "predicted_s is nan"),
        (GOOD._replace(predicted_s=-1.0), "predicted_s is -1.0"),
        (GOOD._replace(predicted_s=None), "predicted_s is None"),
        (GOOD._replace(later="no"), "later is 'no'"),
        (GOOD._replace(reason=1), "reason is 1"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_names_policy_client_and_field(decision, problem):
    with pytest.raises(PolicyError, match=f"policy 'mine:f', asked about client 7: .*{problem}"):
        checked(lambda view, options: decision, "mine:f")(PLAIN, OPTIONS)


def test_a_codec_without_actions_cannot_be_given_any_but_one_of_ones_own_can():
    policy = checked(lambda view, options: GOOD, "mine:f")
    with pytest.raises(PolicyError, match="actions is 4, but codec 'sparse'"):
        policy(PLAIN._replace(codec="sparse", actions=None), OPTIONS)
    assert policy(PLAIN._replace(codec="custom", actions=None), OPTIONS) == GOOD


def test_a_budget_is_for_codecs_that_adapt():
    policy = checked(lambda view, options: GOOD._replace(actions=None, budget_bytes=500), "mine:f")
    assert policy(PLAIN._replace(budget_bytes=900), OPTIONS).budget_bytes == 500


def test_what_a_policy_raises_is_told_with_the_client():
    def divides(view, options):
        return 1 // 0

    def knows(view, options):
        raise CodecError("as it is")

    with pytest.raises(PolicyError, match="client 7: it raised ZeroDivisionError"):
        checked(divides, "mine:f")(PLAIN, OPTIONS)
    with pytest.raises(CodecError, match="as it is"):
        checked(knows, "mine:f")(PLAIN, OPTIONS)
