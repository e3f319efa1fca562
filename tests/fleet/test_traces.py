"""Trace files: one clear error that names the file, the line and the column."""

from pathlib import Path

import pytest

from fedras_ray.config.network import TraceAvailability, TraceVariation
from fedras_ray.errors import FleetError
from fedras_ray.fleet.traces import read_factors, read_presence

S = 10**9


def factors(folder, text, **options):
    path = Path(folder / "link.csv")
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_factors(TraceVariation(kind="trace", file=str(path), **options))


def presence(folder, text, period_s=100.0):
    path = Path(folder / "on.csv")
    path.write_text(text)
    return read_presence(TraceAvailability(kind="trace", file=str(path), period_s=period_s))


def test_factors_are_divided_by_their_mean_over_time(tmp_path):
    trace = factors(tmp_path, "\ufefft_s,factor\r\n0,1\r\n3,5\r\n", period_s=4)
    assert trace.starts_ns == (0, 3 * S)
    assert trace.factors == (0.5, 2.5)
    assert trace.period_ns == 4 * S


def test_a_trace_of_one_line_is_a_constant(tmp_path):
    assert factors(tmp_path, "factor,t_s\n7,0\n").factors == (1.0,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("t_s,rate\n0,1\n", r"link\.csv:1: has no column 'factor'; needed: t_s, factor"),
        ("", r"link\.csv:1: has no column 't_s'"),
        ("t_s,factor\n", r"link\.csv: has no line below its header"),
        ("t_s,factor\n0,1\n\n1,fast\n", r"link\.csv:4, column 'factor': 'fast' is not a number"),
        ("t_s,factor\n0,1\n1\n", r"link\.csv:3, column 'factor': is missing: the line has 1 fields"),
        ("t_s,factor\n0,-1\n", r"link\.csv:2, column 'factor': -1 is not between 0 and"),
        ("t_s,factor\n0,nan\n", r"link\.csv:2, column 'factor': nan is not between 0 and"),
        ("t_s,factor\n0,inf\n", r"link\.csv:2, column 'factor': inf is not between 0 and"),
        ("t_s,factor\n1,1\n", r"link\.csv:2, column 't_s': a cycle begins at 0, not at 1"),
        ("t_s,factor\n0,1\n2,1\n2,3\n", r"link\.csv:4, column 't_s': 2 is not after the line before"),
        ("t_s,factor\n0,0\n2,0\n", r"link\.csv:2, column 'factor': is 0 in all lines"),
        (b"t_s,factor\n0,\xff\n", r"link\.csv:2: byte 0xff is not UTF-8"),
    ],
)
def test_a_wrong_trace_of_a_link_is_named(tmp_path, text, problem):
    with pytest.raises(FleetError, match=problem):
        factors(tmp_path, text)


def test_a_line_beyond_the_period_is_named(tmp_path):
    with pytest.raises(FleetError, match=r"link\.csv:3, column 't_s': 5 is not within the period of 5 s"):
        factors(tmp_path, "t_s,factor\n0,1\n5,2\n", period_s=5)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FleetError, match=r"nowhere\.csv: cannot be read"):
        read_factors(TraceVariation(kind="trace", file=str(tmp_path / "nowhere.csv")))


def test_intervals_are_put_in_order_and_joined(tmp_path):
    trace = presence(tmp_path, "off_s,client,on_s\n20,7,10\n60,2,50\n30,7,20\n100,7,90\n")
    assert trace.devices.tolist() == [2, 7]
    assert trace.starts.tolist() == [0, 1, 3]
    assert trace.on_ns.tolist() == [50 * S, 10 * S, 90 * S]
    assert trace.off_ns.tolist() == [60 * S, 30 * S, 100 * S]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("client,on_s\n0,1\n", r"on\.csv:1: has no column 'off_s'"),
        ("client,on_s,off_s\n0.5,1,2\n", r"on\.csv:2, column 'client': 0\.5 is not a whole number"),
        ("client,on_s,off_s\n0,1,1\n", r"on\.csv:2, column 'off_s': 1 is not after on_s, 1"),
        ("client,on_s,off_s\n0,90,110\n", r"on\.csv:2, column 'off_s': 110 is beyond the period of 100 s"),
        (
            "client,on_s,off_s\n0,9,12\n1,3,4\n0,2,10\n",
            r"on\.csv:2, column 'on_s': client 0 is on already, until 10 s",
        ),
    ],
)
def test_a_wrong_trace_of_clients_is_named(tmp_path, text, problem):
    with pytest.raises(FleetError, match=problem):
        presence(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("t_s,factor\n0,1_0\n", r"link\.csv:2, column 'factor': '1_0' is not a number"),
        (f"t_s,factor\n0,{'1' * 140_000}\n", r"link\.csv:2: cannot be read: field larger"),
        (f"t_s,factor\n0,{'x' * 9_000}\n", r"link\.csv:2, column 'factor': 'x{120} …' is not a number"),
        ("t_s,factor\n0,é\n", r"link\.csv:2: byte 0xe9 is not UTF-8"),
    ],
)
def test_what_only_a_program_would_write_is_named(tmp_path, text, problem):
    path = tmp_path / "link.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(FleetError, match=problem) as caught:
        read_factors(TraceVariation(kind="trace", file=str(path)))
    assert len(str(caught.value)) < 300 + len(str(path))
