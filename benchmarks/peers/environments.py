"""An environment for each peer, made once: torch first and pinned, the rest as ``requirements/`` says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
LAST_WORDS = 400  # characters of what pip said


class NotInstalledError(Exception):
    """A peer's environment cannot be made; the message is pip's."""


def environment(name: str, cache: Path) -> Path:
    """The Python of a peer, installed where it is not yet.

    The folder is named after the requirements: other requirements, another environment.

    Raises:
        NotInstalledError: pip cannot.
    """
    wanted = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    folder = cache / f"venv-{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        _run([sys.executable, "-m", "venv", str(folder)])
        for lines in wanted.splitlines()[:1], wanted.splitlines()[1:]:  # a loose torch takes CUDA along
            _run([str(python), "-m", "pip", "install", "--quiet", *lines])
        (folder / ".ready").touch()
    return python


def versions(python: Path, names: Sequence[str]) -> dict[str, str]:
    """The versions of some packages, and of Python."""
    code = (
        "import json,sys,importlib.metadata as m;"
        "print(json.dumps({'python':sys.version.split()[0],**{n:m.version(n) for n in sys.argv[1:]}}))"
    )
    said = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(said.stdout)
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalledError(f"'{' '.join(command[-3:])}' failed: {done.stderr.strip()[-LAST_WORDS:]}")
