"""The runs of a comparison: those that are there already are kept, the others are computed."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context
from pathlib import Path

from rich.console import Console

from fedras_ray.config import Experiment
from fedras_ray.errors import ExecutorError, FedrasError, RunError
from workloads.comparing.plan import Plan
from workloads.run_directory import CONFIG, SUMMARY
from workloads.running import Options, run
from workloads.sinks import Summary
from workloads.speech import console, say
from workloads.stopping import Stopped, Wish, stoppable
from workloads.units import saving, size


@dataclass(frozen=True, slots=True)
class Task:
    """One run, and where it goes."""

    method: str
    experiment: Experiment
    directory: Path

    @property
    def title(self) -> str:
        """As it is spoken of."""
        return f"{self.method}, seed {self.experiment.seed}"

    def kept(self) -> bool:
        """Whether it is computed already.

        Raises:
            RunError: another experiment was, in its place.
        """
        if not (self.directory / SUMMARY).exists():
            return False
        if read_summary(self.directory)["digest"] != self.experiment.digest():
            raise RunError(
                f"{self.directory} holds a run of another experiment; remove it, or give another --out"
            )
        return True

    def options(self, all_of_them: Options) -> Options:
        """How to run it: gone on with, where that is wished and it was begun."""
        begun = (self.directory / CONFIG).exists()
        return replace(all_of_them, out=self.directory, resume=all_of_them.resume and begun)


def tasks(plan: Plan, directory: Path) -> list[Task]:
    """All runs of a comparison, in the order in which they are computed."""
    return [
        Task(method, plan.experiment(method, seed), directory / f"{method}-s{seed}")
        for method, seed in plan.runs()
    ]


def read_summary(directory: Path) -> Summary:
    """``summary.json`` of a finished run.

    Raises:
        RunError: it is not there, or broken.
    """
    path = directory / SUMMARY
    try:
        found: Summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}; remove {directory} and run it again") from error
    return found


def run_all(wanted: Sequence[Task], options: Options, jobs: int, wish: Wish | None = None) -> None:
    """Compute what is not there yet.

    Args:
        wanted: all runs of the comparison.
        options: how to run each; `out` is the task's.
        jobs: runs at the same time, each in a process of its own when there are several.
        wish: of somebody that it stop.

    Raises:
        FedrasError: a run failed; those that are finished stay.
    """
    due = [task for task in wanted if not task.kept()]
    for task in wanted:
        if task not in due:
            say(f"kept    {task.title}")
    with closing(_computed(due, options, jobs) if jobs > 1 else _one_by_one(due, options, wish)) as computed:
        for done, task in enumerate(computed, 1):
            say(f"done    {done} of {len(due)}: {task.title}  ·  {_outcome(task)}")


def _outcome(task: Task) -> str:
    summary = read_summary(task.directory)
    quality = summary["quality"].get("ndcg@10")
    sent = f"{size(summary['bytes']['total'])}, {saving(summary['bytes']['reduction_total'])}"
    return f"NDCG@10 {quality:.4f}, {sent}" if quality is not None else sent


def _one_by_one(due: Sequence[Task], options: Options, wish: Wish | None) -> Generator[Task, None, None]:
    for task in due:
        say(f"run     {task.title}")
        with _named(task):
            run(task.experiment, task.options(options), console, wish)
        yield task


def _computed(due: Sequence[Task], options: Options, jobs: int) -> Generator[Task, None, None]:
    """Several at once; whatever ends this ends the processes, each of which closes what it began."""
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    before = set(active_children())
    try:
        waiting = {pool.submit(_in_a_process, task, options): task for task in due}
        for future in as_completed(waiting):
            with _named(waiting[future]):
                future.result()
            yield waiting[future]
    except BrokenProcessPool as error:
        raise ExecutorError(
            "a run's process was killed, perhaps for want of memory; try fewer --jobs"
        ) from error
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown()


def _in_a_process(task: Task, options: Options) -> None:
    try:
        with stoppable() as wish:
            chosen = replace(task.options(options), progress=False)
            run(task.experiment, chosen, Console(stderr=True), wish)
    except Stopped as stopped:
        os._exit(stopped.exit_status)  # all is closed; to return would be to be given the next run


@contextmanager
def _named(task: Task) -> Iterator[None]:
    """An error of ours in the block, with the run it was in."""
    try:
        yield
    except FedrasError as error:
        raise RunError(f"{task.title}: {error} (finished runs stay in {task.directory.parent})") from error
