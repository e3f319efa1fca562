"""What a run came to as three columns: for a terminal, and as Markdown for MLflow."""

from __future__ import annotations

from rich.table import Table

from workloads.sinks import Summary
from workloads.units import saving, size, span

Row = tuple[str, str, str]


def closing_table(summary: Summary) -> Table:
    """Quality, bytes and time of a finished run, for a terminal."""
    table = Table(title=headline(summary), title_justify="left", show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for row in rows(summary):
        table.add_row(*row)
    return table


def markdown(summary: Summary) -> str:
    """The same as a Markdown table."""
    lines = [f"**{headline(summary)}**", "", "| | | |", "|---|---:|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows(summary))])


def headline(summary: Summary) -> str:
    """What was run, on what, under which seed."""
    return f"{summary['name']}  ·  {summary['dataset']['name']}  ·  seed {summary['seed']}"


def rows(summary: Summary) -> list[Row]:
    """All rows: what, how much, beside what."""
    return [*_quality(summary), *_bytes(summary), *_privacy(summary), *_time(summary)]


def _quality(summary: Summary) -> list[Row]:
    popularity, asked = summary["quality_popularity"], summary["evaluation"]
    measured = {name: value for name, value in summary["quality"].items() if value is not None}
    rows = [
        (
            name.replace("_", " "),
            _uncertain(value, asked["standard_error"][name]),
            f"popularity {popularity[name]:.4f}",
        )
        for name, value in measured.items()
    ]
    if asked["users"] < asked["of"]:
        rows.append(("users asked", f"{asked['users']:,}", f"of {asked['of']:,}; ± is a standard error"))
    return rows


def _uncertain(value: float, error: float | None) -> str:
    return f"{value:.4f}" if error is None else f"{value:.4f} ± {error:.4f}"


def _bytes(summary: Summary) -> list[Row]:
    counts = summary["bytes"]
    return [
        ("sent up", size(counts["up"]), saving(counts["reduction_up"])),
        ("sent down", size(counts["down"]), saving(counts["reduction_down"])),
        ("sent in total", size(counts["total"]), saving(counts["reduction_total"])),
    ]


def _privacy(summary: Summary) -> list[Row]:
    found = summary.get("privacy")  # a run of an older version does not tell
    if found is None:
        return []
    median = f"at δ = {found['delta']:g}; median client {found['epsilon_median']:.4g}"
    return [("privacy, most turns", f"ε = {found['epsilon_most']:.4g}", median)]


def _time(summary: Summary) -> list[Row]:
    wall = summary["wall"]
    where = f"{wall['pools']} pools" if wall["pools"] else "in one process"
    rate = f"{wall['updates_per_second']:,.0f} a second once running"
    return [
        ("versions", f"{summary['versions']:,}", f"mean staleness {summary['mean_staleness']:.2f}"),
        ("client updates", f"{summary['client_updates']:,}", rate),
        ("time on the devices", span(summary["virtual_seconds"]), "virtual"),
        ("time here", span(wall["seconds"]), f"{where}; start-up {span(wall['startup_seconds'])}"),
        ("trace", summary["trace_digest"][:16], "the same for any number of pools"),
    ]
