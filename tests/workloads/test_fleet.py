"""`fedras fleet`, as a user starts it."""

import pytest

from tests.workloads.command import fedras


def test_a_kind_is_shown_as_a_table_a_page_and_json(tmp_path):
    said = fedras("fleet", "harsh-mobile", "--clients", "200", "--out", "page.html", "--json", cwd=tmp_path)
    assert said.status == 0, said.err
    assert said.out.count("\n") == 1
    assert said.summary["clients"] == 200
    assert said.summary["classes"]["crawling"]["clients"] == 10
    assert said.summary["all"]["uplink_mbit_per_s"]["p50"] > 0.14
    assert all(word in said.err for word in ("harsh-mobile", "crawling (10)", "Mbit/s", "95 %", "page.html"))
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_without_json_the_table_is_the_output(tmp_path):
    said = fedras("fleet", "homogeneous", "--clients", "3", cwd=tmp_path)
    assert (said.status, said.err) == (0, "")
    assert "all (3)" in said.out
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_has_as_many_devices_as_its_data_has_users(tmp_path):
    named = fedras("fleet", "ml-100k-fedras", "--json", "--seed", "3", cwd=tmp_path).summary
    assert (named["clients"], named["seed"], named["fleet"]["kind"]) == (943, 3, "fedscale")
    (tmp_path / "own.toml").write_text('[data]\nkind = "synthetic"\nusers = 40\n[fleet]\nkind = "cellular"\n')
    own = fedras("fleet", "own.toml", "--set", "fleet.generation=5g", "--json", cwd=tmp_path).summary
    assert (own["clients"], own["fleet"]["generation"]) == (40, "5g")


def test_a_file_of_devices_is_shown_with_its_classes(tmp_path):
    head = "slowness,uplink_bytes_per_s,downlink_bytes_per_s,device_class\n"
    (tmp_path / "phones.csv").write_text(f"{head}1,125000,250000,new\n4,12500,25000,old\n")
    said = fedras("fleet", "file", "--set", "fleet.path=phones.csv", "--clients", "2", "--json", cwd=tmp_path)
    assert said.summary["classes"]["old"]["uplink_mbit_per_s"]["p50"] == 0.1


MISTAKES = {
    "a kind": (["harsh-mobil"], ["did you mean 'harsh-mobile'"]),
    "an experiment": (["ml-100k-fedra"], ["did you mean 'ml-100k-fedras'"]),
    "a missing file": (["none.toml"], ["none.toml"]),
    "a key": (["fedscale", "--set", "fleet.uplink_shar=2"], ["did you mean 'uplink_share'"]),
    "a value": (["fedscale", "--set", "fleet.speed_link_correlation=2"], ["speed_link_correlation", "2"]),
    "a generation": (["cellular", "--set", "fleet.generation=6g"], ["fleet.generation", "6g"]),
    "no path": (["file"], ["fleet.path"]),
    "no devices": (["file", "--set", "fleet.path=none.csv"], ["none.csv"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(tmp_path, mistake):
    arguments, words = MISTAKES[mistake]
    said = fedras("fleet", *arguments, cwd=tmp_path)
    assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith("error ")
    assert all(word in said.err for word in words), said.err
