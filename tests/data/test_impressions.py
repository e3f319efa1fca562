"""A file of impressions: what was taken is split, and what was shown is kept in its order to train on."""

import pytest

from fedras_ray.config import build
from fedras_ray.config.data import FileData
from fedras_ray.data import load
from fedras_ray.data.own_file import read_own_file
from fedras_ray.errors import ConfigError, DataError
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import TurnRecord
from fedras_ray.simulation import simulate

SHOWN = """user_id,item_id,clicked,at
ada,d,0,1
ada,a,1,2
ada,b,1,5
ada,c,0,3
ada,b,0,4
ada,b,1,6
ben,a,1,7
ben,c,1,1
ben,c,0,9
cleo,a,0,2
cleo,d,0,8
"""


def config(folder, text=SHOWN, **more):
    path = folder / "shown.csv"
    path.write_text(text)
    return FileData(kind="file", path=str(path), label="clicked", **more)


def shown(dataset, user):
    items, labels = dataset.given.of(user)
    return list(zip(items.tolist(), labels.tolist(), strict=True))


def test_samples_are_in_the_order_of_the_file_without_the_held_out_item(tmp_path):
    dataset = load(config(tmp_path), seed=1)
    assert [dataset.train.of(user).tolist() for user in range(3)] == [[0], [0], []]
    assert [dataset.test.of(user).tolist() for user in range(3)] == [[1], [2], []]  # the last that was taken
    assert shown(dataset, 0) == [
        (3, 0),
        (0, 1),
        (2, 0),
        (1, 0),
    ]  # b was shown before: that stays
    assert shown(dataset, 1) == [(0, 1), (2, 0)]
    assert shown(dataset, 2) == [(0, 0), (3, 0)]
    assert dataset.given.counts().tolist() == [4, 2, 2]


def test_with_times_they_are_in_the_order_of_time(tmp_path):
    dataset = load(config(tmp_path, timestamp="at"), seed=1)
    assert [dataset.test.of(user).tolist() for user in range(3)] == [[1], [0], []]
    assert shown(dataset, 0) == [(3, 0), (0, 1), (2, 0), (1, 0)]
    assert shown(dataset, 1) == [(2, 1), (2, 0)]


def test_a_temporal_split_leaves_out_whatever_is_later(tmp_path):
    split = {"kind": "temporal", "test_fraction": 0.5}
    data = build({"data": {**config(tmp_path, timestamp="at").model_dump(), "split": split}}).data
    dataset = load(data, seed=1)  # taken at 1, 2, 6, 7: what is after 2 is the test
    assert [dataset.train.of(user).tolist() for user in range(3)] == [[0], [2], []]
    assert [dataset.test.of(user).tolist() for user in range(3)] == [[1], [0], []]
    assert [shown(dataset, user) for user in range(3)] == [[(3, 0), (0, 1)], [(2, 1)], [(0, 0)]]


def test_labels_and_order_are_part_of_the_digest(tmp_path):
    other_label = SHOWN.replace("ada,c,0,3", "ada,c,1,3")
    other_order = SHOWN.replace("ada,d,0,1\nada,a,1,2", "ada,a,1,2\nada,d,0,1")
    texts = [SHOWN, other_label, other_order]
    digests = {load(config(tmp_path, text), seed=1).digest() for text in texts}
    assert len(digests) == 3


@pytest.mark.parametrize("wrong", ["2", "0.5", "yes"])
def test_a_label_is_0_or_1(tmp_path, wrong):
    text = SHOWN.replace("ada,c,0,3", f"ada,c,{wrong},3")
    with pytest.raises(DataError, match=f"label '{wrong}' is not 0 or 1") as caught:
        read_own_file(config(tmp_path, text))
    assert caught.value.args[0].endswith("shown.csv:5")


def test_something_must_have_been_taken(tmp_path):
    text = "\n".join(line.replace(",1,", ",0,") for line in SHOWN.splitlines())
    with pytest.raises(DataError, match="no label is 1"):
        load(config(tmp_path, text), seed=1)


def test_a_threshold_and_labels_exclude_each_other(tmp_path):
    with pytest.raises(ConfigError, match="leave one of the two out"):
        read_own_file(config(tmp_path, rating="at", least_rating=3))


SETTINGS = [
    "training.samples=given",
    "training.order=given",
    "training.batch_size=2",
    "codec.kind=sparse",
    "schedule.versions=2",
    "schedule.clients_per_version=3",
    "execution.shards=2",
    "evaluation.sampled_negatives=1",
    "server.average=clients",
    "server.client_weight=samples",
]


def test_everyone_who_was_shown_something_trains_on_that(tmp_path):
    experiment = build({"data": config(tmp_path).model_dump(exclude_none=True)}, SETTINGS)
    dataset = load(experiment.data, experiment.seed)
    population = population_of(dataset)
    assert population.samples_per_epoch(experiment.training).tolist() == [4, 2, 2]
    assert population.relative_samples(experiment.training).tolist() == [1.5, 0.75, 0.75]
    records = list(simulate(experiment, population, SerialExecutor(experiment, dataset)))
    turns = [record for record in records if isinstance(record, TurnRecord)]
    assert {turn.client: (turn.samples, turn.rows) for turn in turns} == {0: (8, 4), 1: (4, 2), 2: (4, 2)}
    assert len(turns) == 6


def test_negatives_may_be_drawn_all_the_same(tmp_path):
    kept = [line for line in SETTINGS if not line.startswith(("training.", "schedule.clients"))]
    tree = {"data": config(tmp_path).model_dump(exclude_none=True)}
    experiment = build(tree, [*kept, "schedule.clients_per_version=2"])
    dataset = load(experiment.data, experiment.seed)
    turns = [
        record
        for record in simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset))
        if isinstance(record, TurnRecord)
    ]
    assert {turn.samples for turn in turns} == {2 * 5}  # one positive, four negatives, two epochs


def test_given_samples_that_are_not_there_are_missed(tmp_path):
    experiment = build({"data": config(tmp_path).model_dump(exclude_none=True)}, SETTINGS)
    dataset = load(config(tmp_path).model_copy(update={"label": None}), seed=1)
    with pytest.raises(ConfigError, match="bring no samples along"):
        population_of(dataset).samples_per_epoch(experiment.training)
