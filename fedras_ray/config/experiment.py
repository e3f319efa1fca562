"""The experiment as one frozen tree.

Everything that can change a result is in here and in `Experiment.digest`; where it is computed (`execution`),
what is kept on the way (`checkpoint`) and who watches (`tracking`) is in here too, but not in the digest.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

import tomli_w
from pydantic import Field, model_validator

from fedras_ray.config.base import Count, Positive, Section
from fedras_ray.config.client import MatrixFactorization, TrainingConfig
from fedras_ray.config.codecs import (
    ActionsCodec,
    CodecConfig,
    DenseDownlink,
    DownlinkConfig,
    FeedbackConfig,
    NoFeedback,
    ProductCodec,
)
from fedras_ray.config.data import CatalogData, DataConfig, FileData
from fedras_ray.config.faults import FaultsConfig
from fedras_ray.config.fleet import FedScaleFleet, FleetConfig
from fedras_ray.config.network import NetworkConfig
from fedras_ray.config.pacing import PacingConfig, SelectionConfig, UniformSelection
from fedras_ray.config.privacy import NoPrivacy, PrivacyConfig
from fedras_ray.config.schedule import ScheduleConfig, SyncSchedule
from fedras_ray.config.system import EvaluationConfig, ServerConfig


class ExecutionConfig(Section):
    """Where it is computed. `shards` and `device` are part of the result's identity, the rest is not."""

    shards: int = Field(default=8, ge=1, le=4096)
    pools: int = Field(default=0, ge=0)  # 0: as many as cores, at most one per shard
    follows_cluster: bool = True  # with pools = 0: their number changes as nodes join and leave
    grow_to: int = Field(default=0, ge=0)  # with pools = 0: Ray's autoscaler is asked for room for so many
    threads: int = Field(default=0, ge=0, le=64)  # 0: one in a pool; in one process its cores, four at most
    placement: Literal["spread", "pack", "strict-spread"] = "spread"  # over nodes; strict: one a node
    device: Literal["cpu", "cuda"] = "cpu"  # that trains cohorts, clusters their updates, ranks
    cpus: float = Field(default=0.0, ge=0)  # that a pool asks for; 0: an equal share, one a thread at most
    gpus: float = Field(default=0.0, ge=0)  # that a pool asks for; 0: with 'cuda' an equal share of them all
    memory_bytes: int = Field(default=0, ge=0)  # that a pool asks for; 0: it does not say
    start_limit_s: Positive = 120.0
    work_limit_s: Positive = 600.0
    pool_restarts: int = Field(default=3, ge=0)  # of a pool that dies or hangs, before the run fails

    @property
    def pools_follow(self) -> bool:
        """Whether the number of pools is the cluster's affair, and may change."""
        return self.pools == 0 and self.follows_cluster


class CheckpointConfig(Section):
    """What of a run is kept on the way, so that it can be gone on with. No part of the result's identity."""

    every_minutes: float = Field(default=5.0, ge=0)  # of real time; 0: never by time
    every_versions: int = Field(default=0, ge=0)  # 0: never by versions
    keep: Count = 2  # the newest ones
    to: str | None = None  # a URL for pyarrow.fs, or a folder; None: checkpoints/ in the run's directory


class TrackingConfig(Section):
    """Who watches, and what of the run they get. No part of the result's identity."""

    experiment: str = Field(default="fedras", min_length=1, max_length=200)
    mlflow: bool = True
    model: bool = False  # keep the trained tables and the private states of all clients, in the clear
    register_as: str | None = Field(default=None, min_length=1, max_length=200)  # the model, under this name

    @property
    def keeps_model(self) -> bool:
        """Whether somebody wants it."""
        return self.model or self.register_as is not None


class Experiment(Section):
    """A whole experiment: what, on which data, by which clients, under which seed."""

    name: str = Field(default="ml-100k-fedras", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", max_length=100)
    seed: int = Field(default=1, ge=0)
    data: DataConfig = CatalogData()
    model: MatrixFactorization = MatrixFactorization()
    training: TrainingConfig = TrainingConfig()
    codec: CodecConfig = ActionsCodec(kind="actions")
    feedback: FeedbackConfig = NoFeedback()
    privacy: PrivacyConfig = NoPrivacy()
    downlink: DownlinkConfig = DenseDownlink()
    fleet: FleetConfig = FedScaleFleet()
    network: NetworkConfig = NetworkConfig()
    faults: FaultsConfig = FaultsConfig()
    schedule: ScheduleConfig = SyncSchedule()
    selection: SelectionConfig = UniformSelection()
    pacing: PacingConfig = PacingConfig()
    server: ServerConfig = ServerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    execution: ExecutionConfig = ExecutionConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    tracking: TrackingConfig = TrackingConfig()

    @model_validator(mode="after")
    def _parts_fit(self) -> Experiment:
        """Refuse a table that cannot be cut before a client finds out."""
        if isinstance(self.codec, ProductCodec) and self.model.width % self.codec.parts:
            raise ValueError(
                f"codec.parts is {self.codec.parts}, which does not divide model.width, {self.model.width}"
            )
        if self.faults.pool_kills and self.faults.pool_kills[-1] >= self.schedule.versions:
            raise ValueError(
                f"faults.pool_kills has version {self.faults.pool_kills[-1]}, and nothing is computed after "
                f"schedule.versions, {self.schedule.versions}"
            )
        if self.model.start is not None and self.downlink.kind != "dense":
            raise ValueError(
                f"downlink.kind is '{self.downlink.kind}': its newcomers draw the first table from the seed, "
                "which is not that of model.start; take 'dense'"
            )
        if self.training.samples == "given" and not (isinstance(self.data, FileData) and self.data.label):
            raise ValueError(
                "training.samples is 'given', but the data bring none: with data.kind 'file', name the "
                "column of labels in data.label"
            )
        return self

    def digest(self) -> str:
        """SHA-256 over everything that can change a result."""
        elsewhere: dict[str, bool | set[str]] = dict.fromkeys(("tracking", "execution", "checkpoint"), True)
        tree = self.model_dump(mode="json", exclude={**elsewhere, "faults": {"pool_kills"}})
        tree["shards"] = self.execution.shards
        if self.execution.device != "cpu":  # which rounds otherwise
            tree["device"] = self.execution.device
        return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()

    def to_toml(self) -> str:
        """The complete tree, every default spelled out: reading it back gives the same experiment."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))
