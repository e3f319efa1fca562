"""Random blobs into every codec: ``python -m tests.codecs.fuzz [--blobs 1000000] [--seed 1]``, from the root.

Not part of the tests. Every codec of `tests.codecs.conftest.CODECS` is fed pure noise, noise behind a
header whose checksum is right, truncations and flipped bits of real blobs, and real blobs that were
changed and sealed again. What comes back must be an `ItemUpdate` with finite rows, or a `CodecError`, and
the same in a batch, from a codec that decodes many together. Anything else, a warning too, is a failure: it
is printed with the blob, and the exit status is 1.

Memory is traced for one blob in `TRACED_EVERY`: at most 1 MiB, 64 bytes per byte of the blob, and 32
per float that the header may claim under the law of size. For all of them, an address space that
ends 2 GiB above what it was at the start turns a large allocation into a failure. Times are of the CPU.
"""

# ruff: noqa: T201 - a table is what this program makes

import argparse
import functools
import random
import re
import resource
import sys
import time
import tracemalloc
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from fedras_ray.codecs import wire
from fedras_ray.codecs.base import ItemUpdate
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.ragged import RaggedCodec, decode_each
from fedras_ray.errors import CodecError
from tests.codecs.conftest import CODECS, rank_one
from tests.codecs.test_laws import sealed

TRACED_EVERY = 50
MOST_SHOWN = 3  # failures per codec
SHAPES = [(0, 9, 3), (1, 1, 1), (1, 300, 5), (5, 11, 2), (9, 9, 4), (40, 900, 8), (70, 90, 16)]  # n, I, D
EXTREMES = [0, 1, 2, 255, 256, 0xFFFF, 1 << 16, 1 << 22, (1 << 22) + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]


def noise(draw, _):
    return draw.randbytes(draw.randrange(200))


def sealed_noise(draw, blob):
    """A header that says anything, and noise behind it; often with the first bytes of a real body."""
    start = blob[wire.HEADER_BYTES :][: draw.choice([0, 1, 2, 3, 10])]
    item_count, width, rows = (_size(draw) for _ in range(3))
    return sealed(blob[3], item_count, width & 0xFFFF, rows, start + draw.randbytes(draw.randrange(120)))


def truncated(draw, blob):
    return blob[: draw.randrange(len(blob))]


def flipped(draw, blob):
    changed = bytearray(blob)
    for _ in range(draw.choice([1, 1, 2, 5])):
        bit = draw.randrange(8 * len(blob))
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def resealed(draw, blob):
    """A real blob with a few changes in its body or sizes, and a checksum that fits."""
    _, _, codec_id, item_count, width, rows = wire._FIELDS.unpack_from(blob)
    body = bytearray(blob[wire.HEADER_BYTES :])
    for _ in range(draw.choice([1, 1, 2, 4])):
        at = draw.randrange(len(body) + 1)
        match draw.randrange(16):  # mostly one byte for another, which leaves the lengths right
            case 0:
                body[at:at] = draw.randbytes(draw.randrange(1, 5))
            case 1:
                del body[at : at + draw.randrange(1, 5)]
            case 2:
                item_count = _size(draw)
            case 3:
                rows = _size(draw)
            case 4:
                width = _size(draw) & 0xFFFF
            case 5:
                body[at : at + 2] = draw.choice([b"\0\0", b"\xff\xff", b"\0\x7c", b"\xff\x7f", b"\0\x80"])
            case _:
                body[at : at + 1] = draw.randbytes(1)
    return sealed(codec_id, item_count, width, rows, bytes(body))


ATTACKS = [noise, sealed_noise, sealed_noise, truncated, flipped, resealed, resealed, resealed]


def _size(draw):
    return draw.choice(EXTREMES) if draw.random() < 0.2 else draw.randrange(draw.choice([4, 20, 100, 1000]))


def allowed_bytes(blob):
    """What decoding may hold at once."""
    claimed = 0
    if len(blob) >= wire.HEADER_BYTES:
        *_, width, rows = wire._FIELDS.unpack_from(blob)
        claimed = rows * width if wire.obeys_size_law(rows, width, len(blob)) else 0
    return (1 << 20) + 64 * len(blob) + 32 * claimed


def decoded(codec, blob):
    """What one codec makes of a blob, by itself and in a batch."""
    if not isinstance(codec, RaggedCodec):
        return codec.decode(blob)
    try:
        alone = codec.decode(blob)
    except CodecError as error:
        with pytest.raises(CodecError, match=f"^{re.escape(str(error))}$"):
            decode_each(codec, [blob])
        raise
    (together,) = decode_each(codec, [blob])
    assert together.item_ids.tobytes() == alone.item_ids.tobytes()
    assert together.rows.tobytes() == alone.rows.tobytes()
    assert (together.item_count, together.actions) == (alone.item_count, alone.actions)
    return together


def outcome(codec, blob, traced):
    """`update`, `refused`, or what is wrong."""
    if traced:
        tracemalloc.start()
    try:
        back = decoded(codec, blob)
        if not (isinstance(back, ItemUpdate) and back.rows.dtype == np.float32):
            return f"gave {type(back).__name__}"
        found = "update" if np.isfinite(back.rows).all() else "rows that are not finite"
    except CodecError:
        found = "refused"
    except Exception as error:  # whatever it is, it is what we look for
        found = f"{type(error).__name__}: {error}"
    finally:
        peak = tracemalloc.get_traced_memory()[1] if traced else 0
        tracemalloc.stop()
    return found if peak <= allowed_bytes(blob) else f"{peak} bytes for a blob of {len(blob)} ({found})"


def attack(name, config, blobs, seed):
    """Feed one codec; prints its row and returns the number of failures."""
    codec, draw = build_codec(config), random.Random(f"{seed} {name}")
    real = [codec.encode(rank_one(*shape)) for shape in SHAPES]
    for blob in real:
        decoded(codec, blob)  # kernels are compiled now: that takes memory, and is no blob's doing
    counts, begin, slowest = Counter(), time.process_time(), 0.0
    for number in range(blobs):
        blob = draw.choice(ATTACKS)(draw, draw.choice(real))
        before = time.process_time()
        found = outcome(codec, blob, number % TRACED_EVERY == 0)
        slowest = max(slowest, time.process_time() - before)
        if found not in ("update", "refused"):
            counts["failed"] += 1
            if counts["failed"] <= MOST_SHOWN:
                print(f"{name}: {found}\n  {blob.hex()}")
            continue
        counts[found] += 1
    each_us = (time.process_time() - begin) / max(blobs, 1) * 1e6
    row = "".join(f"{counts[kind]:10,}" for kind in ("update", "refused", "failed"))
    print(f"{name:20}{row}{each_us:10.1f}{slowest * 1e3:12.1f}", flush=True)
    return counts["failed"]


def run(blobs, seed):
    """The number of failures; the blobs are shared out among the codecs."""
    print(f"{'codec':20}{'updates':>10}{'refused':>10}{'failed':>10}{'us each':>10}{'slowest ms':>12}")
    share = functools.partial(attack, blobs=-(-blobs // len(CODECS)), seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return sum(share(name, config) for name, config in CODECS.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--blobs", type=int, default=1_000_000, help="in all, shared out among the codecs")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(1)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (2 << 30),) * 2)
    sys.exit(1 if run(given.blobs, given.seed) else 0)


if __name__ == "__main__":
    main()
