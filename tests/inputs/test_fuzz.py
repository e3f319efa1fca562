"""A short run of the fuzz program, and what its long ones found. A long run is nobody's test."""

import json
import random

import pytest

from fedras_ray.errors import ConfigError, DataError
from tests.inputs import fuzz
from tests.inputs.targets import TARGETS, Target


def _with_endless_classes():
    tree = json.loads(TARGETS["summary"].seeds[0])
    tree["classes"] = [dict.fromkeys(one, 1e999) | {"name": one["name"]} for one in tree["classes"]]
    return json.dumps(tree).encode()


FOUND = {  # what came out before it was mended is beside it
    "brackets": ("experiment", b"x = " + b"[" * 3_000),  # RecursionError
    "dots": ("experiment", b"a." * 3_000 + b"b = 1"),  # RecursionError
    "digits": ("experiment", b"seed = " + b"9" * 5_000),  # ValueError
    "hexadecimal digits": ("overrides", b"seed=0x" + b"f" * 5_000),  # pydantic's, ignored, on stderr
    "no UTF-8 on the command line": ("overrides", b"\xff\xfecodec.kind=dense"),  # UnicodeEncodeError
    "a long name": ("overrides", b"codec." + b"x" * 5_000 + b"=1"),  # a message of pages
    "a long header": ("ratings", b"user\titem\t" + b"x\t" * 4_000 + b"\n1\t2\n"),  # a message of pages
    "a long number": ("movielens", b"1\t2\t" + b"9" * 100_000 + b"\t4\n"),  # a message of pages
    "a long field of a trace": ("link trace", b"t_s,factor\n0," + b"1" * 140_000),  # _csv.Error
    "a number of a user that no one has": ("folder", b"0 1 2\n99999999 2\n---\n0 3\n---\n"),  # MemoryError
    "a class of endless clients": ("summary", _with_endless_classes()),  # OverflowError
    "a patched zip": (
        "first table",
        TARGETS["first table"].seeds[0].replace(b"-\0\0\0\0\0", b"-\0\x20\0\0\0"),
    ),
}


def test_a_short_run_over_every_target_finds_nothing(capsys):
    assert fuzz.run(list(TARGETS), minutes=0.05, seed=1) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(TARGETS)


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_is_refused(name, tmp_path):
    target, content = FOUND[name]
    assert fuzz.outcome(TARGETS[target], content, random.Random(0), tmp_path) == "refused"


@pytest.mark.parametrize("target", TARGETS)
def test_changes_are_files_that_differ(target):
    draw, chosen = random.Random(1), TARGETS[target]
    made = {fuzz.damaged(draw, chosen, chosen.seeds[0]) for _ in range(60)}
    assert len(made) > 30
    assert chosen.seeds[0] not in made or len(made) > 50


def raising(error):
    def read(content, draw, folder):
        raise error

    return Target(read, [], [])


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (ConfigError("seed", "no"), "refused"),
        (DataError("f", "x" * 9_999), "a message of 10002 characters"),
        (IndexError("out of range"), "IndexError: out of range"),
        (MemoryError("too much"), "MemoryError: too much"),
    ],
)
def test_every_other_outcome_is_a_failure(error, found, tmp_path):
    assert fuzz.outcome(raising(error), b"", random.Random(0), tmp_path) == found
