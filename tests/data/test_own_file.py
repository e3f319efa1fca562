"""Files of a user's own: the ending decides, columns are named in the experiment."""

import datetime

import pyarrow as pa
import pyarrow.parquet
import pytest

from fedras_ray.config.data import FileData
from fedras_ray.data.own_file import read_own_file
from fedras_ray.errors import ConfigError, DataError

TABLE = {"user_id": ["b", "a", "b"], "item_id": [3, 1, 2], "stars": [1.0, 4.0, 5.0], "at": [30, 10, 20]}


def config(path, **more):
    return FileData(kind="file", path=str(path), **more)


def parquet(folder, table, name="r.parquet"):
    path = folder / name
    pyarrow.parquet.write_table(table if isinstance(table, pa.Table) else pa.table(table), path)
    return path


def test_csv_tsv_parquet_and_inter_agree(tmp_path):
    rows = list(zip(*TABLE.values(), strict=True))
    for ending, mark, kinds in ((".csv", ",", ""), (".TSV", "\t", ""), (".inter", "\t", ":token")):
        lines = [mark.join(f"{name}{kinds}" for name in TABLE), *(mark.join(map(str, row)) for row in rows)]
        (tmp_path / f"r{ending}").write_text("\n".join(lines) + "\n")
    parquet(tmp_path, TABLE)
    for name in ("r.csv", "r.TSV", "r.inter", "r.parquet"):
        raw = read_own_file(config(tmp_path / name, rating="stars", timestamp="at", least_rating=4))
        assert raw.user_names.tolist() == ["a", "b"], name
        assert raw.item_names.tolist() == [1, 2], name
        assert (raw.users.tolist(), raw.items.tolist()) == ([0, 1], [0, 1]), name
        assert (raw.ratings.tolist(), raw.timestamps.tolist()) == ([4.0, 5.0], [10, 20]), name


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (pa.array([datetime.date(1970, 1, 2)] * 3), 86_400_000_000),
        (pa.array([datetime.datetime(1970, 1, 1, 0, 0, 1)] * 3, pa.timestamp("ms")), 1000),
        (pa.array([1.5] * 3), 1.5),
    ],
)
def test_parquet_times_of_every_type(tmp_path, times, expected):
    raw = read_own_file(config(parquet(tmp_path, pa.table({**TABLE, "at": times})), timestamp="at"))
    assert raw.timestamps.tolist() == [expected] * 3


def test_parquet_dictionaries_and_whole_floats_are_names(tmp_path):
    columns = {"user_id": pa.array(["b", "a", "b"]).dictionary_encode(), "item_id": [3.0, 1.0, 3.0]}
    raw = read_own_file(config(parquet(tmp_path, pa.table(columns))))
    assert raw.user_names.tolist() == ["a", "b"]
    assert raw.item_names.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("columns", "where", "problem"),
    [
        ({"user_id": ["a", None]}, ":row 2", "user is empty"),
        ({"user_id": [1.0, 1.5]}, ":row 2", "user '1.5' is not a whole number"),
        ({"user_id": [True, False]}, ":row 1", "user is a bool"),
        ({"stars": [1.0, None]}, ":row 2", "rating is empty"),
        ({"stars": ["1", "good"]}, ":row 2", "rating 'good' is not a number"),
        ({"stars": [float("nan"), 1.0]}, ":row 1", "rating 'nan' is not a number"),
    ],
)
def test_a_broken_row_of_parquet_is_named(tmp_path, columns, where, problem):
    path = parquet(tmp_path, {"user_id": ["a", "b"], "item_id": [1, 2], "stars": [1.0, 2.0], **columns})
    with pytest.raises(DataError, match=problem) as caught:
        read_own_file(config(path, rating="stars"))
    assert caught.value.args[0] == f"{path}{where}"


def test_what_is_no_table_is_named(tmp_path):
    (tmp_path / "r.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "r.xlsx").write_bytes(b"PK")
    for path, problem in (
        (tmp_path / "r.parquet", "is not Parquet"),
        (tmp_path / "r.xlsx", "unknown ending; known: .csv, .tsv, .inter, .parquet, .pq"),
        (tmp_path / "none.csv", "there is no such file"),
        (tmp_path, "is a folder"),
        (parquet(tmp_path, {"user": [1], "item_id": [1]}, "q.parquet"), "did you mean 'user'"),
        (
            parquet(
                tmp_path, {"user_id": pa.array([], pa.int64()), "item_id": pa.array([], pa.int64())}, "e.pq"
            ),
            "no ratings",
        ),
    ):
        with pytest.raises(DataError, match=problem) as caught:
            read_own_file(config(path))
        assert caught.value.args[0] == str(path)


@pytest.mark.parametrize("bit", range(8))
def test_parquet_with_any_bit_flipped_is_read_or_refused(tmp_path, bit):
    """Arrow has many ways to say no: a name that is no text, a type that it does not implement."""
    sound = parquet(tmp_path, {"user_id": ["a", "b"], "item_id": [1, 2]}).read_bytes()
    path, refused = tmp_path / "damaged.parquet", set()
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1 << bit]) + sound[place + 1 :])
        try:
            read_own_file(config(path))
        except DataError as error:
            refused.add(error.args[0].partition(":row")[0])
    assert refused == {str(path)}


def test_the_home_of_nobody_is_no_place(tmp_path):
    with pytest.raises(DataError, match="there is no such file") as caught:
        read_own_file(config("~nobody-of-that-name/r.csv"))
    assert caught.value.args[0] == "~nobody-of-that-name/r.csv"


def test_least_rating_needs_a_rating_column(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.least_rating"):
        read_own_file(config(tmp_path / "r.csv", least_rating=4))
