"""A run whose directory is a URL: shared storage that outlives the machine, whatever `pyarrow.fs` reaches.

The run works in a directory here as every run does. Its checkpoints go straight to the URL as it makes them;
its other files go there when it begins and when it ends, however it ends, ``summary.json`` last: where that
is, the run was computed to its end, and everything else is there as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from fedras_ray.errors import RunError
from workloads.checkpoints.store import Store, open_at
from workloads.run_directory import (
    CONFIG,
    SUMMARY,
    fresh,
    refuse_finished,
    refuse_to_go_on,
    write_text,
    writing,
)

CHECKPOINTS = "checkpoints"
TAKEN_ALONG = (CONFIG, "mlflow.json")  # what a run needs of its beginning to be gone on with elsewhere


def place(asked: str | None, resume: bool) -> tuple[Path | None, str | None]:
    """Where a run is here, and the URL where it is as well, if it is asked for at one.

    Raises:
        RunError: the URL is not a place for a new run, or for one that is to be gone on with.
    """
    if asked is None or "://" not in asked:
        return (None if asked is None else Path(asked)), None
    return (fetched if resume else begun)(asked), asked


def kept_at(url: str | None, resume: bool) -> list[str]:
    """The setting that has checkpoints kept where the run is; one that is gone on with has it already."""
    return [f"checkpoint.to={url.rstrip('/')}/{CHECKPOINTS}"] if url and not resume else []


def begun(url: str) -> Path:
    """The directory here of a run that goes to a URL.

    Raises:
        RunError: nothing can be kept there, or a finished run is.
    """
    with _reaching(url):
        refuse_finished(url, SUMMARY in _store(url).names())
    return _here(url)


def fetched(url: str) -> Path:
    """The directory here of a run that was interrupted, with what it needs to be gone on with.

    Raises:
        RunError: there is no run, or it is finished.
    """
    store = _store(url)
    with _reaching(url):
        there = store.names()
        refuse_to_go_on(url, SUMMARY in there, CONFIG in there)
        found = {name: store.read(name) for name in TAKEN_ALONG if name in there}
    directory = _here(url)
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in found.items():
            write_text(directory / name, text.decode())
    return directory


@contextmanager
def mirrored(directory: Path, url: str | None) -> Iterator[None]:
    """Have the files of a run at a URL, from the beginning of the block, and as they are at its end.

    Raises:
        RunError: they cannot be written.
    """
    if url is None:
        yield
        return
    store = _store(url)
    _send(directory, store, url)
    try:
        yield
    finally:
        _send(directory, store, url)


def _send(directory: Path, store: Store, url: str) -> None:
    with _reaching(url):
        files = [one for one in directory.iterdir() if one.is_file()]
        for one in sorted(files, key=lambda file: (file.name == SUMMARY, file.name)):
            store.write(one.name, [one.read_bytes()])


def _store(url: str) -> Store:
    return open_at(url, "--out")


def _here(url: str) -> Path:
    return fresh(url.rstrip("/").rpartition("/")[2] or "run")


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise RunError(
            f"{url} is out of reach: {error}; look at the address, and at who may write"
        ) from error
