"""From TOML and overrides to an experiment, or to one error that names the key."""

import pytest

from fedras_ray.config import Experiment, build, read
from fedras_ray.config.codecs import DenseCodec, FixedActions
from fedras_ray.config.data import LeaveLastOut, RatioSplit, SyntheticData
from fedras_ray.config.fleet import HomogeneousFleet
from fedras_ray.config.reading import DEEPEST
from fedras_ray.config.system import AdamServer, SgdServer
from fedras_ray.errors import ConfigError


def refused(tree):
    """The key and the problem of the error that a tree is refused with."""
    with pytest.raises(ConfigError) as caught:
        build(tree)
    return caught.value.args


@pytest.mark.parametrize(
    ("tree", "key", "said"),
    [
        ({"seed": -1}, "seed", "-1"),
        ({"seed": None}, "seed", "None"),
        ({"name": "-dash"}, "name", "-dash"),
        ({"model": {"width": 0}}, "model.width", "0"),
        ({"model": {"kind": "ncf"}}, "model.kind", "ncf"),
        ({"training": {"epochs": 2.5}}, "training.epochs", "2.5"),
        ({"training": {"batch_size": -1}}, "training.batch_size", "-1"),
        ({"training": {"item_rate": float("nan")}}, "training.item_rate", "nan"),
        ({"training": {"item_rate": float("inf")}}, "training.item_rate", "inf"),
        ({"training": {"loss": "max"}}, "training.loss", "max"),
        ({"codec": {"actions": {"count": 0}}}, "codec.actions.count", "0"),
        ({"codec": {"actions": {"count": 5000}}}, "codec.actions.count", "5000"),
        ({"codec": {"actions": {"kind": "adaptive", "most": 0}}}, "codec.actions.most", "0"),
        ({"codec": {"actions": 3}}, "codec.actions", "3"),
        ({"codec": {"kind": "sparse", "dtype": "f8"}}, "codec.dtype", "f8"),
        ({"codec": {"kind": "custom", "target": "no_colon"}}, "codec.target", "no_colon"),
        ({"codec": {"kind": "custom"}}, "codec.target", "required"),
        ({"downlink": {"dtype": "f8"}}, "downlink.dtype", "f8"),
        ({"fleet": {"kind": "homogeneous", "uplink_bytes_per_s": -3}}, "fleet.uplink_bytes_per_s", "-3"),
        ({"fleet": {"uplink_share": 0}}, "fleet.uplink_share", "0"),
        ({"fleet": 5}, "fleet", "5"),
        ({"data": {"kind": "file"}}, "data.path", "required"),
        ({"data": {"split": {"kind": "ratio", "test_fraction": 1}}}, "data.split.test_fraction", "1"),
        ({"schedule": {"kind": "buffered", "buffer": 0}}, "schedule.buffer", "0"),
        ({"server": {"optimizer": {"kind": "adam", "beta1": 1}}}, "server.optimizer.beta1", "1"),
        ({"server": {"count_power": 1.5}}, "server.count_power", "1.5"),
        ({"server": {"average": "clients", "count_power": 1}}, "server", "leave it out"),
        ({"training": {"order": "given"}}, "training", "set samples to 'given'"),
        ({"training": {"samples": "given"}}, "experiment", "data.label"),
        ({"model": {"start": "a.npz"}, "downlink": {"kind": "lattice"}}, "experiment", "take 'dense'"),
        ({"evaluation": {"every": 0}}, "evaluation.every", "0"),
        ({"execution": {"shards": 0}}, "execution.shards", "0"),
        ({"tracking": {"mlflow": "maybe"}}, "tracking.mlflow", "valid boolean"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_value_is_refused_with_the_path_a_user_would_write(tree, key, said):
    assert refused(tree)[0] == key
    assert said in refused(tree)[1].lower() + refused(tree)[1]


@pytest.mark.parametrize(
    ("tree", "key", "wrong", "known"),
    [
        ({"fleet": {"kind": "homogenous"}}, "fleet", "homogenous", ["homogeneous", "log-normal", "fedscale"]),
        ({"codec": {"kind": "denso"}}, "codec", "denso", ["dense", "sparse", "actions", "custom"]),
        ({"codec": {"actions": {"kind": "many"}}}, "codec.actions", "many", ["fixed", "adaptive"]),
        (
            {"data": {"split": {"kind": "random"}}},
            "data.split",
            "random",
            ["leave-last-out", "ratio", "temporal"],
        ),
        ({"server": {"optimizer": {"kind": "lamb"}}}, "server.optimizer", "lamb", ["sgd", "adam"]),
        ({"schedule": {"kind": ["sync"]}}, "schedule", "['sync']", ["sync", "buffered"]),
    ],
)
def test_a_wrong_kind_is_refused_with_the_kinds_there_are(tree, key, wrong, known):
    where, problem = refused(tree)
    assert where == key
    assert problem.startswith(f"unknown kind '{wrong}'; ")
    assert all(name in problem.partition("(known: ")[2] for name in known)


@pytest.mark.parametrize(
    ("tree", "nearest"),
    [({"codec": {"kind": "actoins"}}, "actions"), ({"data": {"split": {"kind": "tempral"}}}, "temporal")],
)
def test_a_wrong_kind_has_a_near_one(tree, nearest):
    assert f"did you mean '{nearest}'?" in refused(tree)[1]


@pytest.mark.parametrize("value", ["dense", 5, ["dense"]])
def test_a_value_for_a_section_is_told_how_to_choose(value):
    assert refused({"codec": value}) == (
        "codec",
        f"is a section, not a value, got {value!r}; to choose one, set codec.kind",
    )


def deep(levels):
    """Sections within sections, as a codec of one's own may be given."""
    tree = {}
    for _ in range(levels):
        tree = {"x": tree}
    return {"codec": {"kind": "custom", "target": "m:f", "options": tree}}


def test_a_tree_is_as_deep_as_it_may_be_and_no_deeper():
    assert build(deep(DEEPEST - 3)).codec.options
    assert refused(deep(DEEPEST - 2)) == ("experiment", f"is nested deeper than {DEEPEST} levels")
    assert refused(deep(100_000))[1] == f"is nested deeper than {DEEPEST} levels"


@pytest.mark.parametrize("value", ["9" * 5_000, "0x" + "f" * 5_000, "9" * 90, "[" * 5_000, "x" * 5_000])
@pytest.mark.parametrize("key", ["training.epochs", "codec", "training.zzz"])
def test_a_long_value_is_not_repeated_in_full(key, value):
    with pytest.raises(ConfigError) as caught:
        build({}, [f"{key}={value}"])
    assert caught.value.args[0] in (key, "training", "experiment")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(("key", "most"), [("model.width", 0xFFFF), ("data.users", 2**31 - 1)])
def test_what_the_wire_and_the_arrays_cannot_number_is_refused(key, most):
    assert build({}, ["data.kind=synthetic", f"{key}={most}"])
    with pytest.raises(ConfigError, match=f"less than or equal to {most}"):
        build({}, ["data.kind=synthetic", f"{key}={most + 1}"])


@pytest.mark.parametrize(
    ("tree", "key", "name", "nearest"),
    [
        ({"trainin": {}}, "experiment", "trainin", "training"),
        ({"training": {"epoch": 3}}, "training", "epoch", "epochs"),
        ({"codec": {"actions": {"cuont": 3}}}, "codec.actions", "cuont", "count"),
        ({"codec": {"start_": "k-means++"}}, "codec", "start_", "start"),
        ({"fleet": {"kind": "log-normal", "links_sigma": 1}}, "fleet", "links_sigma", "link_sigma"),
        (
            {"server": {"staleness": {"kind": "polynomial", "exponnt": 1}}},
            "server.staleness",
            "exponnt",
            "exponent",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(tree, key, name, nearest):
    where, problem = refused(tree)
    assert where == key
    assert problem.startswith(f"unknown name '{name}'; did you mean '{nearest}'?")


def test_an_unknown_name_unlike_any_other_is_refused_with_all_that_are_known():
    where, problem = refused({"schedule": {"zzz": 1}})
    assert where == "schedule"
    assert "did you mean" not in problem
    assert "kind, versions, clients_per_version" in problem


def test_an_option_of_another_kind_is_unknown():
    assert refused({"fleet": {"kind": "fedscale", "link_sigma": 1}})[0] == "fleet"
    assert refused({"server": {"optimizer": {"kind": "adam", "momentum": 0.5}}})[0] == "server.optimizer"


def test_an_empty_tree_is_all_defaults():
    assert build({}) == Experiment()


def test_merging_keeps_the_defaults_beside_what_is_given():
    experiment = build({"training": {"epochs": 7}, "codec": {"actions": {"count": 3}}})
    assert experiment.training == Experiment().training.model_copy(update={"epochs": 7})
    assert experiment.codec == Experiment().codec.model_copy(update={"actions": FixedActions(count=3)})
    assert experiment.model_copy(
        update={"training": Experiment().training, "codec": Experiment().codec}
    ) == build({})


def test_the_tree_that_is_given_stays_as_it_is():
    tree = {
        "codec": {"kind": "custom", "target": "m:f", "options": {"deep": {"x": 1}}},
        "training": {"epochs": 3},
    }
    build(tree, ["codec.options.deep.x=2", "training.epochs=4", "seed=5"])
    assert tree["codec"]["options"] == {"deep": {"x": 1}}
    assert tree["training"] == {"epochs": 3}


@pytest.mark.parametrize("way", ["tree", "override"])
def test_switching_the_kind_discards_the_options_of_the_old_one(way):
    new = {"fleet": "homogeneous", "codec": "dense", "data": "synthetic"}
    if way == "tree":
        experiment = build({section: {"kind": kind} for section, kind in new.items()})
    else:
        experiment = build({}, [f"{section}.kind={kind}" for section, kind in new.items()])
    assert experiment.fleet == HomogeneousFleet(kind="homogeneous")
    assert experiment.codec == DenseCodec()
    assert experiment.data == SyntheticData(kind="synthetic")


def test_switching_a_kind_deep_in_the_tree_keeps_what_stands_beside_it():
    experiment = build(
        {"server": {"count_power": 0.25, "optimizer": {"rate": 3}}}, ["server.optimizer.kind=adam"]
    )
    assert experiment.server.optimizer == AdamServer(kind="adam")
    assert experiment.server.count_power == 0.25


def test_naming_the_same_kind_again_keeps_its_options():
    tree = {"server": {"optimizer": {"rate": 3, "momentum": 0.5}}}
    assert build(tree, ["server.optimizer.kind=sgd"]).server.optimizer == SgdServer(rate=3, momentum=0.5)


def test_a_kind_there_and_back_is_the_default_again():
    tree = {"data": {"split": {"kind": "ratio", "test_fraction": 0.5}}}
    assert build(tree).data.split == RatioSplit(kind="ratio", test_fraction=0.5)
    assert build(tree, ["data.split.kind=leave-last-out"]).data.split == LeaveLastOut()


def test_a_file_is_read_and_overrides_are_laid_over_it(tmp_path):
    path = tmp_path / "experiment.toml"
    path.write_text('name = "x"\n[training]\nepochs = 3\nloss = "mean"\n', encoding="utf-8")
    experiment = read(path, ["training.epochs=5"])
    assert (experiment.name, experiment.training.epochs, experiment.training.loss) == ("x", 5, "mean")


def test_what_an_experiment_writes_it_reads(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(build({"seed": 9}).to_toml(), encoding="utf-8")
    assert read(path) == build({"seed": 9})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read(tmp_path / "none.toml")
    assert caught.value.args[0] == str(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"seed = ", "not valid TOML"),
        (b"seed = 1\nseed = 2", "not valid TOML"),
        (b"seed = " + b"9" * 5_000, "not valid TOML"),
        (b"x = " + b"[" * 5_000 + b"]" * 5_000, "nested deeper"),
    ],
    ids=["no value", "twice", "digits", "brackets"],
)
def test_a_file_that_is_no_toml_is_named(tmp_path, content, said):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        read(path)
    assert caught.value.args[0] == str(path)


@pytest.mark.parametrize(
    ("content", "line"), [(b"seed = 1\nname = '\xff'", 2), ("seed = 1".encode("utf-16"), 1)]
)
def test_a_file_in_another_encoding_is_named_with_the_line(tmp_path, content, line):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="save the file as UTF-8") as caught:
        read(path)
    assert caught.value.args[0] == f"{path}:{line}"


def test_a_byte_order_mark_and_other_line_ends_are_fine(tmp_path):
    path = tmp_path / "windows.toml"
    path.write_bytes("\ufeffseed = 3\r\nname = 'x'\r\n".encode())
    assert (read(path).seed, read(path).name) == (3, "x")


def test_sections_too_deep_in_a_file_are_refused(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text(".".join(["a"] * 5_000) + " = 1\n")
    with pytest.raises(ConfigError, match="nested deeper"):
        read(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path)
