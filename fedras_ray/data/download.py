"""From a URL to a file that is whole: streamed, bounded, verified, and put in place in one step.

A file appears under its name only after its last byte was checked, so a cache folder never holds
half of one, whatever was killed, and two processes that fetch the same file do not meet.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from fedras_ray.errors import DataError
from fedras_ray.paths import path_of

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all where the server says so

MOST_BYTES = 2**30
QUIET_S = 10.0  # to connect, and between two pieces
TOTAL_S = 600.0
_PIECE_BYTES = 2**16


def cache_folder() -> Path:
    """Where fetched files are kept: ``$FEDRAS_CACHE``, else ``~/.cache/fedras``. It may not exist yet."""
    return path_of(os.environ.get("FEDRAS_CACHE") or "~/.cache/fedras")


def fetch(
    url: str,
    target: Path,
    sha256: str | None = None,
    *,
    most_bytes: int = MOST_BYTES,
    quiet_s: float = QUIET_S,
    total_s: float = TOTAL_S,
    progress: Progress | None = None,
) -> Path:
    """Fetch `url` into the file `target`, verifying it while it streams.

    Raises:
        DataError: no answer, too slow, too large, cut short, or not the bytes that were expected;
            `target` is then what it was before.
    """
    if not url.startswith(("http://", "https://")):
        raise DataError(url, "only http:// and https:// can be fetched")
    try:
        with urllib.request.urlopen(url, timeout=quiet_s) as response:  # nosec B310
            return keep(_pieces(url, response, total_s, progress), target, url, sha256, most_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        raise DataError(url, f"the server answers {error.code} {error.reason}") from error
    except (OSError, ValueError, HTTPException) as error:  # ValueError: not a URL
        reason = getattr(error, "reason", None) or error
        raise DataError(url, f"cannot be fetched: {reason}") from error


def _pieces(url: str, response: HTTPResponse, total_s: float, progress: Progress | None) -> Iterator[bytes]:
    """The body as it arrives. A timer sets the total limit: a server that drips never stays quiet."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdigit() else None
    done = 0
    expired = threading.Event()
    timer = threading.Timer(total_s, expired.set)
    timer.daemon = True
    timer.start()
    try:
        while piece := response.read1(_PIECE_BYTES):
            done += len(piece)
            if progress is not None:
                progress(done, total)
            yield piece
            if expired.is_set():
                raise DataError(url, f"took more than {total_s:g} s; {done} bytes had arrived")
    finally:
        timer.cancel()
    if total is not None and done < total:  # http.client does not mind
        raise DataError(url, f"was cut short: {done} of {total} bytes arrived")


def keep(
    pieces: Iterable[bytes], target: Path, origin: str, sha256: str | None, most_bytes: int = MOST_BYTES
) -> Path:
    """Write `pieces` to a temporary file, check them, and move them to `target` in one step.

    Raises:
        DataError: more than `most_bytes`, the wrong SHA-256, or a disk that cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise DataError(str(target), f"cannot be written: {error}") from error
    try:
        found = _write(pieces, handle, origin, most_bytes)
        if sha256 is not None and found != sha256:
            raise DataError(origin, f"expected SHA-256 {sha256}, found {found}; nothing was kept")
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)
    return target


def _write(pieces: Iterable[bytes], handle: int, origin: str, most_bytes: int) -> str:
    """Write to an open file descriptor, close it, and return the SHA-256 of what was written."""
    state = hashlib.sha256()
    done = 0
    with os.fdopen(handle, "wb") as file:
        for piece in pieces:
            done += len(piece)
            if done > most_bytes:
                raise DataError(origin, f"is larger than the {most_bytes} bytes that are allowed")
            state.update(piece)
            file.write(piece)
    return state.hexdigest()
