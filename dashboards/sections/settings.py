"""Identity, configuration, and how to run it again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dashboards.markup import escape, table
from dashboards.reading import Run
from dashboards.units import bytes_text, grouped, seconds_text, significant


def identity(runs: Sequence[Run]) -> str:
    """What was run, and by which digests to know it again."""
    rows = [
        ["experiment digest", *(_code(run.summary.digest) for run in runs)],
        ["trace digest", *(_code(run.summary.trace_digest) for run in runs)],
        ["seed", *(str(run.summary.seed) for run in runs)],
        ["model versions", *(grouped(run.summary.versions) for run in runs)],
        ["client updates", *(grouped(run.summary.client_updates) for run in runs)],
        ["mean staleness", *(f"{significant(run.summary.mean_staleness)} versions" for run in runs)],
        ["recorded turns", *(grouped(run.records.turns) for run in runs)],
        ["wall time", *(seconds_text(run.summary.wall_seconds) for run in runs)],
        ["peak memory", *(bytes_text(run.summary.peak_rss_bytes) for run in runs)],
        ["directory", *(_code(run.path.resolve().name) for run in runs)],
    ]
    caption = "The experiment digest covers all that can change a result, the trace digest all that happened."
    return table(caption, _head("what", runs), rows, label="Identity of the runs")


def configuration(runs: Sequence[Run]) -> str:
    """Every setting; with several runs, first and marked those that differ."""
    keys = list(dict.fromkeys(key for run in runs for key in run.settings))
    differing = [key for key in keys if len({run.settings.get(key) for run in runs}) > 1]
    order = differing + [key for key in keys if key not in differing]
    rows = [
        [
            f"<code>{'<mark>' + escape(key) + '</mark>' if key in differing else escape(key)}</code>",
            *(escape(run.settings.get(key, "–")) for run in runs),
        ]
        for key in order
    ]
    marked = f" The {len(differing)} settings that differ come first, marked." if differing else ""
    caption = f"The complete experiment, as in <code>config.toml</code>.{marked}"
    body = table(caption, _head("setting", runs), rows, label="All settings")
    shown = ' open="open"' if differing else ""
    return f"<details{shown}>\n<summary>All {len(keys)} settings</summary>\n{body}\n</details>"


def reproduce(runs: Sequence[Run]) -> str:
    """One command for each run, and what shows that it worked."""
    commands = "\n".join(
        f"fedras run {shlex.quote(f'{run.path.resolve().name}/config.toml')}" for run in runs
    )
    one = "this run" if len(runs) == 1 else "each run"
    return (
        f"<p>From the folder that holds {one}'s directory:</p>\n<pre><code>{escape(commands)}</code></pre>\n"
        "<p>The same experiment and seed give the same events and metrics on any machine "
        "and any number of pools: the trace digest in the new <code>summary.json</code> "
        "must equal the one above. Only wall time differs.</p>"
    )


def _head(first: str, runs: Sequence[Run]) -> list[str]:
    return [first, *(escape(run.label) for run in runs)] if len(runs) > 1 else [first, "value"]


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
