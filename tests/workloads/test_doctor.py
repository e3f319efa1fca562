"""What the doctor makes of machines; that it looks, and that it looks at every node."""

import json

import pytest

from actors.examination import PACKAGES, Examined, condition
from tests.workloads.command import fedras
from workloads.doctoring.findings import of_cluster, of_machine

WELL = condition("here")._replace(
    python="3.11.7",
    packages=dict.fromkeys(PACKAGES, "1.0"),
    memory_free_bytes=2**33,
    disk_free_bytes=2**36,
)


def ill(findings):
    return [finding for finding in findings if not finding.well]


def seen(ahead_s=0.0, known_to_s=0.01, **changes):
    return Examined(WELL._replace(address="10.0.0.2", **changes), ahead_s, known_to_s)


def test_a_sound_machine_is_well():
    assert not ill(of_machine(WELL))
    assert not ill(of_cluster([seen(), seen()], WELL))


@pytest.mark.parametrize(
    ("changes", "said", "remedy"),
    [
        ({"python": "3.10.9"}, "Python 3.10.9", "install Python 3.11"),
        ({"packages": dict.fromkeys(PACKAGES, "1.0") | {"torch": None}}, "lacks torch", "pip install"),
        ({"memory_free_bytes": 2**30}, "1.0 GiB of memory", "2.0 GiB is the least"),
        ({"disk_free_bytes": 2**30}, "1.0 GiB of disk", "5.0 GiB is the least"),
    ],
)
def test_what_a_machine_lacks_is_said_with_the_way_out(changes, said, remedy):
    (finding,) = ill(of_machine(WELL._replace(**changes)))
    assert said in finding.what
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (seen(python="3.12.1"), "Python is 3.11.7 on here; 3.12.1 on 10.0.0.2"),
        (seen(packages=WELL.packages | {"ray": "2.1"}), "ray is 1.0 on here; 2.1 on 10.0.0.2"),
        (seen(packages=WELL.packages | {"fedras-ray": None}), "fedras-ray is 1.0 on here; none on 10.0.0.2"),
        (seen(ahead_s=-7.5), "10.0.0.2: its clock is -7.50 s from ours"),
    ],
)
def test_a_node_that_differs_is_named(node, said):
    (finding,) = ill(of_cluster([node], WELL))
    assert said in finding.what
    assert finding.remedy


def test_a_slow_answer_is_no_wrong_clock():
    assert not ill(of_cluster([seen(ahead_s=3.0, known_to_s=2.5)], WELL))


def test_a_machine_is_looked_at(tmp_path):
    said = fedras("doctor", "--no-mlflow", "--json", cwd=tmp_path)
    found = json.loads(said.out.splitlines()[-1])
    assert said.status == (0 if all(one["well"] for one in found) else 2)
    assert any("of memory free" in one["what"] for one in found)
    assert any(f"{tmp_path} can be written" in one["what"] for one in found)
    assert list(tmp_path.iterdir()) == []


def test_a_store_and_a_cluster_that_do_not_answer_are_named(tmp_path):
    said = fedras(
        "doctor", "--address", "127.0.0.1:9", cwd=tmp_path, MLFLOW_TRACKING_URI="http://u:pw@127.0.0.1:9"
    )
    assert said.status == 2
    assert "http://u:***@127.0.0.1:9" in said.err
    assert "no Ray cluster at 127.0.0.1:9" in said.err
    assert "ray up" in said.err


@pytest.mark.ray
def test_every_node_of_a_cluster_is_looked_at(tmp_path):
    said = fedras("doctor", "--no-mlflow", "--address", "local", "--json", cwd=tmp_path)
    found = json.loads(said.out.splitlines()[-1])
    clocks = [one for one in found if "its clock is" in one["what"]]
    assert len(clocks) == 1
    assert clocks[0]["well"]
    assert any(one["what"].startswith("Python 3") and one["what"].endswith("everywhere") for one in found)
