"""Machine code is found again by the same sources wherever they are, and by no others."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fedras_ray.kernels import kept, packing
from tests.workloads.command import environment

CODE = "from fedras_ray.kernels import packing; import numpy as np; packing.pack(np.ones(3, np.uint32), 2)"
CODE += "; print(sum(packing.pack.stats.cache_hits.values()))"


def copied(target):
    """The package in another place, without what Python keeps beside it."""
    shutil.copytree(
        Path(kept.__file__).parents[1], target / "fedras_ray", ignore=shutil.ignore_patterns("__pycache__")
    )
    return target


def hits(place, cache):
    """How often machine code was found in a new process."""
    env = environment(PYTHONPATH=str(place), XDG_CACHE_HOME=str(cache))
    asked = {"capture_output": True, "text": True, "timeout": 120, "check": True}
    done = subprocess.run([sys.executable, "-c", CODE], cwd=place, env=env, **asked)
    return int(done.stdout)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return tmp_path / "cache"


def test_a_copy_finds_the_code_until_a_kernel_changes(tmp_path, cache):
    assert hits(copied(tmp_path / "here"), cache) == 0
    there = copied(tmp_path / "there")
    assert hits(there, cache) == 1
    assert not list(there.rglob("*.nbi")), "nothing is kept beside sources"
    with (there / "fedras_ray" / "kernels" / "placing.py").open("a") as other:
        other.write("# this changes no other file\n")
    assert hits(there, cache) == 0
    assert hits(there, cache) == 1


def test_where_nothing_can_be_written_code_is_kept_where_numba_would(tmp_path, cache):
    cache.write_text("a file, and no folder")
    here = copied(tmp_path / "here")
    assert (hits(here, cache), hits(here, cache)) == (0, 1)
    assert list((here / "fedras_ray" / "kernels" / "__pycache__").glob("*.nbi"))


class Interrupted(kept.OwnNames):
    """Another process saves while this one does, between the two files or before both."""

    meanwhile = None
    at = ""

    def _save_data(self, name, data):
        if self.at == "before":
            self.meanwhile()
        super()._save_data(name, data)
        if self.at == "between":
            self.meanwhile()


@pytest.mark.parametrize("at", ["before", "between"])
def test_no_process_finds_the_code_of_another_signature(tmp_path, at):
    def file(kind=kept.OwnNames):
        return kind(str(tmp_path), "kernel", "stamp")

    one, other = file(Interrupted), file()
    one.at, one.meanwhile = at, lambda: other.save("float32", "code for float32")
    one.save("int64", "code for int64")
    assert file().load("int64") == "code for int64"
    assert file().load("float32") in (None, "code for float32")
    file().save("float32", "code for float32")
    assert file().load("float32") == "code for float32"
    assert file().load("int64") == "code for int64"


def test_kernels_keep_their_code_so():
    assert isinstance(packing.pack._cache._cache_file, kept.OwnNames)


def test_old_states_go_and_the_latest_stay(tmp_path):
    for number in range(kept.MOST_STATES + 3):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "code").touch()
        subprocess.run(["touch", "-d", f"2026-01-{number + 1:02}", tmp_path / f"{number}"], check=True)
    kept._forget_all_but_the_latest(tmp_path)
    left = {str(number) for number in range(4, kept.MOST_STATES + 3)}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_it_is_known_before_a_run_whether_machine_code_must_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "folder", lambda: tmp_path)
    assert kept.is_empty()
    (tmp_path / kept.state()).mkdir()
    assert kept.is_empty()
    (tmp_path / kept.state() / "packing.pack-12.py311.nbi").touch()
    assert not kept.is_empty()
