"""A run as MLflow's own pages show it: the runs, their metrics, and the report among the files.

The server is a real one, and the run is told to it by `fedras run`. Pictures are kept in screens/.
"""

import numpy as np
import pytest
from matplotlib.image import imread
from mlflow.tracking import MlflowClient

from tests.dashboards.looking import MISSING, SCREENS, TOOLS, looked
from tests.workloads.command import fedras, settings
from tests.workloads.ports import free_ports
from tests.workloads.test_sending import server
from workloads.tracking.view import KEY, NAME

WIDTH = 1920
HEIGHT = {"runs": 1080, "metrics": 2600, "report": 1080}  # charts beyond the window are not drawn
COLOURS = 100  # a page with nothing on it has a handful
LIMIT_MS = 60_000
MLFLOWS_OWN = ("ResizeObserver loop", "mlflow/users/current")  # it asks for the one who is logged in: nobody

pytestmark = [
    pytest.mark.skipif(None in TOOLS, reason=MISSING),
    pytest.mark.filterwarnings("ignore"),  # MLflow's own
]


@pytest.fixture(scope="module")
def seen(modules, tmp_path_factory):
    """What is on each page, by name."""
    SCREENS.mkdir(exist_ok=True)
    folder = tmp_path_factory.mktemp("mlflow")
    with server(folder, free_ports(1)[0]) as uri:
        said = fedras("run", *settings(), "--serial", "--out", "a", cwd=folder, MLFLOW_TRACKING_URI=uri)
        assert said.status == 0, said.err
        client = MlflowClient(tracking_uri=uri)
        place = client.get_experiment_by_name("fedras").experiment_id
        (run,) = client.search_runs([place])
        pages = {
            "runs": (f"runs?workflowType=machine_learning&viewStateShareKey={KEY}",
                     [NAME, "tiny s1", "method", "quality/ndcg_10", "clock/virtual_seconds"]),
            "metrics": (f"runs/{run.info.run_id}/model-metrics",
                        ["tiny s1", "total_megabytes", "virtual_seconds", "ndcg_10", "recall_20"]),
            "report": (f"runs/{run.info.run_id}/artifacts/report.html",
                       ["tiny s1", "records.parquet", "FedRAS-Ray report", "NDCG@10, full ranking"]),
        }  # fmt: skip
        jobs = [
            {
                "name": name, "url": f"{uri}/#/experiments/{place}/{path}", "awaits": words,
                "limit_ms": LIMIT_MS, "scheme": "light", "width": WIDTH, "height": HEIGHT[name],
                "picture": str(SCREENS / f"mlflow-{name}.png"),
            }
            for name, (path, words) in pages.items()
        ]  # fmt: skip
        found = looked(modules, folder, jobs)
    return {name: (found[name], words) for name, (_, words) in pages.items()}


@pytest.mark.parametrize("name", ["runs", "metrics", "report"])
def test_the_page_shows_the_run_and_complains_of_nothing(seen, name):
    page, words = seen[name]
    assert [word for word in words if word not in page["text"]] == []
    assert [said for said in page["said"] if not any(own in said for own in MLFLOWS_OWN)] == []
    pixels = imread(SCREENS / f"mlflow-{name}.png")[..., :3] * 255
    assert len(np.unique(pixels.astype(np.int64) @ [65_536, 256, 1])) > COLOURS


def test_curves_stand_above_what_is_known_at_the_end_alone(seen):
    """The page goes by the alphabet, which the names are chosen for."""
    text = seen["metrics"][0]["text"]
    sections = ["bytes\n", "clock\n", "quality\n", "train\n", "wall\n", "whole_bytes\n"]
    places = [text.find(f"\n{section}(") for section in sections]
    assert -1 not in places
    assert places == sorted(places)
