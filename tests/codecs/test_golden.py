"""Stored blobs stay readable, and today's encoder still writes them.

`tests.codecs.write_golden` writes them, by hand and never from here.
"""

from pathlib import Path

import numpy as np
import pytest

# actions of few_rows are exact in f16 where there are as many as kinds of rows
LOSSY = {
    "actions-1",
    "actions-adaptive",
    "gain-shape-1",
    "gain-shape-4",
    "gain-shape-4-entropy",
    "gain-shape-adaptive",
}
GOLDEN = Path(__file__).parents[1] / "golden" / "codecs"


def few_rows(send):
    """Nine of twenty rows, three kinds of them, exact in f16: no rounding depends on the machine."""
    kinds = np.array([[1, -0.5, 0.25], [-2, 1, 0], [0, 0, 3]], np.float32)
    return send([0, 1, 4, 5, 9, 12, 13, 17, 19], kinds[[0, 1, 2, 0, 1, 1, 2, 0, 0]], 20)


def test_every_codec_has_a_golden_blob_and_no_other_is_left(codecs):
    assert {path.stem for path in GOLDEN.glob("*.hex")} == set(codecs)


def test_golden_blobs(codecs, send):
    one = few_rows(send)
    for name, codec in codecs.items():
        path = GOLDEN / f"{name}.hex"
        if not path.exists():
            pytest.fail(f"{path} is missing; python -m tests.codecs.write_golden writes it")
        blob = bytes.fromhex(path.read_text())
        assert codec.encode(one) == blob, name
        back = codec.decode(blob)
        assert (back.item_ids == one.update.item_ids).all()
        if name not in LOSSY:
            assert (back.rows == one.update.rows).all(), name
