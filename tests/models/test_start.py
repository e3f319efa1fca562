"""Tables to begin with, from a file: they are what clients and server begin with, or the file is refused."""

import numpy as np
import pytest

from fedras_ray.config import build
from fedras_ray.config.client import MatrixFactorization
from fedras_ray.data import load
from fedras_ray.errors import ConfigError
from fedras_ray.executor import SerialExecutor
from fedras_ray.models.build import build_model
from fedras_ray.models.start import first_items, first_private
from fedras_ray.population import population_of
from fedras_ray.simulation import Simulation
from fedras_ray.streams import Purpose, stream

ITEMS, USERS, WIDTH = 6, 5, 3


def tables():
    rng = stream(9, Purpose.ITEM_TABLE)
    return {"items": rng.standard_normal((ITEMS, WIDTH)), "private": rng.standard_normal((USERS, WIDTH))}


def begin(folder, **arrays):
    path = folder / "tables.npz"
    np.savez(path, **arrays)
    config = MatrixFactorization(width=WIDTH, start=str(path))
    return config, build_model(config)


def test_both_tables_are_those_of_the_file_in_f32(tmp_path):
    arrays = tables()
    config, model = begin(tmp_path, **arrays)
    items = first_items(config, model, ITEMS, stream(1, Purpose.ITEM_TABLE))
    private = first_private(config, model, np.array([1, 4]), stream(1, Purpose.PRIVATE_STATE))
    np.testing.assert_array_equal(items, arrays["items"].astype(np.float32))
    np.testing.assert_array_equal(private, arrays["private"][[1, 4]].astype(np.float32))
    assert items.dtype == private.dtype == np.float32
    assert items.flags.writeable
    assert private.flags.writeable


def test_what_the_file_lacks_is_drawn_as_without_it(tmp_path):
    config, model = begin(tmp_path, private=tables()["private"])
    plain = MatrixFactorization(width=WIDTH)
    drawn = (first_items(one, model, ITEMS, stream(1, Purpose.ITEM_TABLE)) for one in (config, plain))
    np.testing.assert_array_equal(*drawn)
    config, model = begin(tmp_path, items=tables()["items"])
    members = np.arange(2)
    states = (first_private(one, model, members, stream(1, Purpose.PRIVATE_STATE)) for one in (config, plain))
    np.testing.assert_array_equal(*states)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"items": np.zeros((ITEMS, WIDTH + 1))}, "the model need"),
        ({"items": np.zeros((ITEMS - 1, WIDTH))}, "the model need"),
        ({"items": np.zeros(ITEMS)}, "the model need"),
        ({"items": np.zeros((ITEMS, WIDTH), int)}, "finite floats"),
        ({"items": np.full((ITEMS, WIDTH), np.nan)}, "finite floats"),
        ({"private": np.zeros((USERS - 1, WIDTH))}, "for every client"),
        ({"private": np.zeros((USERS, WIDTH - 1))}, "for every client"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, arrays, said):
    config, model = begin(tmp_path, **arrays)
    rng = stream(1, Purpose.ITEM_TABLE)

    def both():
        first_items(config, model, ITEMS, rng)
        first_private(config, model, np.arange(USERS), rng)

    with pytest.raises(ConfigError, match=said) as caught:
        both()
    assert caught.value.args[0] == "model.start"


def test_what_is_no_npz_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no tables")
    np.save(tmp_path / "one.npy", np.zeros((ITEMS, WIDTH)))
    for name in ("text.npz", "one.npy", "nowhere.npz"):
        config = MatrixFactorization(width=WIDTH, start=str(tmp_path / name))
        with pytest.raises(ConfigError, match=rf"{name} is no \.npz"):
            first_items(config, build_model(config), ITEMS, stream(1, Purpose.ITEM_TABLE))


def test_a_run_goes_on_from_where_another_ended(tmp_path):
    settings = [
        "data.kind=synthetic",
        "data.users=20",
        "data.items=30",
        "data.mean_interactions=5",
        "model.width=3",
        "codec.kind=sparse",
        "schedule.versions=2",
        "schedule.clients_per_version=5",
        "execution.shards=2",
    ]
    first = build({}, settings)
    dataset = load(first.data, first.seed)
    ended = Simulation(first, population_of(dataset), SerialExecutor(first, dataset))
    list(ended.run())
    table = ended._server.table
    np.savez(tmp_path / "end.npz", items=table)
    second = build({}, [*settings, f"model.start={tmp_path / 'end.npz'}"])
    begun = Simulation(second, population_of(dataset), SerialExecutor(second, dataset))
    np.testing.assert_array_equal(begun._server.table, table)
    list(begun.run())
    assert not np.array_equal(begun._server.table, table)
