"""Every error this project raises on purpose.

    FedrasError
    ├── ConfigError      the experiment: an unknown key, a value out of range
    ├── DataError        interactions: a file, a line, a column
    ├── FleetError       devices and links: a profile that cannot exist
    ├── CodecError       bytes that are not what they claim to be
    ├── PolicyError      a policy decided what cannot be done
    ├── ClientError      one client's turn went wrong
    ├── ExecutorError    the machine that computes: a pool, a cluster, a time limit
    ├── SnapshotError    the state of a run that was kept: damaged, or of something else
    └── RunError         a run directory or its outputs

`args` always equal the signature of ``__init__``, so that every error survives pickling (Ray
pickles what an actor raises, and rebuilds it from ``args``).
"""

from __future__ import annotations

MOST_SHOWN = 120  # characters of what somebody wrote that a message repeats


def excerpt(text: str, most: int = MOST_SHOWN) -> str:
    """A text, cut where a message would drown in it."""
    return text if len(text) <= most else f"{text[:most]} …"


class FedrasError(Exception):
    """The root: the command line turns it into one line on standard error and exit status 2."""


class ConfigError(FedrasError):
    """A value in the experiment is wrong; `key` is its dotted path."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(key, problem)

    def __str__(self) -> str:
        key, problem = self.args
        return f"config key '{excerpt(key)}': {problem}"


class DataError(FedrasError):
    """Interactions that cannot be read or used; `where` is a file, with its line where there is one."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)

    def __str__(self) -> str:
        where, problem = self.args
        return f"{where}: {problem}"


class FleetError(FedrasError):
    """Device profiles that no device can have."""


class CodecError(FedrasError):
    """A blob that is truncated, foreign, corrupt, or an update that cannot be put on the wire."""


class ClientError(FedrasError):
    """A client's turn failed."""

    def __init__(self, client: int, version: int, cause: str) -> None:
        super().__init__(client, version, cause)

    def __str__(self) -> str:
        client, version, cause = self.args
        return f"client {client} on model version {version}: {cause}"


class PolicyError(FedrasError):
    """A policy's decision about one client's turn cannot be carried out."""

    def __init__(self, policy: str, client: int, problem: str) -> None:
        super().__init__(policy, client, problem)

    def __str__(self) -> str:
        policy, client, problem = self.args
        return f"policy '{policy}', asked about client {client}: {problem}"


class ExecutorError(FedrasError):
    """The machines that compute are gone, full or silent."""


class SnapshotError(FedrasError):
    """State that was kept cannot be read, or does not belong to this run."""


class RunError(FedrasError):
    """A run directory that cannot be written, read or compared."""
