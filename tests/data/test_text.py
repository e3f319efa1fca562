"""Text files of ratings, sound and broken; a broken line is named as an editor would count it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.data.text import (
    CSV,
    RATINGS_DAT,
    RECBOLE,
    RECBOLE_NAMES,
    SPACED,
    TSV,
    U_DATA,
    read_text,
)
from fedras_ray.errors import DataError

NAMES = {"user": "u", "item": "i", "rating": "r"}
TIMED = {"user": "u", "item": "i", "timestamp": "t"}


def written(folder, data, name="ratings.csv"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def rows(raw):
    columns = [raw.user_names[raw.users], raw.item_names[raw.items], raw.ratings, raw.timestamps]
    return list(zip(*(column.tolist() for column in columns if column is not None), strict=True))


@pytest.mark.parametrize(
    ("layout", "names", "text"),
    [
        (U_DATA, None, "10\t7\t3\t100\n9\t8\t4\t50\n"),
        (RATINGS_DAT, None, "10::7::3::100\n9::8::4::50\n"),
        (
            RECBOLE,
            RECBOLE_NAMES,
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n10\t7\t3\t100\n9\t8\t4\t50\n",
        ),
        (CSV, {**NAMES, "timestamp": "t"}, "t,extra,r,i,u\n100,,3,7,10\n50,,4,8,9\n"),
        (TSV, {**NAMES, "timestamp": "t"}, "t\tr\ti\tu\n100\t3\t7\t10\n50\t4\t8\t9"),
        (CSV, {**NAMES, "timestamp": "t"}, '\ufeff"u","i",r,t\r\n\r\n 10 ,"7",3,100\r\n9,8,4,50\r\n'),
    ],
)
def test_every_layout_says_the_same(tmp_path, layout, names, text):
    raw = read_text(written(tmp_path, text), layout, names)
    assert rows(raw) == [(10, 7, 3.0, 100), (9, 8, 4.0, 50)]
    assert raw.user_names.tolist() == [9, 10]  # numbers in numeric order
    assert raw.users.tolist() == [1, 0]


def test_spaces_without_timestamps(tmp_path):
    raw = read_text(written(tmp_path, "1 1 2\n1 2 3.5\n"), SPACED)
    assert rows(raw) == [(1, 1, 2.0), (1, 2, 3.5)]


def test_names_that_are_text_stay_text(tmp_path):
    raw = read_text(written(tmp_path, "u,i,r\n7,x,1\n007,é,2\n"), CSV, NAMES)
    assert raw.user_names.tolist() == ["007", "7"]
    assert raw.item_names.tolist() == ["x", "é"]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (("5", "7.5"), [5.0, 7.5]),
        (("9007199254740993", "1"), [9007199254740993, 1]),  # exact beyond 2^53
        (("2024-01-01", "2024-01-01 00:00:01"), [1704067200000000, 1704067201000000]),
        (("2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00"), [1704067200000000, 1704067200000000]),
    ],
)
def test_times_are_numbers_or_dates(tmp_path, times, expected):
    raw = read_text(written(tmp_path, f"u,i,t\n1,1,{times[0]}\n1,2,{times[1]}\n"), CSV, TIMED)
    assert raw.timestamps.tolist() == expected


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("u,i,r\n1,2,3\n\n\n1,2\n", 5, "2 fields where 3 are needed"),
        ("u,i,r\r\n1,2,3\r\n1,2,3,4\r\n", 3, "4 fields where 3 are needed"),
        ('u,i,r\n"a\nb",2,3\n\n1,2,abc\n', 5, "rating 'abc' is not a number"),
        ("\n\nu,i,r\n1,2,3\n\n1,2,four\n", 6, "rating 'four' is not a number"),
        ("u,i,r\n1,2,3\n1,2,\n", 3, "rating is empty"),
        ("u,i,r\n1,2,3\n1,2,nan\n", 3, "rating 'nan' is not a number"),
        ("u,i,r\n1,2,inf\n", 2, "rating 'inf' is not a number"),
        ("u,i,r\n1,2,3\n ,2,4\n", 3, "user is empty"),
        ("u,i,r\n1,,3\n", 2, "item is empty"),
        ("u,i,r\n1,2,3\n1,x\0,3\n", 3, "item has a NUL character"),
        (b"u,i,r\n1,2,3\n\n\xe9,2,4\n", 4, "byte 0xe9 is not UTF-8"),
        ("u,i,r\n1,2,3\n".encode("utf-16"), 1, "is not UTF-8"),
    ],
)
def test_a_broken_line_is_named(tmp_path, text, line, problem):
    path = written(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_text(path, CSV, NAMES)
    where, message = caught.value.args
    assert where == f"{path}:{line}"
    assert problem in message


@pytest.mark.parametrize(
    ("first", "second", "line"), [("1", "soon", 3), ("soon", "1", 2), ("2024-01-01", "x", 3)]
)
def test_a_broken_time_is_named(tmp_path, first, second, line):
    path = written(tmp_path, f"u,i,t\n1,1,{first}\n1,2,{second}\n")
    with pytest.raises(DataError, match=r"the timestamp '.*' is not a number or a date") as caught:
        read_text(path, CSV, TIMED)
    assert caught.value.args[0] == f"{path}:{line}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("u,i,r\n", "has no ratings in it"),
        ("user,i,r\n1,2,3\n", r"no column 'u' for the user.*columns: user, i, r; set data.user"),
        ("u;i;r\n1;2;3\n", "is the delimiter right"),
        ("u,i,r,u\n1,2,3,4\n", "2 columns named 'u'"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, problem):
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=problem) as caught:
        read_text(path, CSV, NAMES)
    assert caught.value.args[0] == str(path)


def test_the_nearest_column_is_suggested(tmp_path):
    with pytest.raises(DataError, match="did you mean 'userId'"):
        read_text(written(tmp_path, "userId,i,r\n1,2,3\n"), CSV, {"user": "user_id", "item": "i"})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_text(tmp_path / "nowhere.csv", CSV, NAMES)


def test_a_long_line_before_the_broken_one(tmp_path):
    lines = ["u,i,r", *("1,2,3" for _ in range(5_000)), "", f"{'x' * 100_000},2,3", "1,2,oops"]
    path = written(tmp_path, "\n".join(lines))
    with pytest.raises(DataError) as caught:
        read_text(path, CSV, NAMES)
    assert caught.value.args[0] == f"{path}:{len(lines)}"


@given(
    blanks=st.lists(st.integers(0, 2), min_size=1, max_size=30),
    broken=st.integers(0, 10_000),
    fault=st.sampled_from(["1,2", "1,2,3,4", "1,2,x", ",2,3"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_broken_line_is_named(tmp_path_factory, blanks, broken, fault, end):
    broken %= len(blanks)
    lines = ["u,i,r"]
    for row, blank in enumerate(blanks):
        lines += [""] * blank
        lines.append(fault if row == broken else "5,6,7")
        if row == broken:
            number = len(lines)
    path = written(Path(tmp_path_factory.getbasetemp()), end.join(lines), "any.csv")
    with pytest.raises(DataError) as caught:
        read_text(path, CSV, NAMES)
    assert caught.value.args[0] == f"{path}:{number}"


def test_least_rating_drops_rows_and_the_users_they_leave_behind(tmp_path):
    path = written(tmp_path, "u,i,r\na,x,2\nb,y,4\nb,x,5\n")
    raw = read_text(path, CSV, NAMES, least_rating=4)
    assert rows(raw) == [("b", "y", 4.0), ("b", "x", 5.0)]
    assert raw.user_names.tolist() == ["b"]
    with pytest.raises(DataError, match="no rating is 6 or more") as caught:
        read_text(path, CSV, NAMES, least_rating=6)
    assert caught.value.args[0] == str(path)


def test_arrays_are_read_only(tmp_path):
    raw = read_text(written(tmp_path, "u,i,r\na,x,2\n"), CSV, NAMES)
    with pytest.raises(ValueError, match="read-only"):
        raw.users[0] = 1
    assert raw.ratings.dtype == np.float64
