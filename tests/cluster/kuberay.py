"""What a `RayJob` may say, as far as this project's says anything: names and types of KubeRay's v1 reference.

From the field reference of ``ray.io/v1`` (https://docs.ray.io/en/latest/cluster/kubernetes/references/api.html)
and, below `template`, of Kubernetes' core v1. What is not named here is refused, so that a slip of the pen is
found; a field that exists and is missing here is to be added.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$")]
Count = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    """Nothing that is not named; a number is no text, and text is no number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Variable(Strict):
    name: str
    value: str = ""


class Mount(Strict):
    name: Name
    mountPath: str  # noqa: N815
    readOnly: bool = False  # noqa: N815


class Resources(Strict):
    requests: dict[str, Quantity] = {}
    limits: dict[str, Quantity] = {}


class Container(Strict):
    name: Name
    image: str
    env: list[Variable] = []
    resources: Resources = Resources()
    volumeMounts: list[Mount] = []  # noqa: N815


class Pod(Strict):
    containers: list[Container] = Field(min_length=1)
    volumes: list[dict[str, object]] = []
    serviceAccountName: str | None = None  # noqa: N815


class Template(Strict):
    metadata: dict[str, object] = {}
    spec: Pod


class Head(Strict):
    rayStartParams: dict[str, str]  # noqa: N815
    serviceType: Literal["ClusterIP", "NodePort", "LoadBalancer"] | None = None  # noqa: N815
    template: Template


class Workers(Strict):
    groupName: Name  # noqa: N815
    replicas: Count = 0
    minReplicas: Count = 0  # noqa: N815
    maxReplicas: Count = 2**31 - 1  # noqa: N815
    numOfHosts: Count = 1  # noqa: N815
    idleTimeoutSeconds: Count | None = None  # noqa: N815
    rayStartParams: dict[str, str]  # noqa: N815
    template: Template


class Auth(Strict):
    mode: Literal["disabled", "token"]
    secretName: str | None = None  # noqa: N815


class Cluster(Strict):
    rayVersion: str  # noqa: N815
    authOptions: Auth | None = None  # noqa: N815
    enableInTreeAutoscaling: bool = False  # noqa: N815
    headGroupSpec: Head  # noqa: N815
    workerGroupSpecs: list[Workers] = []  # noqa: N815


class Job(Strict):
    entrypoint: str
    runtimeEnvYAML: str | None = None  # noqa: N815
    jobId: str | None = None  # noqa: N815
    metadata: dict[str, str] = {}
    submissionMode: Literal["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"] = "K8sJobMode"  # noqa: N815
    activeDeadlineSeconds: Annotated[int, Field(gt=0)] | None = None  # noqa: N815
    backoffLimit: Count = 0  # noqa: N815
    shutdownAfterJobFinishes: bool = False  # noqa: N815
    ttlSecondsAfterFinished: Count = 0  # noqa: N815
    suspend: bool = False
    rayClusterSpec: Cluster  # noqa: N815


class Metadata(Strict):
    name: Name
    namespace: Name | None = None
    labels: dict[str, str] = {}


class RayJob(Strict):
    """The whole file."""

    apiVersion: Literal["ray.io/v1"]  # noqa: N815
    kind: Literal["RayJob"]
    metadata: Metadata
    spec: Job
