"""Where checkpoints are: a folder, or any place that `pyarrow.fs` knows by a URL.

A file is there whole or not at all: it is written under another name, made durable, and renamed. In a bucket,
which has no names to change, it appears when it is closed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from pyarrow import fs

from fedras_ray.errors import RunError
from fedras_ray.snapshots.container import Piece

PARTIAL = ".partial"
SPARE = "spare" + PARTIAL


class Store(Protocol):
    """Files in one place; every method raises OSError for what the place refuses."""

    def write(self, name: str, pieces: Iterable[Piece]) -> None:
        """Have a file of these pieces; one of the same name is replaced."""
        ...

    def read(self, name: str) -> bytes:
        """All of a file."""
        ...

    def names(self) -> list[str]:
        """Of the files that are whole, in order."""
        ...

    def remove(self, name: str) -> None:
        """Of a file that may be gone already."""
        ...

    def close(self) -> None:
        """Nothing more is written for now: leave nothing but the files."""
        ...


def open_store(directory: Path, url: str | None) -> Store:
    """``checkpoints/`` of a run's directory, or what a URL names.

    Raises:
        RunError: nothing can be reached at the URL.
    """
    if url is None:
        return LocalStore(directory / "checkpoints")
    return open_at(url, "checkpoint.to") if "://" in url else LocalStore(Path(url))


def open_at(url: str, asked: str) -> Store:
    """What a URL names.

    Raises:
        RunError: nothing can be reached there, with what was `asked`.
    """
    try:
        system, path = fs.FileSystem.from_uri(url)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RunError(f"{asked} is '{url}', where nothing can be kept: {error}") from error
    return LocalStore(Path(path)) if isinstance(system, fs.LocalFileSystem) else RemoteStore(system, path)


class LocalStore:
    """A folder.

    The file that was removed last is written over by the next: to give its blocks back and to ask for as many
    takes the file system as long as to write them.
    """

    def __init__(self, folder: Path) -> None:
        folder = folder.absolute()  # whoever writes may be at home elsewhere
        self._folder = folder
        self._spare = os.path.join(folder, SPARE)

    def write(self, name: str, pieces: Iterable[Piece]) -> None:
        """See `Store.write`; durable when it returns."""
        path = os.path.join(self._folder, name)
        file = self._begun(path + PARTIAL)
        try:
            with file:
                for piece in pieces:
                    _write_all(file, piece)
                if file.tell() < os.fstat(file.fileno()).st_size:  # a spare one that was longer
                    file.truncate()
                os.fsync(file.fileno())
            os.replace(path + PARTIAL, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(path + PARTIAL)
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name
        finally:
            os.close(folder)

    def _begun(self, path: str) -> io.FileIO:
        with suppress(FileNotFoundError):  # there is none
            os.replace(self._spare, path)
        try:
            return _opened(path)
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
            return _opened(path)

    def read(self, name: str) -> bytes:
        """See `Store.read`."""
        return (self._folder / name).read_bytes()

    def names(self) -> list[str]:
        """See `Store.names`."""
        if not self._folder.is_dir():
            return []
        return sorted(one.name for one in self._folder.iterdir() if not one.name.endswith(PARTIAL))

    def remove(self, name: str) -> None:
        """See `Store.remove`."""
        with suppress(FileNotFoundError):
            os.replace(os.path.join(self._folder, name), self._spare)

    def close(self) -> None:
        """See `Store.close`."""
        with suppress(FileNotFoundError):
            os.unlink(self._spare)


class RemoteStore:
    """A folder of a file system that pyarrow reaches."""

    def __init__(self, system: fs.FileSystem, folder: str) -> None:
        self._system, self._folder = system, folder.rstrip("/")

    def write(self, name: str, pieces: Iterable[Piece]) -> None:
        """See `Store.write`."""
        self._system.create_dir(self._folder, recursive=True)
        partial = f"{self._folder}/{name}{PARTIAL}"
        with self._system.open_output_stream(partial) as file:
            for piece in pieces:
                file.write(piece)
        self._system.move(partial, f"{self._folder}/{name}")

    def read(self, name: str) -> bytes:
        """See `Store.read`."""
        with self._system.open_input_stream(f"{self._folder}/{name}") as file:
            return bytes(file.read())

    def names(self) -> list[str]:
        """See `Store.names`."""
        found = self._system.get_file_info(fs.FileSelector(self._folder, allow_not_found=True))
        return sorted(one.base_name for one in found if not one.base_name.endswith(PARTIAL))

    def remove(self, name: str) -> None:
        """See `Store.remove`."""
        with suppress(FileNotFoundError):
            self._system.delete_file(f"{self._folder}/{name}")

    def close(self) -> None:
        """See `Store.close`."""


def _opened(path: str) -> io.FileIO:
    return io.FileIO(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "w")


def _write_all(file: io.FileIO, piece: Piece) -> None:
    left = memoryview(piece)
    while left:
        left = left[file.write(left) :]
