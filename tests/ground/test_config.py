"""The experiment as a tree: what names it, and what is kept on the way to TOML and back."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fedras_ray.config import Experiment, build

POSITIVE = st.floats(1e-12, 1e12)
NOT_NEGATIVE = st.floats(0, 1e12)
FRACTION = st.floats(1e-6, 1 - 1e-6)
COUNT = st.integers(1, 4096)
OPTIONS = st.dictionaries(st.text(), st.booleans() | st.integers(0, 99) | POSITIVE | st.text())
TRAINING = {"epochs": COUNT, "weight_decay": NOT_NEGATIVE, "loss": st.sampled_from(["sum", "mean"])}


def section(kind: str, **options):
    """A section of a kind with any of its options given."""
    return st.fixed_dictionaries({"kind": st.just(kind)}, optional=options)


SPLIT = (
    section("leave-last-out")
    | section("ratio", test_fraction=FRACTION)
    | section("temporal", test_fraction=FRACTION)
)
ACTIONS = section("fixed", count=COUNT) | section(
    "adaptive", least=COUNT, distortion=FRACTION, upload_s=POSITIVE
)
TREES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.\-]*\Z"),
        "seed": st.integers(0, 2**63 - 1),
        "data": section("catalog", name=st.text(), split=SPLIT)
        | section("synthetic", users=COUNT, mean_interactions=POSITIVE, split=SPLIT)
        | st.fixed_dictionaries(
            {"kind": st.just("file"), "path": st.text()},
            optional={"rating": st.text(), "least_rating": st.floats(-5, 5), "split": SPLIT},
        ),
        "training": st.fixed_dictionaries({}, optional=TRAINING),
        "codec": section("dense", dtype=st.sampled_from(["f32", "f16"]))
        | section("actions", actions=ACTIONS, iterations=st.integers(0, 300))
        | st.fixed_dictionaries(
            {"kind": st.just("custom"), "target": st.just("module:make")},
            optional={"options": OPTIONS},
        ),
        "feedback": section("none") | section("residual", decay=FRACTION, most_rows=COUNT),
        "downlink": section("dense", dtype=st.sampled_from(["f32", "f16"]))
        | section("lattice", step=POSITIVE, every=COUNT, axes=st.sampled_from(["given", "principal"]))
        | section("lanes", codec=section("dense"), refresh=st.sampled_from(["turns", "all"])),
        "fleet": section("homogeneous", uplink_bytes_per_s=POSITIVE)
        | section("log-normal", link_sigma=NOT_NEGATIVE)
        | section("fedscale", uplink_share=POSITIVE, speed_link_correlation=st.floats(-1, 1))
        | section("cellular", generation=st.sampled_from(["4g", "5g"]))
        | section("gaussian-classes", unit_s=POSITIVE)
        | section("harsh-mobile", crawling_share=st.floats(0, 1))
        | section("mobiperf")
        | st.fixed_dictionaries({"kind": st.just("file"), "path": st.text()}),
        "schedule": section("sync", versions=COUNT) | section("buffered", buffer=COUNT, concurrency=COUNT),
        "server": st.fixed_dictionaries(
            {},
            optional={
                "optimizer": section("sgd", momentum=st.floats(0, 0.999)) | section("adam", epsilon=POSITIVE),
                "count_power": st.floats(0, 1),
                "decay": section("constant") | section("linear", final=FRACTION) | section("cosine"),
                "staleness": section("constant") | section("polynomial", exponent=NOT_NEGATIVE),
            },
        ),
    },
)


@given(TREES)
def test_an_experiment_is_the_same_after_a_trip_through_toml(tree):
    experiment = build(tree)
    back = build(tomllib.loads(experiment.to_toml()))
    assert back == experiment
    assert back.digest() == experiment.digest()


def leaves(tree, path=()):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))
        else:
            yield ".".join((*path, name)), value


def test_toml_spells_every_default_out():
    written = tomllib.loads(Experiment().to_toml())
    assert dict(leaves(written)) == dict(leaves(Experiment().model_dump(mode="json", exclude_none=True)))
    assert written["execution"]["pools"] == 0
    assert written["server"]["staleness"] == {"kind": "constant"}


@pytest.mark.parametrize(
    "override",
    [
        "execution.pools=3",
        "execution.start_limit_s=7",
        "execution.work_limit_s=7",
        "execution.pool_restarts=7",
        "checkpoint.every_versions=1",
        "checkpoint.to='elsewhere'",
        "tracking.experiment=other",
        "tracking.mlflow=false",
    ],
)
def test_where_it_is_computed_and_who_watches_does_not_change_the_digest(override):
    assert build({}, [override]) != Experiment()
    assert build({}, [override]).digest() == Experiment().digest()


RESULTS = [
    "seed=2",
    "execution.shards=9",
    "data.name=ml-1m",
    "data.split.kind=ratio",
    "data.kind=synthetic",
    "model.width=8",
    "training.item_rate=0.2",
    "training.loss=mean",
    "model.start=tables.npz",
    "codec.kind=dense",
    "codec.actions.count=17",
    "codec.actions.kind=adaptive",
    "codec.start=k-means++",
    "feedback.kind=residual",
    'privacy={kind="laplace", clip=1}',
    "downlink.dtype=f16",
    "downlink.kind=lattice",
    "downlink.kind=lanes",
    "server.decay.kind=linear",
    "fleet.latency_s=0",
    "fleet.speed_link_correlation=0.5",
    "fleet.kind=mobiperf",
    "network.loss=0.1",
    "faults.flip=0.1",
    "network.variation.kind=gamma",
    "network.availability.kind=diurnal",
    "schedule.kind=buffered",
    "schedule.kind=tiered",
    "schedule.policy=straggler-aware",
    "schedule.versions=7",
    "selection.kind=utility",
    "pacing.patience=0.5",
    "server.optimizer.momentum=0.5",
    "server.count_power=1",
    "server.average=clients",
    "server.staleness.kind=polynomial",
    "server.staleness_limit.versions=4",
    "evaluation.every=1",
    "evaluation.users=50",
    "evaluation.sampled_negatives=0",
]


@pytest.mark.parametrize("override", RESULTS)
def test_whatever_can_change_a_result_changes_the_digest(override):
    assert build({}, [override]).digest() != Experiment().digest()


def test_every_section_that_can_change_a_result_is_tried_above():
    tried = {override.partition("=")[0].partition(".")[0] for override in RESULTS}
    assert tried == set(Experiment.model_fields) - {"name", "tracking", "checkpoint"}


def test_the_digest_is_one_value_for_one_experiment():
    assert Experiment().digest() == Experiment().digest() == build({}).digest()
    assert len(bytes.fromhex(Experiment().digest())) == 32


def test_an_experiment_is_frozen_all_the_way_down():
    experiment = Experiment()
    for part, field in [
        (experiment, "seed"),
        (experiment.training, "epochs"),
        (experiment.codec.actions, "count"),
    ]:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, field, 5)
