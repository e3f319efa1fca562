"""A run that asks a sample of its users says so wherever it says how good it is."""

import pyarrow.parquet as pq

from fedras_ray.evaluation.quality import METRICS
from fedras_ray.records import error_name
from tests.workloads.command import fedras, settings


def test_how_many_were_asked_and_how_sure_the_means_are(finished, tmp_path):
    asked = settings(evaluation__users=50)
    said = fedras("run", *asked, "--serial", "--json", "--no-mlflow", "--out", "run", cwd=tmp_path)
    summary, everyone = said.summary, finished.said.summary
    assert summary["trace_digest"] == everyone["trace_digest"]
    assert (summary["evaluation"]["users"], summary["evaluation"]["of"]) == (50, everyone["evaluation"]["of"])
    assert set(everyone["evaluation"]["standard_error"].values()) == {None}
    errors = summary["evaluation"]["standard_error"]
    assert all(0 < errors[metric] < 0.1 for metric in METRICS)
    last = pq.read_table(
        tmp_path / "run" / "records.parquet", filters=[("kind", "=", "evaluation")]
    ).to_pylist()[-1]
    assert {metric: last[error_name(metric)] for metric in METRICS} == errors
    assert (last["users"], last["tested"]) == (50, summary["evaluation"]["of"])
    assert pq.read_table(tmp_path / "run" / "users.parquet").num_rows == 50
    assert f"{summary['quality']['ndcg@10']:.4f} ± {errors['ndcg@10']:.4f}" in said.err
    assert f"of {summary['evaluation']['of']}; ± is a standard error" in said.err
