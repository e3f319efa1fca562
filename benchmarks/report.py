"""How long Chromium takes for the report of a long run: `python -m benchmarks.report [--records 100000]`.

A synthetic run with so many records is made, once, and its page written. Chromium then opens the page, each
time in a profile of its own, and tells when it was first drawn and when it was loaded (the end of the load
event), by the browser's own clock. Besides: the size of the page, and what writing it took.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console

from dashboards.report import write
from fedras_ray.config import build
from tests.dashboards.looking import TOOLS, fetched
from workloads.running import Options, run

CLIENTS = 1_000  # a version
TIMES = """
const { chromium } = require("playwright-core");
(async () => {
  const [executablePath, url, count] = process.argv.slice(2);
  const found = [];
  for (let turn = 0; turn <= Number(count); turn++) { // the first warms the disk up
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(url, { waitUntil: "load" });
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    found.push(await page.evaluate(() => ({
      loaded_ms: performance.getEntriesByType("navigation")[0].loadEventEnd,
      drawn_ms: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    })));
    await browser.close();
  }
  console.log(JSON.stringify(found.slice(1)));
})();
"""


def page_of(folder: Path, records: int) -> Path:
    """The report of a run with at least so many records."""
    data = {"kind": "synthetic", "users": 6_000, "items": 1_000, "mean_interactions": 10}
    schedule = {"versions": -(-records // CLIENTS), "clients_per_version": CLIENTS}
    tree = {"data": data, "schedule": schedule, "model": {"width": 8}, "evaluation": {"every": 5}}
    options = Options(out=folder / "run", serial=True, mlflow=False, progress=False)
    directory = run(build(tree), options, Console(stderr=True)).directory
    began, began_cpu = time.perf_counter(), time.process_time()
    page = write([directory], folder / "report.html")
    took, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    count = pq.read_metadata(directory / "records.parquet").num_rows
    size_kb = page.stat().st_size / 1e3
    say(f"{count:,} records: a page of {size_kb:,.1f} kB, written in {took:.2f} s, {cpu:.2f} s of CPU")
    return page


def opened(page: Path, folder: Path, times: int) -> list[dict[str, float]]:
    """What the browser says of each time that it opened a page."""
    script = folder / "times.js"
    script.write_text(TIMES)
    done = subprocess.run(
        [str(TOOLS[1]), str(script), str(TOOLS[0]), page.as_uri(), str(times)],
        env={"NODE_PATH": str(fetched(folder)), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: list[dict[str, float]] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=9)
    asked = parser.parse_args()
    if None in TOOLS:
        sys.exit("chromium, node and npm are not all installed: apt-get install chromium nodejs npm")
    with tempfile.TemporaryDirectory() as name:
        found = opened(page_of(Path(name), asked.records), Path(name), asked.times)
    for key, what in (("drawn_ms", "first drawn"), ("loaded_ms", "loaded")):
        each = [one[key] for one in found]
        middle = statistics.median(each)
        say(
            f"{what} after {middle:,.0f} ms, the median of {len(each)} ({min(each):,.0f} to {max(each):,.0f})"
        )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
