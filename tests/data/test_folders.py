"""Folders that come already split."""

import numpy as np
import pytest

from fedras_ray.data.folders import read_folder
from fedras_ray.errors import DataError

SOUND = {
    "train.txt": "0 1 2 3\n2 4\n",
    "test.txt": "0 0\n2 3\n",
    "negatives.txt": "2 5 6\n0 4 5\n",
}


def folder(path, **files):
    for name, text in {**SOUND, **{f"{name}.txt": text for name, text in files.items()}}.items():
        if text is not None:
            (path / name).write_text(text)
    return path


def test_ncf_form(tmp_path):
    read = read_folder(folder(tmp_path))
    assert [read.train.of(user).tolist() for user in range(3)] == [[1, 2, 3], [], [4]]
    assert [read.test.of(user).tolist() for user in range(3)] == [[0], [], [3]]
    assert read.negatives.tolist() == [[4, 5], [-1, -1], [5, 6]]
    assert read.negatives.dtype == np.int32
    assert read.train.item_count == 7  # numbers are kept, and 6 occurs among the negatives


def test_ngcf_form_adds_valid_to_train(tmp_path):
    read = read_folder(folder(tmp_path, valid="0 5\n1\n2 1 2\n", negatives=None), item_count=9)
    assert [read.train.of(user).tolist() for user in range(3)] == [[1, 2, 3, 5], [], [1, 2, 4]]
    assert read.negatives is None
    assert read.test.item_count == 9


def test_pairs_form_counts_repeats_once(tmp_path):
    read = read_folder(
        folder(tmp_path, train="0 4 1\n0 2 1\n0 4 1\n", test="1 2 1\n", negatives=None), pairs=True
    )
    assert read.train.of(0).tolist() == [2, 4]
    assert len(read.train) == 2


@pytest.mark.parametrize(
    ("files", "pairs", "where", "problem"),
    [
        ({"train": "0 1\n\n0 x\n"}, False, "train.txt:3", "only whole numbers"),
        ({"train": "0 1\n0 -2\n"}, False, "train.txt:2", "must lie within"),
        ({"test": f"0 1\n{10**12} 2\n"}, False, "test.txt:2", "must lie within"),
        ({"train": "0 1 1\n0 2\n"}, True, "train.txt:2", "2 fields where 'user item 1'"),
        ({"negatives": "0 4 5\n2 4\n"}, False, "negatives.txt:2", "1 negatives where other users have 2"),
        ({"negatives": "0 4\n0 5\n"}, False, "negatives.txt:2", "user 0 was there before"),
        ({"negatives": "0 4\n"}, False, "negatives.txt", "user 2 has a test item but no negatives"),
        ({"train": "\n"}, False, "train.txt", "has no interactions"),
        ({"test": None}, False, "test.txt", "there is no such file"),
        ({"test": "0 2\n2 3\n"}, False, "", "user 0 has item 2 in train and in test"),
    ],
)
def test_what_is_broken_is_named(tmp_path, files, pairs, where, problem):
    with pytest.raises(DataError, match=problem) as caught:
        read_folder(folder(tmp_path, **files), pairs=pairs)
    assert caught.value.args[0] == str(tmp_path / where)
