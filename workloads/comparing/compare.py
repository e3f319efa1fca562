"""A comparison, from its plan to its directory: runs, table, page, MLflow."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from workloads.comparing import files
from workloads.comparing.plan import ANYTHING, Plan
from workloads.comparing.results import Results, gather
from workloads.comparing.runs import run_all, tasks
from workloads.run_directory import home, writing
from workloads.running import Options
from workloads.stopping import Wish

if TYPE_CHECKING:
    from workloads.tracking.comparison import ParentRun


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a finished comparison is."""

    directory: Path
    results: Results
    tracking_uri: str | None


def compare(plan: Plan, options: Options, jobs: int = 1, wish: Wish | None = None) -> Outcome:
    """Run what is not there yet, and put everything beside each other.

    Args:
        plan: what to compare.
        options: how to run; `out` is the comparison's directory, each run gets one below it.
        jobs: runs at the same time.
        wish: of somebody that it stop.

    Raises:
        FedrasError: it could not do all it was asked; finished runs stay and are not run again.
    """
    directory = home() / (options.out or _place(plan))
    wanted = tasks(plan, directory)
    for task in wanted:
        task.kept()  # another experiment in its place is said before anything is begun
    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    tracked = options.mlflow and plan.methods[plan.reference].tracking.mlflow
    with _parent(plan, directory) if tracked else nullcontext() as parent:
        run_all(wanted, replace(options, parent=parent.run_id if parent else None), jobs, wish)
        results = gather(plan, wanted)
        written = files.write(directory, results)
        if parent:
            parent.finish(results, written)
    return Outcome(directory, results, parent.uri if parent else None)


def _parent(plan: Plan, directory: Path) -> AbstractContextManager[ParentRun]:
    from workloads.tracking.comparison import parent_run  # MLflow: two seconds, for those who want it

    return parent_run(plan, directory)


def _place(plan: Plan) -> Path:
    """A study has one place, where it goes on; experiments without one get a new place each time."""
    if plan.name != ANYTHING:
        return Path("runs") / plan.name
    return Path("runs") / f"{plan.name}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S-%f')[:-3]}"
