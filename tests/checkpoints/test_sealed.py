"""What is sealed is opened as it was, or refused."""

import numpy as np
import pytest

from fedras_ray.clients import ClientState
from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.feedback import Residual
from fedras_ray.errors import SnapshotError
from fedras_ray.site import ShardState
from fedras_ray.snapshots.container import Contents, packed
from fedras_ray.snapshots.sealed import opened, sealed
from tests.checkpoints.likeness import differences


def states():
    private = np.arange(8, dtype=np.float32).reshape(4, 2)
    residual = Residual(np.array([1], np.int32), np.ones((1, 3), np.float32))
    update = ItemUpdate(np.array([0, 5], np.int32), np.ones((2, 3), np.float32), 9, actions=1)
    clients = ClientState(private, np.array([8]), private[:1], {8: residual})
    return [ShardState(0, clients, {(8, 2): update, (16, 0): b"as it came"}), ShardState(1, clients, {})]


def test_states_of_shards_are_opened_as_they_were_sealed():
    found = opened(sealed(states()))
    assert differences(found, states()) == []
    assert found[0].kept[16, 0] == b"as it came"
    assert sealed(found) == sealed(states())
    assert opened(sealed([])) == []


@pytest.mark.parametrize("place", [0, 9, 40, -1])
def test_a_byte_that_is_another_one_is_noticed(place):
    blob = bytearray(sealed(states()))
    blob[place] ^= 4
    with pytest.raises(SnapshotError):
        opened(bytes(blob))


@pytest.mark.parametrize("trees", [[], [["v", "Unheard", 1]], [["a", 7]]])
def test_what_is_whole_and_says_nothing_is_refused(trees):
    with pytest.raises(SnapshotError):
        opened(b"".join(packed(Contents({}, trees, [[]]))))
