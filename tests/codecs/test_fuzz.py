"""The fuzz program finds what it looks for. A long run of it is nobody's test: see its own text."""

import random
from types import SimpleNamespace

import numpy as np
import pytest

from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.errors import CodecError
from tests.codecs import fuzz
from tests.codecs.conftest import CODECS, rank_one


def test_a_short_run_over_every_codec_finds_nothing(capsys):
    assert fuzz.run(blobs=60 * len(CODECS), seed=1) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == list(CODECS)


def refuse(blob):
    raise CodecError("no")


def overflow(blob):
    return ItemUpdate(np.zeros(1, np.int32), np.full((1, 1), np.inf, np.float32), 1)


@pytest.mark.parametrize(
    ("decode", "found"),
    [
        (refuse, "refused"),
        (overflow, "rows that are not finite"),
        (lambda blob: blob[99], "IndexError: index out of range"),
        (lambda blob: None, "gave NoneType"),
        (lambda blob: np.ones(1 << 20) is None, "gave bool"),
    ],
)
def test_every_other_outcome_is_a_failure(decode, found):
    assert fuzz.outcome(SimpleNamespace(decode=decode), b"", traced=False) == found


def greedy(blob):
    np.ones(1 << 20)
    raise CodecError("after 8 MiB")


def test_memory_is_a_failure_too():
    assert "bytes for a blob of 0" in fuzz.outcome(SimpleNamespace(decode=greedy), b"", traced=True)


@pytest.mark.parametrize("attack", fuzz.ATTACKS)
def test_attacks_are_blobs_that_differ(attack, codecs):
    draw, blob = random.Random(1), codecs["actions-4"].encode(rank_one(5, 11, 2))
    made = {attack(draw, blob) for _ in range(50)}
    assert len(made) > 10
    assert all(isinstance(one, bytes) for one in made)
