"""A checkpoint's file as something to damage, with a checksum that fits the damage every other time."""

import hashlib

from fedras_ray.checkpoints import settled, take
from fedras_ray.snapshots.graph import value_of
from fedras_ray.snapshots.sealed import opened
from tests.checkpoints.stopped import begun, told
from tests.simulation.worlds import SCHEDULES, world
from workloads.checkpoints import files
from workloads.checkpoints.store import LocalStore

DIGEST_BYTES = 32
NAME = files.checkpoint_name(1)
RUN = world(*SCHEDULES["buffered"], "feedback.kind=residual")
WORDS = (
    b'["a",0]|["r",9]|["b",99]|["v","Residual",1]|["g",{}]|["n","|O",1]|"|O"|"<f4"|"V9"|[-1]|[]|{}|[[|1e400'
)
MARKS = [*WORDS.split(b"|"), b"[" * 3_000, b"9" * 5_000]


def sound():
    """The file of a checkpoint of a small run."""
    simulation, executor = begun(*RUN)
    told(simulation, 45)
    plain = settled(take(simulation, executor))
    return b"".join(files.checkpoint_pieces(files.about(*RUN), plain, 0, []))


def read(content, draw, folder):
    """Find it and make objects of what is in it."""
    if draw.random() < 0.5:
        content = content[:-DIGEST_BYTES] + hashlib.sha256(content[:-DIGEST_BYTES]).digest()
    store = LocalStore(folder / "checkpoints")
    store.write(NAME, [content])
    plain = files.found(store, NAME, files.about(*RUN)).plain
    value_of(plain.results, plain.arrays[1])
    value_of(plain.views, plain.arrays[2])
    for one in plain.shards:
        opened(one.tobytes())
