"""Three clients without rounds, on a shared link, and leaving: event by event, as worked out on paper.

See `test_rounds_by_hand` for how to read the tables, and `traces.DEVICES` for the times of a turn.
"""

from tests.simulation.traces import BLOB, fates, happens, in_order, later, plain_world, table


def test_a_buffer_of_two_makes_a_version_of_every_second_arrival(tmp_path):
    settings = ["schedule.kind=buffered", "schedule.concurrency=3", "schedule.buffer=2"]
    events, turns = happens(*plain_world(tmp_path, *settings, "schedule.versions=4"))
    expected = """
        0  dispatched  0  0  50
        0  dispatched  1  0  50
        0  dispatched  2  0  50
        4  trained     0  0  50
        6  arrived     0  0  50   # one of two
        6  dispatched  0  0  50   # again, with the same version
        9  trained     1  0  50
       10  trained     0  0  50   # 6 + 4
       12  arrived     0  0  50   # 6 + 6: the second
       12  version     –  1   0
       12  dispatched  0  1  50
       14  arrived     1  0  50   # one of two
       14  dispatched  1  1  50
       16  trained     0  1  50   # 12 + 4
       18  arrived     0  1  50   # 12 + 6: the second
       18  version     –  2   0
       18  dispatched  0  2  50
       19  trained     2  0  50
       22  trained     0  2  50   # 18 + 4
       23  trained     1  1  50   # 14 + 9
       24  arrived     0  2  50   # 18 + 6: one of two
       24  dispatched  0  2  50
       28  arrived     1  1  50   # 14 + 14: the second
       28  version     –  3   0
       28  dispatched  1  3  50
       28  trained     0  2  50   # 24 + 4: foreseen at 24 s, so after the arrival that was foreseen at 23 s
       29  arrived     2  0  50   # one of two
       29  dispatched  2  3  50
       30  arrived     0  2  50   # 24 + 6: the second
       30  version     –  4   0   # the last: nobody is asked any more
       37  trained     1  3  50   # 28 + 9
       42  arrived     1  3  50   # 28 + 14
       48  trained     2  3  50   # 29 + 19
       58  arrived     2  3  50   # 29 + 29
    """
    assert in_order(events) == table(expected)
    assert fates(turns) == [
        (0, 0, "used", 0),
        (0, 0, "used", 0),
        (1, 0, "used", 1),
        (0, 1, "used", 0),
        (0, 2, "used", 0),
        (1, 1, "used", 1),
        (2, 0, "used", 3),
        (0, 2, "used", 1),
        (1, 3, "wasted", 1),
        (2, 3, "wasted", 1),
    ]


ASYNC = """
    0  dispatched  0  0  50
    0  dispatched  1  0  50
    0  dispatched  2  0  50
    4  trained     0  0  50
    6  arrived     0  0  50
    6  version     –  1   0
    6  dispatched  0  1  50
    9  trained     1  0  50
   10  trained     0  1  50   # 6 + 4
   12  arrived     0  1  50   # 6 + 6
   12  version     –  2   0
   12  dispatched  0  2  50
   14  arrived     1  0  50   # two versions old
   14  version     –  3   0
   14  dispatched  1  3  50
   16  trained     0  2  50   # 12 + 4
   18  arrived     0  2  50   # 12 + 6, one version old
   18  version     –  4   0
   18  dispatched  0  4  50
   19  trained     2  0  50
   22  trained     0  4  50   # 18 + 4
   23  trained     1  3  50   # 14 + 9
   24  arrived     0  4  50   # 18 + 6
   24  version     –  5   0
   24  dispatched  0  5  50
   28  arrived     1  3  50   # 14 + 14, two versions old
   28  version     –  6   0   # the last
   28  trained     0  5  50   # 24 + 4: foreseen at 24 s, so after the arrival that was foreseen at 23 s
   29  arrived     2  0  50
   30  arrived     0  5  50   # 24 + 6
"""


def test_every_arrival_makes_a_version(tmp_path):
    settings = ["schedule.kind=async", "schedule.concurrency=3", "schedule.versions=6"]
    events, turns = happens(*plain_world(tmp_path, *settings))
    assert in_order(events) == table(ASYNC)
    assert [turn[2:] for turn in fates(turns)] == [
        ("used", 0),
        ("used", 0),
        ("used", 2),
        ("used", 1),
        ("used", 0),
        ("used", 2),
        ("wasted", 6),
        ("wasted", 1),
    ]


def test_a_limit_of_staleness_uses_no_arrival_beyond_it(tmp_path):
    settings = ["schedule.kind=async", "schedule.concurrency=3", "schedule.versions=3"]
    limit = ["server.staleness_limit.versions=1", "server.staleness_limit.beyond=waste"]
    events, turns = happens(*plain_world(tmp_path, *settings, *limit))
    early = [
        event for event in table(ASYNC) if event.at_ns < 14e9
    ]  # until then nothing is older than the limit
    expected = """
       14  arrived     1  0  50   # two versions old: makes none
       14  dispatched  1  2  50
       16  trained     0  2  50
       18  arrived     0  2  50
       18  version     –  3   0
       19  trained     2  0  50
       23  trained     1  2  50
       28  arrived     1  2  50
       29  arrived     2  0  50
    """
    assert in_order(events) == early + table(expected)
    assert [turn[2:] for turn in fates(turns)] == [
        ("used", 0),
        ("used", 0),
        ("stale", 2),
        ("used", 0),
        ("wasted", 1),
        ("wasted", 3),
    ]


def test_a_shared_link_is_shared_by_all_that_are_on_it(tmp_path):
    settings = ["schedule.versions=2", "schedule.clients_per_version=3"]
    server = ["network.server_uplink_bytes_per_s=25", "network.server_downlink_bytes_per_s=6"]
    events, _ = happens(*plain_world(tmp_path, *settings, *server))
    # Down, 25 B/s for all: 5 for client 2, all that its own link takes, and 10 each for clients 0 and 1.
    #    0–5    clients 0 and 1 get their 50 bytes; client 2 has 25
    #    5–10   client 2 goes on at 5 B/s
    # Training takes 2, 4 and 9 s, so that uploads begin at 5 + 2 = 7, 5 + 4 = 9 and 10 + 9 = 19. Up, 6 B/s:
    #    7–9    client 0 alone at 6: 12 bytes
    #    9–19   clients 0 and 1 at 3: 42 and 30
    #   19–23   all at 2: client 0 has 50; 38 and 8
    #   23–27   clients 1 and 2 at 3: client 1 has 50; 20
    #   27–33   client 2 at 5, what its own link takes: 50
    a_round = """
        0  dispatched  0  0  50
        0  dispatched  1  0  50
        0  dispatched  2  0  50
        7  trained     0  0  50
        9  trained     1  0  50
       19  trained     2  0  50
       23  arrived     0  0  50
       27  arrived     1  0  50
       33  arrived     2  0  50
       33  version     –  1   0
    """
    first = table(a_round)
    assert in_order(events) == first + later(first, 33, 1)


def test_clients_that_go_off_leave_in_each_phase(tmp_path):
    # Client 0 goes off while it downloads (0–2 s), client 1 while it trains (5–9 s), client 2 while it
    # uploads (19–29 s); clients 0 and 1 come back, client 2 not before the next day.
    on = "client,on_s,off_s\n0,0,1\n0,27,86400\n1,0,7\n1,30,86400\n2,0,25\n"
    (tmp_path / "on.csv").write_text(on)
    network = ["network.availability.kind=trace", f"network.availability.file={tmp_path / 'on.csv'}"]
    settings = ["schedule.versions=2", "schedule.clients_per_version=3", *network]
    events, turns = happens(*plain_world(tmp_path, *settings))
    expected = """
        0  dispatched  0  0  50
        0  dispatched  1  0  50
        0  dispatched  2  0  50
        1  left        0  0   0   # 1 s · 25 B/s of the download are through
        7  left        1  0   0   # 2 s of its training are done, for nothing
       19  trained     2  0  50
       25  left        2  0  30   # 6 s · 5 B/s of the upload are through; nobody is on until 27 s
       27  dispatched  0  0  50   # the round begins anew, with whoever is on
       31  trained     0  0  50   # 27 + 4
       33  arrived     0  0  50   # 27 + 6
       33  version     –  1   0
       33  dispatched  0  1  50
       33  dispatched  1  1  50
       37  trained     0  1  50   # 33 + 4
       39  arrived     0  1  50   # 33 + 6
       42  trained     1  1  50   # 33 + 9
       47  arrived     1  1  50   # 33 + 14
       47  version     –  2   0
    """
    assert in_order(events) == table(expected)
    left = [(turn.client, turn.down_bytes, turn.up_bytes, turn.samples) for turn in turns[:3]]
    assert left == [(0, 25, 0, 0), (1, BLOB, 0, 0), (2, BLOB, 30, 6)]
    assert [turn[2] for turn in fates(turns)] == ["dropped"] * 3 + ["used"] * 3
