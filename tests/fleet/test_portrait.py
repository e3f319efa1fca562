"""What a fleet looks like: numbers by hand, and quantiles that are those of the devices."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.config.fleet import HarshMobileFleet, HomogeneousFleet
from fedras_ray.errors import FleetError
from fedras_ray.fleet import energy
from fedras_ray.fleet.build import build_fleet
from fedras_ray.fleet.portrait import QUANTITIES, measures, portrait
from fedras_ray.fleet.profiles import Fleet


def two_devices(**changed):
    values = {
        "train_s_per_sample": np.array([1e-3, 3e-3]),
        "uplink_bytes_per_s": np.array([200_000.0, 50_000.0]),
        "downlink_bytes_per_s": np.array([400_000.0, 100_000.0]),
        "latency_s": np.array([0.0, 0.5]),
        "device_class": np.array([0, 1], dtype=np.int8),
        "class_names": ("new", "old"),
    }
    return Fleet(**(values | changed))


def test_by_hand():
    found = measures(two_devices())
    assert found["slowness"].tolist() == [0.5, 1.5]
    assert found["uplink_mbit_per_s"].tolist() == [1.6, 0.4]
    assert found["downlink_mbit_per_s"].tolist() == [3.2, 0.8]
    assert found["rtt_ms"].tolist() == [0, 500]
    assert found["down_s"].tolist() == [0.5, 2.5]
    assert found["train_s"].tolist() == [1, 3]
    assert found["up_s"].tolist() == [1, 4.5]
    assert found["turn_s"].tolist() == [2.5, 10]
    assert found["joules"] == pytest.approx([0.8 * 0.5 + 2.5 * 1 + 1.0 * 1, 0.8 * 2.5 + 2.5 * 3 + 1.0 * 4.5])


def test_the_radio_of_a_device_decides_its_joules():
    radios = two_devices(energy_class=np.array([0, 1], dtype=np.int8))
    joules = measures(radios)["joules"]
    assert joules == pytest.approx([3.9, 1.8 * 2.5 + 2.5 * 3 + 2.5 * 4.5])
    assert energy.index("phone-4g") == 1
    with pytest.raises(FleetError, match=r"no energy class 'phone' .*phone-wifi"):
        energy.index("phone")


@given(st.integers(1, 300), st.integers(0, 99))
def test_the_quantiles_of_classes_are_those_of_their_devices(count, seed):
    fleet = build_fleet(HarshMobileFleet(kind="harsh-mobile"), count, seed)
    drawn, values = portrait(fleet), measures(fleet)
    assert drawn.groups[0].clients == count == sum(group.clients for group in drawn.groups[1:])
    for group in drawn.groups:
        place = [] if group.name == "all" else [fleet.class_names.index(group.name)]
        mask = np.isin(fleet.device_class, place) if place else np.ones(count, dtype=bool)
        for one in QUANTITIES:
            curve = group.quantiles[one.key]
            assert (np.diff(curve) >= 0).all()
            assert [curve[0], curve[100]] == [values[one.key][mask].min(), values[one.key][mask].max()]


def test_a_fleet_of_one_class_is_all_there_is():
    drawn = portrait(build_fleet(HomogeneousFleet(kind="homogeneous"), 4, 1))
    assert [group.name for group in drawn.groups] == ["all"]
    assert drawn.as_tree()["classes"] == {}


def test_a_portrait_can_be_written_as_json():
    tree = json.loads(json.dumps(portrait(two_devices(class_names=("all", "old"))).as_tree()))
    assert tree["all"]["clients"] == 2
    assert {name: group["clients"] for name, group in tree["classes"].items()} == {"all": 1, "old": 1}
    assert tree["all"]["turn_s"] == pytest.approx(
        {"p5": 2.875, "p25": 4.375, "p50": 6.25, "p75": 8.125, "p95": 9.625}
    )
