"""Arrow's columns become NumPy's arrays, and pandas stays where it is."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from fedras_ray.data.columns import _first, _plain

COLUMNS = {
    "whole": (pa.int64(), [5, -3, 2**60, 0, 7]),
    "index": (pa.int32(), [1, 0, 2, 2, 1]),
    "real": (pa.float64(), [0.5, -1.0, float("inf"), 2.0, 3.0]),
    "truths": (pa.bool_(), [True, False, False, True, True] * 7),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_copied_whole_wherever_its_chunks_begin(name):
    kind, values = COLUMNS[name]
    whole = pa.array(values, kind)
    chunked = pa.chunked_array([whole[1:3], whole[:0], whole[3:], pa.array([], kind)])
    for column, expected in ((whole, values), (whole[2:], values[2:]), (chunked, values[1:])):
        found = _plain(column)
        assert found.tolist() == expected
        assert found.flags.owndata or found.base is not None
        found[0] = found[0]  # it can be written
    assert _plain(chunked[:0]).tolist() == []


@pytest.mark.parametrize("chunks", [[[]], [[False, False]], [[False], [], [False, True, True]]])
def test_the_first_row_that_is_so(chunks):
    flat = [one for some in chunks for one in some]
    expected = flat.index(True) if True in flat else None
    assert _first(_plain(pa.chunked_array(chunks, pa.bool_()))) == expected


OWN = """
import sys
from fedras_ray.config import build
from fedras_ray.data import load

named = {"kind": "file", "path": sys.argv[1], "user": "user", "item": "item", "label": "label"}
experiment = build({"data": named, "training": {"samples": "given"}})
print(load(experiment.data, 1).user_count, "pandas" in sys.modules)
"""

ALONE = """
import sys
from fedras_ray.config import build
from fedras_ray.data import load
from workloads.running import SerialSession

data = {"kind": "synthetic", "users": 60, "items": 40, "mean_interactions": 8}
experiment = build({"data": data, "schedule": {"versions": 1, "clients_per_version": 20}})
told = list(SerialSession(experiment, load(experiment.data, 1)).stretches())
print(len(told) > 0, "ray" in sys.modules, "torch" in sys.modules)
"""


def told_by(code, *given):
    command = [sys.executable, "-c", code, *map(str, given)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout.split()


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_file_of_your_own_is_read_without_pandas(ending, tmp_path):
    path, draw = tmp_path / f"own.{ending}", np.random.default_rng(1)
    users, items = draw.integers(0, 9, 200), draw.integers(0, 50, 200)
    table = pa.table({"user": users, "item": items, "label": [1, 0] * 100})
    write = pyarrow.parquet.write_table if ending == "parquet" else pyarrow.csv.write_csv
    write(table, path)
    assert told_by(OWN, path) == ["9", "False"]


def test_a_run_in_one_process_imports_neither_ray_nor_torch():
    assert told_by(ALONE) == ["True", "False", "False"]
