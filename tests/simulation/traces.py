"""Traces to look at: a fleet whose every time is a whole number, and tables of events to compare with."""

from decimal import Decimal
from itertools import groupby

from fedras_ray.clock import NANOS_PER_SECOND
from fedras_ray.config import build
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.records import TurnRecord
from fedras_ray.simulation import Simulation
from fedras_ray.trace import Happened, KeptTrace, Kind

# A dense table of 4 items at width 2 in f32: a header of 18 bytes and 4 · 2 · 4 = 32 of body, both ways.
BLOB = 50

# Client c has c + 2 items, the last of which is its test; each of the others comes with one negative.
#
#   client   download       training                upload         turn
#        0   50 / 25 =  2   2 samples · 1   = 2     50 / 25 =  2    6 s
#        1   50 / 10 =  5   4 samples · 1   = 4     50 / 10 =  5   14 s
#        2   50 /  5 = 10   6 samples · 1.5 = 9     50 /  5 = 10   29 s
DEVICES = """\
device_class,train_s_per_sample,downlink_bytes_per_s,uplink_bytes_per_s,latency_s
quick,1,25,25,0
middle,1,10,10,0
slow,1.5,5,5,0
"""
RATINGS = """\
user_id,item_id
0,a
0,b
1,a
1,b
1,c
2,a
2,b
2,c
2,d
"""
PLAIN = [
    "data.kind=file",
    "model.width=2",
    "training.epochs=1",
    "training.negatives=1",
    "codec.kind=dense",
    "fleet.kind=file",
    "evaluation.every=1000",
    "evaluation.sampled_negatives=0",
    "execution.shards=2",
]


def plain_world(folder, *settings, devices=DEVICES, ratings=RATINGS):
    """The fleet above, from files in `folder`."""
    (folder / "devices.csv").write_text(devices)
    (folder / "ratings.csv").write_text(ratings)
    paths = [f"data.path={folder / 'ratings.csv'}", f"fleet.path={folder / 'devices.csv'}"]
    experiment = build({}, [*PLAIN, *paths, *settings])
    return experiment, load(experiment.data, experiment.seed)


def happens(experiment, dataset):
    """The events of a run, and its turns."""
    trace = KeptTrace()
    simulation = Simulation(experiment, population_of(dataset), SerialExecutor(experiment, dataset), trace)
    records = list(simulation.run())
    assert records[-1].trace_digest == trace.digest()
    assert trace.events == len(trace.kept)
    return trace.kept, [record for record in records if isinstance(record, TurnRecord)]


def in_order(events):
    """With clients that are asked at once by their numbers: their order is drawn, and nothing hangs on it."""
    ordered = []
    for (_, kind), group in groupby(events, key=lambda event: (event.at_ns, event.kind)):
        some = list(group)
        ordered += sorted(some) if kind is Kind.DISPATCHED else some
    return ordered


def later(events, delay_s, versions):
    """The same events, so many seconds and versions later."""
    return [
        event._replace(at_ns=event.at_ns + delay_s * NANOS_PER_SECOND, version=event.version + versions)
        for event in events
    ]


def fates(turns):
    """What became of each turn, in the order of their ends: client, version, fate and staleness."""
    return [(turn.client, turn.version, turn.fate.name.lower(), turn.staleness) for turn in turns]


def table(text):
    """Events from lines of second, event, client (–: the server), version and bytes; # begins a comment."""
    lines = [line.partition("#")[0].split() for line in text.strip().splitlines()]
    return [
        Happened(
            int(Decimal(at_s) * NANOS_PER_SECOND),
            Kind[event.upper()],
            -1 if client == "–" else int(client),
            int(version),
            int(byte_count),
        )
        for at_s, event, client, version, byte_count in filter(None, lines)
    ]
