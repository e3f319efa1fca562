"""The page of a fleet: its numbers, its curves, and classes of any name and number."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from dashboards.fleet import render, write
from fedras_ray.config.fleet import (
    KINDS,
    FedScaleFleet,
    GaussianClassesFleet,
    HarshMobileFleet,
    HomogeneousFleet,
)
from fedras_ray.errors import RunError
from fedras_ray.fleet.build import build_fleet
from fedras_ray.fleet.portrait import portrait
from fedras_ray.fleet.profiles import Fleet


def page_of(config, count=500):
    page = render(config.kind, portrait(build_fleet(config, count, 1)))
    ET.fromstring(page.split("\n", 1)[1])
    return page


def test_it_has_a_panel_for_each_quantity_and_a_curve_for_each_class():
    page = page_of(HarshMobileFleet(kind="harsh-mobile"))
    assert page.count('<svg class="panel"') == 9
    assert page.count('class="line"') == 9 * 5 + 2 * 5  # and the legends
    for word in ("crawling", "10<", "200 kB up", "assumptions"):
        assert word in page


def test_the_same_fleet_gives_the_same_page():
    assert page_of(FedScaleFleet()) == page_of(FedScaleFleet())


def test_what_is_the_same_for_all_is_said_and_not_drawn():
    page = page_of(HomogeneousFleet(kind="homogeneous"))
    assert "<svg" not in page
    assert "Every device has the same uplink: 6.08 Mbit/s." in page
    assert "Every device has the same RTT: 56 ms." in page_of(FedScaleFleet())


def test_of_many_classes_some_are_drawn_and_all_are_in_the_tables():
    page = page_of(GaussianClassesFleet(kind="gaussian-classes"), 5_000)
    assert "18 classes between those drawn" in page
    assert page.count("<table") == 26
    assert page.count('class="line"') == (3 + 5 + 2) * 8


def test_a_time_of_nothing_and_a_strange_name_can_be_drawn():
    fleet = Fleet(
        np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([0.0, 0.5]),
        np.array([0, 1], dtype=np.int8), ("<b>", "old & slow"),
    )  # fmt: skip
    page = render("mine", portrait(fleet))
    ET.fromstring(page.split("\n", 1)[1])
    assert "&lt;b&gt;" in page


def test_a_page_that_cannot_be_written_is_said(tmp_path):
    drawn = portrait(build_fleet(FedScaleFleet(), 10, 1))
    with pytest.raises(RunError, match="cannot be written"):
        write("x", drawn, tmp_path)
    assert write("x", drawn, tmp_path / "a" / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_every_kind_is_known_by_name():
    assert KINDS == (
        "homogeneous",
        "log-normal",
        "fedscale",
        "mobiperf",
        "cellular",
        "gaussian-classes",
        "harsh-mobile",
        "file",
    )
