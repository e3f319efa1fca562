"""Errors cross process borders: Ray pickles what an actor raises and rebuilds it from `args`."""

import copy
import pickle

import pytest

from fedras_ray import errors
from fedras_ray.errors import FedrasError

EXAMPLES = {
    errors.FedrasError: ("anything",),
    errors.ConfigError: ("training.epochs", "must be at least 1"),
    errors.DataError: ("u.data:7", "a rating is missing"),
    errors.FleetError: ("device 3: uplink_bytes_per_s = -1",),
    errors.CodecError: ("12 bytes are too few",),
    errors.PolicyError: ("mine:slow_down", 41, "epochs is 0, not at least 1"),
    errors.ClientError: (41, 7, "its update is not finite"),
    errors.ExecutorError: ("pool 2 is silent",),
    errors.SnapshotError: ("checkpoint 7 is damaged",),
    errors.RunError: ("/tmp/x cannot be written",),
}


def tree(root: type[FedrasError]) -> set[type[FedrasError]]:
    below = (tree(child) for child in root.__subclasses__() if child.__module__ == errors.__name__)
    return {root}.union(*below)


def test_every_error_of_the_tree_has_an_example_here():
    assert tree(FedrasError) == set(EXAMPLES)


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling_with_its_arguments_and_its_message(kind, protocol):
    error = kind(*EXAMPLES[kind])
    back = pickle.loads(pickle.dumps(error, protocol))
    assert type(back) is kind
    assert back.args == error.args == EXAMPLES[kind]
    assert str(back) == str(error)


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)
def test_the_message_names_every_argument(kind):
    error = copy.copy(kind(*EXAMPLES[kind]))
    assert all(str(argument) in str(error) for argument in EXAMPLES[kind])
