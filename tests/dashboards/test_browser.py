"""The page in a real browser, where there is one: nothing to complain of, on a screen and on paper."""

import shutil
import subprocess
from pathlib import Path

import pytest

from dashboards.report import write

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--v=0",
)  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def browse(profile: Path, page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={profile}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=400, check=True)


def test_no_console_messages_and_a_drawn_page(make_run, tmp_path):
    page = write([make_run("a", "adaptive", "buffered"), make_run("b", "dense")], tmp_path / "report.html")
    seen = browse(tmp_path / "profile", page, "--dump-dom", "--window-size=390,800")
    assert "CONSOLE" not in seen.stderr
    assert "2 runs compared" in seen.stdout


def test_it_prints(make_run, tmp_path):
    page = write([make_run()], tmp_path / "report.html")
    paper = tmp_path / "report.pdf"
    browse(tmp_path / "profile", page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    assert paper.read_bytes().startswith(b"%PDF")
