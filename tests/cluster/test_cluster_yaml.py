"""``cluster.yaml`` against Ray's own schema, and against what this project promises of it."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[2]
FILE = ROOT / "cluster.yaml"
STARTS = ("head_start_ray_commands", "worker_start_ray_commands")


@pytest.fixture
def cluster() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


def starts(cluster: dict[str, Any], key: str) -> str:
    return "\n".join(cluster[key])


def test_ray_accepts_it(cluster):
    prepared = prepare_config(copy.deepcopy(cluster))
    validate_config(prepared)
    assert prepared["provider"]["type"] == "local"
    assert prepared["max_workers"] == len(cluster["provider"]["worker_ips"])


@pytest.mark.parametrize("key", ["unheard_of", "head_start_ray_command", "rsync_excludes"])
def test_ray_refuses_an_unknown_key(cluster, key):
    with pytest.raises(Exception, match=key):
        validate_config(prepare_config({**cluster, key: []}))


def test_what_must_be_edited_cannot_be_overlooked(cluster):
    provider = cluster["provider"]
    for place in (provider["head_ip"], *provider["worker_ips"]):
        assert place.endswith(".EXAMPLE")
    assert cluster["auth"]["ssh_user"] == "USER"
    assert len(re.findall(r"# EDIT: ", FILE.read_text(encoding="utf-8"))) == 4


def test_sources_of_file_mounts_are_in_the_checkout_or_explained(cluster):
    text = FILE.read_text(encoding="utf-8")
    for source in cluster["file_mounts"].values():
        if source.startswith("~"):
            assert re.search(rf"#.*makes {re.escape(source)}", text), f"{source}: say how it is made"
        else:
            assert not Path(source).is_absolute()
            assert (ROOT / source).exists()


def test_what_setup_reads_is_copied(cluster):
    """Setup installs from the mounted checkout, so nothing that it needs may be excluded."""
    assert cluster["file_mounts"]["~/fedras/src"] == "."
    installs = [line for line in cluster["setup_commands"] if "pip install" in line]
    assert len(installs) == 1
    assert "cd ~/fedras/src" in installs[0]
    assert "-c constraints.txt" in installs[0]
    needed = {
        "setup.cfg",
        "pyproject.toml",
        "constraints.txt",
        "fedras_ray",
        "actors",
        "workloads",
        "dashboards",
    }
    assert not needed & set(cluster["rsync_exclude"])


@pytest.mark.parametrize("grown", [".venv", "runs", "mlruns", "data/cache", ".git"])
def test_what_a_checkout_grows_stays_at_home(cluster, grown):
    assert grown in cluster["rsync_exclude"]


def test_dashboards_listen_on_loopback(cluster):
    assert "--dashboard-host=127.0.0.1" in starts(cluster, "head_start_ray_commands")
    hosts = re.findall(r"--dashboard-host[= ](\S+)", FILE.read_text(encoding="utf-8"))
    assert set(hosts) == {"127.0.0.1"}


@pytest.mark.parametrize("key", STARTS)
def test_every_start_stops_what_ran_before(cluster, key):
    assert cluster[key][0] == "ray stop"
    assert "ray start" in cluster[key][-1]


def test_every_shell_finds_ray_and_asks_for_a_token(cluster):
    """`ray down` runs a bare ``ray stop`` on the head: not found, it would leave the cluster running."""
    (written,) = [line for line in cluster["setup_commands"] if "> ~/fedras/environment" in line]
    for variable in ("PATH=~/fedras/.venv/bin:", "RAY_AUTH_MODE=token", "RAY_USAGE_STATS_ENABLED=0"):
        assert variable in written
    assert any(">> ~/.bashrc" in line and "grep -q" in line for line in cluster["setup_commands"])


def test_the_first_autoscaler_is_chosen(cluster):
    """Version 2 never starts a worker with provider local (Ray 2.50 to 2.60)."""
    head = starts(cluster, "head_start_ray_commands")
    assert "RAY_enable_autoscaler_v2=0" in head
    assert "--autoscaling-config=~/ray_bootstrap_config.yaml" in head


def test_no_machine_path_is_left_in_it():
    assert not re.search(r"(?<![\w~.])/(root|home|tmp|work)\b", FILE.read_text(encoding="utf-8"))
