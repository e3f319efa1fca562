"""The `RayJob` of docs/kubernetes.md says what KubeRay knows, and what this project promises of it."""

import copy
import re
import shlex

import pytest
import yaml
from pydantic import ValidationError
from typer.main import get_command

from tests.cluster.kuberay import RayJob
from tests.cluster.test_cluster_yaml import ROOT
from workloads.cli import app

PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
(JOB,) = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
PINNED = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
)


def pods(job):
    cluster = job.spec.rayClusterSpec
    groups = [cluster.headGroupSpec, *cluster.workerGroupSpecs]
    return [one for group in groups for one in group.template.spec.containers]


def test_kuberay_knows_every_field():
    job = RayJob.model_validate(JOB)
    assert [one.name for one in pods(job)] == ["ray-head", "ray-worker"]


@pytest.mark.parametrize(
    ("path", "damage"),
    [
        ("apiVersion", "ray.io/v1alpha1"),
        ("metadata.name", "Fed_RAS"),
        ("spec.shutdownAfterJobFinishs", True),
        ("spec.ttlSecondsAfterFinished", "600"),
        ("spec.rayClusterSpec.authOptions.mode", "tokens"),
        ("spec.rayClusterSpec.headGroupSpec.rayStartParams.num-cpus", 0),
        ("spec.rayClusterSpec.workerGroupSpecs.0.template.spec.containers.0.resources.limits.cpu", 2),
    ],
)
def test_a_slip_of_the_pen_is_found(path, damage):
    tree = at = copy.deepcopy(JOB)
    *way, last = path.split(".")
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    at[last] = damage
    with pytest.raises(ValidationError, match=re.escape(path)):
        RayJob.model_validate(tree)


def test_versions_are_those_that_are_pinned():
    cluster = RayJob.model_validate(JOB).spec.rayClusterSpec
    assert cluster.rayVersion == PINNED["ray"]
    assert f"rayproject/ray:{PINNED['ray']}-py311" in PAGE
    assert f"torch=={PINNED['torch'].partition('+')[0]}" in PAGE


def test_nobody_comes_in_without_a_token_and_pools_get_the_cores_they_ask_for():
    job = RayJob.model_validate(JOB)
    cluster = job.spec.rayClusterSpec
    assert cluster.authOptions.mode == "token"
    head, worker = pods(job)
    assert head.image == worker.image
    for one in (head, worker):
        assert one.resources.requests == one.resources.limits, "a pod that is squeezed is slow, or killed"
    asked = int(shlex.split(job.spec.entrypoint)[shlex.split(job.spec.entrypoint).index("--pools") + 1])
    (group,) = cluster.workerGroupSpecs
    assert asked == group.maxReplicas * int(worker.resources.limits["cpu"])


def test_the_command_is_one_of_ours():
    program, *words = shlex.split(JOB["spec"]["entrypoint"])
    assert program == "fedras"
    command = get_command(app).commands[words[0]]
    parsed = command.make_context("run", words[1:], resilient_parsing=True)
    assert parsed.params["pools"] == 6
    assert parsed.params["out"].startswith("s3://")
