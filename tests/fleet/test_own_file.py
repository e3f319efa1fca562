"""Devices from a file: the rows as written, or one error that names the file, the column and the row."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.fleet import FileFleet
from fedras_ray.errors import FleetError
from fedras_ray.fleet.build import build_fleet
from fedras_ray.fleet.energy import CLASSES

HEAD = "train_s_per_sample,uplink_bytes_per_s,downlink_bytes_per_s"
ROWS = "0.001,1000,2000\n0.002,3000,4000\n0.004,5000,6000\n"


@pytest.fixture
def put(tmp_path):
    """Write a file of devices, and configure a fleet with it."""

    def write(text, name="phones.csv", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return FileFleet(kind="file", path=str(path), **options)

    return write


def test_as_many_clients_as_rows_have_the_rows_in_order(put):
    fleet = build_fleet(put(f"{HEAD}\n{ROWS}", latency_s=0.25), 3, 1)
    assert fleet.train_s_per_sample.tolist() == [0.001, 0.002, 0.004]
    assert fleet.uplink_bytes_per_s.tolist() == [1000, 3000, 5000]
    assert fleet.downlink_bytes_per_s.tolist() == [2000, 4000, 6000]
    assert fleet.latency_s.tolist() == [0.25] * 3
    assert fleet.class_names == ("fast", "medium", "slow")


def test_every_column_is_read_and_others_are_left_alone(put):
    text = (
        "maker,slowness,uplink_bytes_per_s,downlink_bytes_per_s,latency_s,device_class,energy_class\n"
        'a,2,1000,2000,0,"old, small",phone-4g\n\nb,0.5,3000,4000,0.5,new,phone-wifi\n'
    )
    fleet = build_fleet(put(text, train_s_per_sample=0.1), 2, 1)
    assert fleet.train_s_per_sample.tolist() == [0.2, 0.05]
    assert fleet.latency_s.tolist() == [0, 0.5]
    assert [fleet.class_of(client) for client in range(2)] == ["old, small", "new"]
    assert [CLASSES[place].name for place in fleet.energy_class] == ["phone-4g", "phone-wifi"]


def test_parquet_is_read_as_csv_is(put, tmp_path):
    table = pa.table(
        {
            "train_s_per_sample": [0.001, 0.002, 0.004],
            "uplink_bytes_per_s": [1000, 3000, 5000],
            "downlink_bytes_per_s": [2000.0, 4000.0, 6000.0],
        }
    )
    pq.write_table(table, tmp_path / "phones.parquet")
    parquet = build_fleet(FileFleet(kind="file", path=str(tmp_path / "phones.parquet")), 7, 5)
    text = build_fleet(put(f"{HEAD}\n{ROWS}"), 7, 5)
    np.testing.assert_array_equal(parquet.train_s_per_sample, text.train_s_per_sample)
    np.testing.assert_array_equal(parquet.uplink_bytes_per_s, text.uplink_bytes_per_s)


@given(rows=st.integers(1, 30), count=st.integers(0, 60), seed=st.integers(0, 99))
def test_rows_stay_whole_and_are_repeated_only_where_they_must_be(tmp_path_factory, rows, count, seed):
    path = tmp_path_factory.mktemp("rows") / "phones.csv"
    path.write_text(HEAD + "\n" + "".join(f"{n},{10 * n},{100 * n}\n" for n in range(1, rows + 1)))
    fleet = build_fleet(FileFleet(kind="file", path=str(path)), count, seed)
    numbers = fleet.train_s_per_sample
    assert len(numbers) == count
    assert set(numbers) <= set(range(1, rows + 1))
    np.testing.assert_array_equal(fleet.uplink_bytes_per_s, 10 * numbers)
    np.testing.assert_array_equal(fleet.downlink_bytes_per_s, 100 * numbers)
    assert count > rows or len(set(numbers)) == count
    again = build_fleet(FileFleet(kind="file", path=str(path)), count, seed)
    np.testing.assert_array_equal(again.train_s_per_sample, numbers)


MISTAKES = {
    "nothing at all": ("", ["no devices"]),
    "no rows": (f"{HEAD}\n", ["no devices"]),
    "no uplink": ("train_s_per_sample,downlink_bytes_per_s\n1,2\n", ["'uplink_bytes_per_s'", "there are"]),
    "no speed": ("uplink_bytes_per_s,downlink_bytes_per_s\n1,2\n", ["'train_s_per_sample' or 'slowness'"]),
    "two speeds": (f"slowness,{HEAD}\n1,1,1,1\n", ["both 'train_s_per_sample' and 'slowness'"]),
    "negative": (f"{HEAD}\n{ROWS}0.1,-5,1\n", ["row 4", "'uplink_bytes_per_s'", "'-5'"]),
    "zero": (f"{HEAD}\n0,5,1\n", ["row 1", "'train_s_per_sample'", "'0'"]),
    "not a number": (f"{HEAD}\n1,5,NaN\n", ["row 1", "'downlink_bytes_per_s'", "'NaN'"]),
    "infinite": (f"{HEAD}\n1,5,inf\n", ["row 1", "'downlink_bytes_per_s'"]),
    "text": (f"{HEAD}\n1,fast,3\n", ["row 1", "'uplink_bytes_per_s'", "'fast'"]),
    "empty cell": (f"{HEAD}\n1,2,3\n1,,3\n", ["row 2", "'uplink_bytes_per_s'", "''"]),
    "short row": (f"{HEAD}\n1,2\n", ["row 1", "2 values for 3 columns"]),
    "negative latency": (f"{HEAD},latency_s\n1,2,3,-1\n", ["row 1", "'latency_s'", "0 or more"]),
    "nameless class": (f"{HEAD},device_class\n1,2,3,\n", ["row 1", "'device_class'"]),
    "unknown energy": (f"{HEAD},energy_class\n1,2,3,phone4g\n", ["row 1", "did you mean 'phone-4g'"]),
    "nearly a column": (f"{HEAD},latency_ms\n1,2,3,5\n", ["'latency_ms'", "did you mean 'latency_s'"]),
    "no text": (b"\xff\xfe\x00\x81", [":1:", "save the file as UTF-8"]),
    "Latin-1": (f"{HEAD}\n1,2,3\n".encode() + b"\xe9,2,3\n", [":3:", "0xe9"]),
    "digits of a program": (f"{HEAD}\n1_0,2,3\n", ["row 1", "'1_0'"]),
    "a column twice": (f"{HEAD},uplink_bytes_per_s\n1,2,3,4\n", ["2 columns named 'uplink_bytes_per_s'"]),
    "too long a field": (f"{HEAD}\n1,2,3\n1,{'2' * 140_000},3\n", [":3:", "field limit"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_bad_file_is_one_error_that_names_it(put, mistake):
    text, words = MISTAKES[mistake]
    config = put(text)
    with pytest.raises(FleetError, match=re.escape(config.path)) as error:
        build_fleet(config, 3, 1)
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("none.csv", "no such file"),
        ("", "folder"),
        ("phones.xlsx", "unknown ending"),
        ("phones.parquet", "cannot be read"),
    ],
)
def test_what_is_no_file_of_devices_is_said(tmp_path, name, word):
    if name.startswith("phones"):
        (tmp_path / name).write_bytes(b"no such thing")
    with pytest.raises(FleetError, match=word):
        build_fleet(FileFleet(kind="file", path=str(tmp_path / name)), 3, 1)


def test_a_parquet_file_with_a_hole_is_refused_with_its_row(tmp_path):
    table = pa.table(
        {"slowness": [1.0, None], "uplink_bytes_per_s": [1.0, 2.0], "downlink_bytes_per_s": [1.0, 2.0]}
    )
    pq.write_table(table, tmp_path / "phones.parquet")
    with pytest.raises(FleetError, match=r"row 2, column 'slowness': None"):
        build_fleet(FileFleet(kind="file", path=str(tmp_path / "phones.parquet")), 3, 1)


@pytest.mark.parametrize(
    "row", ["1e-320,2,1", "1,1e-320,1", "1,1,1e308", "1,1,1.7e308", "1e-310,1e-310,1e-320"]
)
@pytest.mark.parametrize("train_s_per_sample", [1e-4, 1e4])
def test_extremes_make_a_fleet_or_one_error_and_no_warning(put, row, train_s_per_sample):
    """Found by `make fuzz-inputs`; the device itself is refused when it is asked, with its number."""
    text = f"uplink_bytes_per_s,downlink_bytes_per_s,slowness\n1,1,1\n{row}\n"
    try:
        fleet = build_fleet(put(text, train_s_per_sample=train_s_per_sample), 2, 1)
    except FleetError as error:
        assert "train_s_per_sample" in str(error)  # noqa: PT017 - either is right
    else:
        assert len(fleet) == 2
