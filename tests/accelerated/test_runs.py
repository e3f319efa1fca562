"""A whole run on a device: the same events where sizes are the same, the same bits when it is run again."""

import pytest
import torch

from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.errors import ConfigError
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import VersionRecord
from fedras_ray.simulation import simulate
from fedras_ray.tensors import accelerator
from tests.conftest import SCHEDULES, SMALL

CODECS = {
    "sparse": ["codec.kind=sparse"],
    "actions": ["codec.kind=actions"],
    "residual": ["codec.kind=residual", "feedback.kind=residual"],
}


def run(experiment):
    dataset = load(experiment.data, experiment.seed)
    records = list(simulate(experiment, population_of(dataset), SerialExecutor(experiment, dataset)))
    return [one for one in records if isinstance(one, VersionRecord)], records[-1].trace_digest


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
@pytest.mark.parametrize("codec", CODECS)
def test_a_run_is_the_run_of_the_processor_up_to_rounding(device, schedule, codec, monkeypatch):
    experiment = build({}, [*SMALL, *SCHEDULES[schedule], *CODECS[codec]])
    expected, digest = run(experiment)
    monkeypatch.setattr("fedras_ray.clients.accelerator", lambda name: device)
    found, other = run(experiment)
    again, _ = run(experiment)
    assert again == found
    if codec == "sparse":  # whose sizes hang on no rounding
        assert other == digest, "as many bytes at the same instants"
    sent = [sum(one.up_bytes for one in records[-1:]) for records in (expected, found)]
    assert sent[1] == pytest.approx(sent[0], rel=0.04)
    assert found[-1].train_loss == pytest.approx(expected[-1].train_loss, rel=5e-3)


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert accelerator("cpu") is None
    with pytest.raises(ConfigError, match=r"execution\.device.*'cuda' is not to be had here.*Take 'cpu'"):
        accelerator("cuda")
    experiment = build({}, [*SMALL, "execution.device=cuda"])
    dataset = load(experiment.data, experiment.seed)
    with pytest.raises(ConfigError, match=r"execution\.device"):
        SerialExecutor(experiment, dataset)


def test_the_device_is_part_of_the_digest_and_what_a_pool_asks_for_is_not():
    plain = build({}, SMALL)
    assert build({}, [*SMALL, "execution.device=cuda"]).digest() != plain.digest()
    asked = ["execution.gpus=0.5", "execution.memory_bytes=1000000"]
    assert build({}, [*SMALL, *asked]).digest() == plain.digest()
