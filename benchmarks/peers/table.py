"""The table of a comparison, as Markdown, and its place in a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.peers.measuring import Measured
from benchmarks.peers.platforms import Platform

BEGIN, END = "<!-- results -->", "<!-- /results -->"
HEAD = (
    "| platform | updates/s | CPU ms an update | ours is, by updates/s | ours is, by CPU | peak memory, MB "
    "| launch to first aggregate, s | loss |\n|---|---:|---:|---:|---:|---:|---:|---:|"
)
BEST = ("ours-2", "ours-1", "ours-0")  # what ratios are of: the first that was run


def machine() -> dict[str, Any]:
    """What it was measured on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), name)
    return {"cpu": name, "cores": os.cpu_count(), "load": os.getloadavg()}


def as_markdown(
    chosen: Sequence[Platform],
    runs: Mapping[str, Sequence[Measured]],
    failed: Mapping[str, str],
    told: Mapping[str, Any],
) -> str:
    """Medians with ratios, and under them what they were measured with."""
    best = next((key for key in BEST if runs.get(key)), None)
    lines = [HEAD]
    for one in chosen:
        if found := runs.get(one.key):
            lines.append(_row(one, found, runs[best] if best and not one.key.startswith("ours") else None))
        else:
            why = failed.get(one.key, "not run").splitlines()[0]
            lines.append(f"| {one.title} | – | – | – | – | – | – | {why} |")
    everyone = [run for found in runs.values() for run in found]
    busy = sorted(run.others_cores for run in everyone) or [0.0]
    made, by_hand = told["machine"], told["by_hand"]
    notes = [
        f"{made['cores']} cores of {made['cpu']}; medians of {told['repetitions']} interleaved repetitions;",
        f"meanwhile other work kept {busy[0]:.1f} to {busy[-1]:.1f} cores busy. With the peers' cohorts fed",
        f"by hand ours has a loss of {by_hand[-1]:.4f} after {len(by_hand)} rounds.",
        f"Versions: {_versions(told['versions'])}.",
    ]
    return "\n".join([*lines, "", *notes])


def _row(one: Platform, found: Sequence[Measured], best: Sequence[Measured] | None) -> str:
    rate, cpu = median(run.updates_per_s for run in found), median(run.cpu_ms_per_update for run in found)
    faster = less = "–"
    if best:
        faster = f"{median(run.updates_per_s for run in best) / rate:,.1f} ×"
        less = f"{cpu / median(run.cpu_ms_per_update for run in best):,.1f} ×"
    after = max(rounds for rounds in found[0].losses if rounds <= 8)
    loss = f"{median(run.losses[after] for run in found):.4f} after {after}"
    memory = median(run.peak_pss_mb for run in found)
    first = median(run.first_aggregate_s for run in found)
    figures = f"{rate:,.0f} | {cpu:.3f} | {faster} | {less} | {memory:,.0f} | {first:.1f}"
    return f"| {one.title} | {figures} | {loss} |"


def _versions(found: Mapping[str, Mapping[str, str]]) -> str:
    merged: dict[str, set[str]] = {}
    for each in found.values():
        for name, version in each.items():
            merged.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(all_of))}" for name, all_of in sorted(merged.items()))


def write(page: Path, text: str) -> None:
    """Replace what is between the marks of a page."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
