"""The platforms of the table: how each is set up and run."""

from __future__ import annotations

from dataclasses import dataclass, field

OWN = ""  # as an environment: the one that this runs in


@dataclass(frozen=True, slots=True)
class Platform:
    """One row."""

    key: str
    title: str
    requirements: str  # the file of `requirements/`, or `OWN`
    command: tuple[str, ...]  # after the interpreter; {cache} and {rounds} are filled in
    packages: tuple[str, ...] = ("torch", "numpy")  # whose versions are told
    rounds: int = 8
    environment: dict[str, str] = field(default_factory=dict)


def ours(pools: int, title: str) -> Platform:
    """Ours makes so many rounds that there is something to measure."""
    command = ("-m", "benchmarks.peers.ours", "{cache}", "--pools", str(pools), "--rounds", "{rounds}")
    return Platform(f"ours-{pools}", title, OWN, command, ("torch", "numpy", "numba", "ray"), 60)


PLATFORMS = (
    Platform("bare", "bare torch loop, one process", "bare", ("run_bare.py",)),
    Platform(
        "pfl",
        "pfl, two workers",
        "pfl",
        ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "run_pfl.py"),
        packages=("torch", "numpy", "pfl"),
    ),
    Platform(
        "flower",
        "Flower on Ray, two actors",
        "flower",
        ("run_flower.py",),
        packages=("torch", "numpy", "flwr", "ray"),
        rounds=4,  # 36 ms an update
    ),
    Platform(
        "ray",
        "Ray pool by push, two actors",
        "ray",
        ("run_ray_pool.py",),
        packages=("torch", "numpy", "ray"),
        environment={"MODE": "push"},
    ),
    ours(0, "ours, one process"),
    ours(1, "ours, Ray, one pool"),
    ours(2, "ours, Ray, two pools"),
)
KEYS = tuple(one.key for one in PLATFORMS)
