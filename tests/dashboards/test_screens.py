"""The report as its readers see it, on a desk and on a phone, light and dark; pictures are in screens/."""

import pytest

from dashboards.report import write
from tests.dashboards.looking import MISSING, SCREENS, TOOLS, looked

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}

pytestmark = pytest.mark.skipif(None in TOOLS, reason=MISSING)


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
