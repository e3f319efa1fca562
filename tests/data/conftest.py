"""Folders that the tests of data need."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def shared() -> Path:
    """Your folder of data sets; without one the test is skipped."""
    folder = os.environ.get("FEDRAS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("FEDRAS_DATA names no folder of data sets")
    return Path(folder)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No FEDRAS_DATA and an empty cache: the cache folder."""
    monkeypatch.delenv("FEDRAS_DATA", raising=False)
    monkeypatch.setenv("FEDRAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
