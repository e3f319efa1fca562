"""The columns that tell runs apart, as a view that MLflow's page of runs offers under "Views".

By itself that page shows when runs were made and no metric. A saved view is a tag of the experiment; what
stands in it was read from what the page writes (MLflow 3.17).
"""

from __future__ import annotations

import base64
import json
import zlib

NAME = "Quality and bytes"
KEY = "fedras"  # in links: `viewStateShareKey=fedras`
COLUMNS = (
    "tags.`method`",
    "metrics.`quality/ndcg_10`",
    "metrics.`quality/recall_20`",
    "metrics.`bytes/total_megabytes`",
    "metrics.`bytes/saved_total`",
    "metrics.`clock/virtual_seconds`",
)
FIRST = "attributes.`Run Name`", "runDateAndNestInfo"  # those that are always there
WIDTH = 160  # pixels: the longest name is whole


def view_tag() -> dict[str, str]:
    """The tag, by its name."""
    widths = dict.fromkeys(COLUMNS, WIDTH)
    state = {"selectedColumns": COLUMNS, "columnOrder": [*FIRST, *COLUMNS], "columnWidths": widths}
    packed = "deflate;" + base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    made = {"name": NAME, "createdAt": 0, "updatedAt": 0, "state": packed}
    return {f"mlflow.sharedViewState.{KEY}": json.dumps(made)}
