"""A finished run for all tests that look at what one leaves behind."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workloads.command import Said, fedras, settings


@dataclass(frozen=True)
class Finished:
    """A run that is over, where it was started and what it said."""

    folder: Path
    directory: Path
    said: Said


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """One small run in one process, tracked by MLflow in its default store."""
    folder = tmp_path_factory.mktemp("finished")
    said = fedras("run", *settings(), "--serial", "--json", cwd=folder)
    assert said.status == 0, said.err
    (directory,) = (folder / "runs").iterdir()
    return Finished(folder, directory, said)
