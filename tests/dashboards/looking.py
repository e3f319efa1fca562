"""Pages as their readers see them, in Chromium.

It is driven by playwright-core, and accessibility is judged by axe-core (https://github.com/dequelabs/axe-core);
npm fetches both.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

LOOK = Path(__file__).with_name("look.js")
SCREENS = Path(__file__).parents[2] / "screens"
PACKAGES = ("playwright-core@1.65.1", "axe-core@4.14.1")
TOOLS = [shutil.which(name) for name in ("chromium", "node", "npm")]
MISSING = "chromium, node and npm are not all installed: apt-get install chromium nodejs npm"
LIMIT_S = 400


def fetched(folder):
    """A folder with both packages."""
    fetch = [str(TOOLS[2]), "install", "--no-audit", "--no-fund", "--silent", *PACKAGES]
    try:
        done = subprocess.run(fetch, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        pytest.skip("npm's registry does not answer")
    if done.returncode:
        pytest.skip(f"npm's registry is out of reach: {done.stderr[-200:]}")
    return folder / "node_modules"


def looked(modules, folder, jobs):
    """What was seen of each page, by name."""
    asked = folder / "jobs.json"
    axe = str(modules / "axe-core" / "axe.min.js")
    asked.write_text(json.dumps({"browser": TOOLS[0], "axe": axe, "jobs": jobs}))
    done = subprocess.run(
        [str(TOOLS[1]), str(LOOK), str(asked)],
        env=os.environ | {"NODE_PATH": str(modules)}, capture_output=True, text=True, timeout=2 * LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)}
