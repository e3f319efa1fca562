"""The server's optimisers against torch.optim, where the step is a negative gradient."""

import numpy as np
import pytest
import torch

from fedras_ray.config.system import AdamServer, SgdServer
from fedras_ray.server.optimizers import Adam, Sgd, build_optimizer
from fedras_ray.streams import Purpose, stream

ITEMS, WIDTH = 7, 3

CASES = [
    (SgdServer(rate=0.5), lambda p: torch.optim.SGD(p, lr=0.5)),
    (SgdServer(rate=0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    (AdamServer(kind="adam"), lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.99), eps=1e-8)),
    (
        AdamServer(kind="adam", rate=0.3, beta1=0, beta2=0.5, epsilon=0.1),
        lambda p: torch.optim.Adam(p, lr=0.3, betas=(0.0, 0.5), eps=0.1),
    ),
]
NAMES = ["sgd", "momentum", "adam", "adam with other constants"]


def steps(count, seed=1):
    rng = stream(seed, Purpose.ITEM_TABLE)
    return [rng.standard_normal((ITEMS, WIDTH)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize(("config", "theirs"), CASES, ids=NAMES)
def test_with_every_row_touched_it_is_torchs(config, theirs):
    start, *moves = steps(7)
    table, parameter = start.copy(), torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer, reference = build_optimizer(config, ITEMS, WIDTH), theirs([parameter])
    for step in moves:
        optimizer.apply(table, np.arange(ITEMS), step)
        parameter.grad = torch.from_numpy(-step)
        reference.step()
        np.testing.assert_allclose(table, parameter.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert table.dtype == np.float32


@pytest.mark.parametrize(("config", "theirs"), CASES, ids=NAMES)
def test_a_row_moves_and_remembers_only_when_it_is_touched(config, theirs):
    """Each row lives as if it were alone: the reference is one torch optimiser per row."""
    start, *moves = steps(9)
    rng = stream(2, Purpose.SELECTION)
    table, optimizer = start.copy(), build_optimizer(config, ITEMS, WIDTH)
    alone = [torch.nn.Parameter(torch.from_numpy(row.copy())) for row in start]
    references = [theirs([parameter]) for parameter in alone]
    for step in moves:
        touched = np.flatnonzero(rng.random(ITEMS) < 0.5)
        before = table.copy()
        optimizer.apply(table, touched, step[touched])
        untouched = np.setdiff1d(np.arange(ITEMS), touched)
        np.testing.assert_array_equal(table[untouched], before[untouched])
        for item in touched:
            alone[item].grad = torch.from_numpy(-step[item])
            references[item].step()
    expected = np.stack([parameter.detach().numpy() for parameter in alone])
    np.testing.assert_allclose(table, expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(table, start)


@pytest.mark.parametrize("config", [case[0] for case in CASES], ids=NAMES)
def test_nothing_touched_is_nothing_moved(config):
    table = steps(1)[0]
    build_optimizer(config, ITEMS, WIDTH).apply(
        table, np.zeros(0, np.int64), np.zeros((0, WIDTH), np.float32)
    )
    np.testing.assert_array_equal(table, steps(1)[0])


@pytest.mark.parametrize("config", [case[0] for case in CASES], ids=NAMES)
def test_the_step_that_is_given_stays_as_it_is(config):
    step = steps(1)[0]
    optimizer = build_optimizer(config, ITEMS, WIDTH)
    for _ in range(2):
        optimizer.apply(np.zeros((ITEMS, WIDTH), np.float32), np.arange(ITEMS), step)
    np.testing.assert_array_equal(step, steps(1)[0])


def test_the_kind_in_the_experiment_names_the_optimiser():
    assert isinstance(build_optimizer(SgdServer(), 2, 2), Sgd)
    assert isinstance(build_optimizer(AdamServer(kind="adam"), 2, 2), Adam)
