"""What cannot be compared is said in one line, before anything is run."""

import pytest

from fedras_ray.errors import ConfigError, RunError
from tests.workloads import study
from tests.workloads.command import fedras
from tests.workloads.test_mistakes import is_one_error
from workloads import studies
from workloads.comparing.plan import Question, headline, plan
from workloads.comparing.runs import tasks

WRONG = {
    "unknown key": ("margin = 0.05", "marign = 0.05", ["did you mean 'margin'"]),
    "unknown key of a method": ('codec.dtype = "f16"', 'codec.dtyp = "f16"', ["methods.half", "'dtype'"]),
    "a method with a seed": ('codec.dtype = "f16"', "seed = 3", ["methods.half.seed"]),
    "an unknown reference": ('"dense"\nmetric', '"dens"\nmetric', ["'reference'", "did you mean 'dense'"]),
    "an unknown metric": ('"ndcg@10"', '"ndcg@11"', ["'metric'", "ndcg@10"]),
    "a seed twice": ("[1, 2]", "[1, 1]", ["'seeds'", "twice"]),
    "no seed": ("[1, 2]", "[]", ["'seeds'"]),
    "data of its own": ('codec.dtype = "f16"', "data.users = 90", ["'data'", "paired", "half"]),
    "users of its own": (
        'codec.dtype = "f16"',
        "evaluation.users = 50",
        ["'evaluation.users'", "paired", "half"],
    ),
    "no base": ("[base]", "[bass]", ["'base'"]),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_study_is_one_error_that_names_what_is_wrong(mistake, tmp_path):
    right, wrong, words = WRONG[mistake]
    assert right in study.TEXT
    path = study.write(tmp_path, study.TEXT.replace(right, wrong, 1))
    with pytest.raises(ConfigError) as caught:
        plan([str(path)], [], Question())
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("sources", "settings", "words"),
    [
        (["payload-ml-100"], [], ["did you mean 'payload-ml-100k'"]),
        (["payload-ml-100k", "payload-ml-100k"], [], ["two studies"]),
        (["ml-100k-dense", "ml-100k-dense"], [], ["'ml-100k-dense'", "2 methods"]),
        (["ml-100k-dense"], ["seed=3"], ["--seeds"]),
        (["nosuch.toml"], [], ["nosuch.toml"]),
    ],
)
def test_sources_that_do_not_go_together(sources, settings, words):
    with pytest.raises(ConfigError) as caught:
        plan(sources, settings, Question())
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_the_command_line_says_it_in_one_line_and_leaves_nothing(tmp_path):
    is_one_error(fedras("compare", "ml-100k-dense", "--seeds", "1,b", cwd=tmp_path), "'seeds'", "1,b")
    is_one_error(fedras("compare", "ml-100k-dens", cwd=tmp_path), "did you mean 'ml-100k-dense'")
    is_one_error(fedras("compare", "ml-100k-dense", "--target", "1.5", cwd=tmp_path), "'target'", "1.5")
    assert fedras("compare", cwd=tmp_path).status == 2
    assert not list(tmp_path.iterdir())


def test_another_experiment_in_the_place_of_a_run_is_not_taken_for_it(tmp_path):
    made = plan([str(study.write(tmp_path))], [], Question(seeds=(1,)))
    task = tasks(made, tmp_path)[0]
    assert not task.kept()
    task.directory.mkdir()
    (task.directory / "summary.json").write_text('{"digest": "another"}')
    with pytest.raises(RunError, match="another experiment"):
        task.kept()
    (task.directory / "summary.json").write_text("{")
    with pytest.raises(RunError, match=r"summary\.json"):
        task.kept()


def test_a_run_that_fails_is_named_and_the_others_stay(tmp_path):
    text = study.TEXT + "training = { item_rate = 1e30, private_rate = 1e30 }\n"
    said = fedras("compare", study.write(tmp_path, text), "--serial", "--no-mlflow", cwd=tmp_path)
    assert said.status == 2
    assert said.err.count("error ") == 1
    assert "few, seed 1: client" in said.err
    assert (tmp_path / "runs/small-study/dense-s1/summary.json").exists()


@pytest.mark.parametrize("name", studies.names())
def test_the_studies_that_come_with_the_project_can_be_planned(name):
    made = plan([name], [], Question())
    assert made.name == name
    assert made.reference in made.methods
    assert len(list(made.runs())) == len(made.methods) * len(made.seeds)
    assert len({one.digest() for one in made.methods.values()}) == len(made.methods)


def test_a_method_is_the_base_with_its_own_changes(tmp_path):
    made = plan([str(study.write(tmp_path)), "ml-100k-dense"][:1], ["schedule.versions=9"], Question())
    few = made.experiment("few", 2)
    assert (few.name, few.seed, few.schedule.versions) == ("few", 2, 9)
    assert (few.codec.kind, few.codec.actions.count, few.model.width) == ("actions", 4, 8)
    assert made.methods["half"].codec.dtype == "f16"


@pytest.mark.parametrize(
    ("asked", "measured", "found"),
    [
        (None, ["ndcg@10", "ndcg@20", "sampled_ndcg@10"], "sampled_ndcg@10"),
        (None, ["ndcg@10", "ndcg@20"], "ndcg@20"),
        ("recall@20", ["ndcg@20"], "recall@20"),
    ],
)
def test_the_metric_of_a_comparison(asked, measured, found):
    assert headline(asked, measured) == found
