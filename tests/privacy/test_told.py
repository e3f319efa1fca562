"""What a run with noise says of it: summary, closing table and report."""

from pathlib import Path

import pytest
from rich.console import Console

from fedras_ray.config import build
from fedras_ray.guarantees import epsilon
from workloads.running import Options, run
from workloads.table import rows


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Summary, closing rows and report of a run without and of one with noise."""

    def of(*settings):
        experiment = build(
            {
                "data": {"kind": "synthetic", "users": 40, "items": 30, "mean_interactions": 5},
                "schedule": {"versions": 4, "clients_per_version": 20},
            },
            settings,
        )
        out = tmp_path_factory.mktemp("run") / "run"
        asked = Options(out=out, serial=True, mlflow=False, progress=False)
        summary = run(experiment, asked, Console(stderr=True)).summary
        return experiment, summary, rows(summary), Path(out / "report.html").read_text(encoding="utf-8")

    return of(), of("privacy.kind=gaussian", "privacy.clip=0.5", "privacy.delta=1e-6")


def test_a_run_with_noise_tells_its_guarantee(told):
    experiment, summary, closing, report = told[1]
    found = summary["privacy"]
    assert found["turns_most"] == summary["participation"]["most_turns"]
    assert 1 <= found["turns_median"] <= found["turns_most"]
    assert found["epsilon_most"] == epsilon(experiment.privacy, found["turns_most"])
    assert found["epsilon_median"] == epsilon(experiment.privacy, found["turns_median"])
    (row,) = [row for row in closing if row[0].startswith("privacy")]
    assert row[1] == f"ε = {found['epsilon_most']:.4g}"
    assert row[2] == f"at δ = 1e-06; median client {found['epsilon_median']:.4g}"
    assert "Values of updates have local differential privacy with ε = " in report


def test_a_run_without_noise_says_nothing(told):
    _, summary, closing, report = told[0]
    assert summary["privacy"] is None
    assert not [row for row in closing if row[0].startswith("privacy")]
    assert "differential privacy" not in report
