"""The report as its readers see it, on a desk and on a phone, light and dark; pictures are kept in screens/.

Chromium is driven by playwright-core, and accessibility is judged by axe-core
(https://github.com/dequelabs/axe-core); npm fetches both.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboards.report import write

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "screens"
LOOK = Path(__file__).with_name("look.js")
PACKAGES = ("playwright-core@1.65.1", "axe-core@4.14.1")
TOOLS = [shutil.which(name) for name in ("chromium", "node", "npm")]
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LIMIT_S = 120

pytestmark = pytest.mark.skipif(None in TOOLS, reason="chromium, node and npm are not all installed")


@pytest.fixture(scope="session")
def modules(tmp_path_factory):
    """A folder with both packages."""
    folder = tmp_path_factory.mktemp("npm")
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


def test_the_report_is_whole_quiet_and_accessible(modules, make_run, tmp_path):
    SCREENS.mkdir(exist_ok=True)
    pages = {
        "one": write([make_run("one", "adaptive", "buffered")], tmp_path / "one.html"),
        "two": write([make_run("a", "adaptive", "buffered"), make_run("b", "dense")], tmp_path / "two.html"),
    }
    jobs = [
        {
            "name": f"report-{name}-{size}-{scheme}", "url": page.as_uri(), "scheme": scheme, "axe": True,
            "width": width, "height": height, "picture": str(SCREENS / f"report-{name}-{size}-{scheme}.png"),
        }
        for name, page in pages.items()
        for size, (width, height) in SIZES.items()
        for scheme in ("light", "dark")
    ]  # fmt: skip
    found = looked(modules, tmp_path, jobs)
    assert found.keys() == {job["name"] for job in jobs}
    for name, seen in found.items():
        assert seen["said"] == [], name
        assert seen["overflow"] <= 0, name
        assert seen["cut"] == [], name
        assert all(drawing["marks"] > 1 for figure in seen["figures"] for drawing in figure), name
        assert all(len(figure) > 0 for figure in seen["figures"]), name
        assert len(seen["figures"]) >= 6, name
        assert seen["violations"] == [], name
        assert (SCREENS / f"{name}.png").read_bytes().startswith(b"\x89PNG")
