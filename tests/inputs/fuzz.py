"""Damaged files into every reader: ``python -m tests.inputs.fuzz [--minutes 10] [--seed 1] [TARGET …]``.

Not part of the tests. Each target has a few sound files and words that mean something to it; a file is cut,
spliced, repeated, has bits flipped, words put in. What comes back must be what the reader promises, or a
`FedrasError` of one readable message; anything else, a warning too, is printed with the bytes, and the exit
status is 1. The address space may grow by 2 GiB, so that a small file that takes much memory is found.
"""

# ruff: noqa: T201 - a table is what this program makes

import argparse
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

from fedras_ray.errors import FedrasError
from tests.inputs.targets import TARGETS

MOST_SHOWN = 3  # failures per target
LONGEST_MESSAGE = 4_000
_NUMBERS = b"0|-1|1e308|1e-320|nan|inf|2147483648|9223372036854775808|99999999"
_MARKS = b"''|\xff\xfe|\xef\xbb\xbf|\x00|\r|\n|\"|,"
EXTREMES = [*_NUMBERS.split(b"|"), *_MARKS.split(b"|")]


def damaged(draw, target, seed):
    """One of a target's files with one to six changes."""
    content = bytearray(seed)
    for _ in range(draw.choice([1, 1, 1, 2, 3, 6])):
        draw.choice([_flip, _cut, _insert, _insert, _splice, _repeat])(draw, target, content)
    return bytes(content)


def _flip(draw, _, content):
    if content:
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def _cut(draw, _, content):
    start = draw.randrange(len(content) + 1)
    del content[start : start + draw.choice([1, 2, 8, 64, 4096])]


def _insert(draw, target, content):
    word = draw.choice(draw.choice([EXTREMES, target.words]))
    start = draw.randrange(len(content) + 1)
    content[start : start + draw.choice([0, 0, len(word), 4])] = word


def _splice(draw, target, content):
    other = draw.choice(target.seeds)
    start, end = sorted(draw.randrange(len(other) + 1) for _ in range(2))
    at = draw.randrange(len(content) + 1)
    content[at:at] = other[start : min(end, start + 500)]


def _repeat(draw, _, content):
    start = draw.randrange(len(content) + 1)
    piece = content[start : start + draw.choice([1, 3, 20])]
    content[start:start] = piece * draw.choice([1, 2, 50, 2_000])
    del content[100_000:]


def outcome(target, content, draw, folder):
    """`read`, `refused`, or what is wrong."""
    try:
        target.read(content, draw, folder)
    except FedrasError as error:
        said = str(error)
        return "refused" if 0 < len(said) <= LONGEST_MESSAGE else f"a message of {len(said)} characters"
    except Exception as error:  # whatever it is, it is what we look for
        return f"{type(error).__name__}: {str(error)[:300]}"
    return "read"


def attack(name, seconds, seed):
    """Feed one target for so long; prints its row and returns the number of failures."""
    target, draw = TARGETS[name], random.Random(f"{seed} {name}")
    counts, slowest_s = Counter(), 0.0
    with tempfile.TemporaryDirectory(prefix="fedras-fuzz-") as made:
        folder = Path(made)
        for content in target.seeds:
            assert outcome(target, content, random.Random(0), folder) == "read", content
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            content = damaged(draw, target, draw.choice(target.seeds))
            before = time.process_time()
            found = outcome(target, content, draw, folder)
            slowest_s = max(slowest_s, time.process_time() - before)
            if found not in ("read", "refused"):
                counts["failed"] += 1
                if counts["failed"] <= MOST_SHOWN:
                    print(f"{name}: {found}\n  {content[:2_000]!r}")
                continue
            counts[found] += 1
    row = "".join(f"{counts[kind]:10,}" for kind in ("read", "refused", "failed"))
    print(f"{name:20}{row}{slowest_s * 1e3:12.1f}", flush=True)
    return counts["failed"]


def run(names, minutes, seed):
    """The number of failures; the time is shared out among the targets."""
    print(f"{'target':20}{'read':>10}{'refused':>10}{'failed':>10}{'slowest ms':>12}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return sum(attack(name, 60 * minutes / len(names), seed) for name in names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--minutes", type=float, default=10, help="in all, shared out among the targets")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if unknown := set(given.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (2 << 30),) * 2)
    sys.exit(1 if run(given.targets or list(TARGETS), given.minutes, given.seed) else 0)


if __name__ == "__main__":
    main()
