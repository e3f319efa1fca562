"""What a run tells MLflow, on its way there: sent in the background, and kept while nobody listens.

A tracking server may be slow, or go away for a while. The run does not wait for it: what is to be said stands
in a line, and a thread sends it, again and again where that fails. What could not be sent by the end is
written to ``mlflow-pending.jsonl`` in the run's directory, and `fedras track DIR` sends it later.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mlflow.entities import Metric, RunTag
from mlflow.tracking import MlflowClient

from fedras_ray.errors import RunError
from workloads.run_directory import write_text
from workloads.tracking.store import told

PENDING = "mlflow-pending.jsonl"
BATCH = 500  # metrics per call: one call costs as much as many metrics
PATIENCE_S = 60.0  # at the end, for a server that has gone away
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
QUICK_TO_GIVE_UP = {  # MLflow's own way is to try for minutes within one call
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}

Point = tuple[str, float, int, int]  # name, value, milliseconds, step


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say; where several parts are there, in this order."""

    points: list[Point] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: list[str] = field(default_factory=list)  # paths
    model: str | None = None  # the directory of a run that kept one
    register: str | None = None  # the name of that model in the registry
    ending: str | None = None  # how the run ended
    ended_ms: int | None = None

    def send(self, client: MlflowClient, run_id: str) -> None:
        """Say it; twice is no harm."""
        for first in range(0, len(self.points), BATCH):
            batch = [Metric(*point) for point in self.points[first : first + BATCH]]
            client.log_batch(run_id, metrics=batch)
        if self.tags:
            client.log_batch(run_id, tags=[RunTag(name, value) for name, value in self.tags.items()])
        for path in self.artifacts:
            client.log_artifact(run_id, path)
        if self.model:
            from workloads.tracking.model import log_model  # a part of MLflow for those who want it

            log_model(client, run_id, Path(self.model), self.register)
        if self.ending:
            client.set_terminated(run_id, status=self.ending, end_time=self.ended_ms)


class Sender:
    """Sends messages to one MLflow run, one after the other.

    Args:
        uri: of the store.
        client: speaks to it.
        run_id: of the run.
    """

    def __init__(self, uri: str, client: MlflowClient, run_id: str) -> None:
        for name, value in QUICK_TO_GIVE_UP.items():
            os.environ.setdefault(name, value)
        self._uri, self._client, self._run_id = uri, client, run_id
        self._line: deque[Message] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._give_up_s = float("inf")  # on the monotonic clock
        self._trouble: RunError | None = None
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        """Have it sent some time."""
        with self._changed:
            self._line.append(message)
            self._changed.notify_all()

    def close(self, pending: Path, patience_s: float = PATIENCE_S) -> None:
        """Wait until everything is sent, for so long; then write the rest to a file.

        Raises:
            RunError: not everything could be sent; the message says where the rest is.
        """
        with self._changed:
            self._closing = True
            self._give_up_s = time.monotonic() + patience_s
            self._changed.notify_all()
        self._thread.join(patience_s + 2 * float(QUICK_TO_GIVE_UP["MLFLOW_HTTP_REQUEST_TIMEOUT"]))
        with self._changed:
            left = list(self._line)
        if left:
            keep(pending, self._uri, self._run_id, left)
            raise RunError(
                f"{self._trouble or 'MLflow does not answer'}; what it was not told is in {pending}: "
                f"'fedras track {pending.parent}' sends it"
            )

    def _work(self) -> None:
        pause_s = FIRST_PAUSE_S
        while (message := self._next()) is not None:
            try:
                with told(self._uri):
                    message.send(self._client, self._run_id)
            except RunError as error:
                self._trouble = error
                if not self._wait(pause_s):
                    return
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                pause_s = FIRST_PAUSE_S
                with self._changed:
                    self._line.popleft()

    def _next(self) -> Message | None:
        """The first in the line; None: the line is empty, and nothing will come."""
        with self._changed:
            while not self._line and not self._closing:
                self._changed.wait(1.0)
            return self._line[0] if self._line else None

    def _wait(self, pause_s: float) -> bool:
        """Before the next try; whether there is to be one."""
        next_s = time.monotonic() + pause_s
        with self._changed:
            while (left_s := min(next_s, self._give_up_s) - time.monotonic()) > 0:
                self._changed.wait(left_s)
            return time.monotonic() < self._give_up_s


def keep(path: Path, uri: str, run_id: str, messages: Sequence[Message]) -> None:
    """Write what is still to be said; the store's address is not in it, as it may hold a secret."""
    lines = [{"run_id": run_id}, *map(asdict, messages)]
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))


def send_pending(path: Path, uri: str, opened: Callable[[str], MlflowClient] = MlflowClient) -> str:
    """Send what a file of `keep` holds, and remove it; returns the MLflow run.

    Raises:
        RunError: there is no such file, it is damaged, or the store does not take it.
    """
    try:
        first, *rest = path.read_text(encoding="utf-8").splitlines()
        run_id = str(json.loads(first)["run_id"])
        messages = [Message(**json.loads(line)) for line in rest]
    except FileNotFoundError:
        raise RunError(f"{path.parent} has nothing that MLflow was not told (no {path.name})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is not what a run wrote: {error}") from error
    with told(uri):
        client = opened(uri)
        for message in messages:
            message.send(client, run_id)
    path.unlink()
    return run_id
