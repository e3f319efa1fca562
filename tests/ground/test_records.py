"""One flat schema for everything a run says, and a digest that any change disturbs."""

from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fedras_ray import records
from fedras_ray.records import (
    EndRecord,
    EvaluationRecord,
    Fate,
    TurnRecord,
    UserQualityRecord,
    VersionRecord,
    as_row,
    error_name,
)
from fedras_ray.trace import Trace


def filled(kind, **known):
    """A record whose fields all differ."""
    values = {
        field.name: f"text {place}" if field.type == "str" else place
        for place, field in enumerate(fields(kind), start=100)
    }
    return kind(**(values | known))


RECORDS = {
    "turn": filled(TurnRecord, fate=Fate.WASTED),
    "version": filled(VersionRecord),
    "evaluation": filled(
        EvaluationRecord,
        quality=(("ndcg@10", 0.25), ("recall@10", 0.5)),
        errors=(("ndcg@10", 0.01), ("recall@10", 0.02)),
    ),
    "end": filled(EndRecord),
}


def test_every_kind_of_record_is_named_and_tried_here():
    assert {records.KINDS[type(record)]: record for record in RECORDS.values()} == RECORDS
    assert set(records.KINDS.values()) == set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_a_row_has_the_kind_and_every_field_under_its_name(name):
    record = RECORDS[name]
    row = as_row(record)
    assert row.pop("kind") == name
    plain = {field.name: getattr(record, field.name) for field in fields(record)}
    plain |= dict(plain.pop("quality", ()))
    plain |= {error_name(metric): error for metric, error in plain.pop("errors", ())}
    if name == "turn":
        plain["fate"] = "wasted"
    assert row == plain


@pytest.mark.parametrize("name", RECORDS)
def test_a_row_is_flat(name):
    assert {type(value) for value in as_row(RECORDS[name]).values()} <= {int, float, str}


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_frozen(name):
    with pytest.raises(FrozenInstanceError):
        setattr(RECORDS[name], fields(RECORDS[name])[0].name, 3)


def test_rows_keep_the_order_of_the_records():
    assert [row["kind"] for row in records.rows(RECORDS.values())] == list(RECORDS)
    used = replace(RECORDS["turn"], fate=Fate.USED)
    assert [row["fate"] for row in records.rows([used, RECORDS["turn"]])] == ["used", "wasted"]


def each(version=3, users=(1, 2), metric="ndcg@10", values=(0.5, 0.25)):
    quality = ((metric, np.array(values, dtype=np.float32)),)
    return UserQualityRecord(version, np.array(users, dtype=np.int32), quality)


def test_the_quality_of_users_is_equal_where_all_of_it_is():
    assert each() == each()
    for other in (each(version=4), each(users=(1, 3)), each(metric="ndcg@20"), each(values=(0.5, 0.5)), 3):
        assert each() != other
    assert UserQualityRecord(3, each().users, ()) != each()


EVENT = st.tuples(
    st.integers(0, 2**62),
    st.integers(0, 9),
    st.integers(-1, 2**40),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
)


def digest(events):
    trace = Trace()
    for event in events:
        trace.add(*event)
    assert trace.events == len(events)
    return trace.digest()


@given(st.lists(EVENT, max_size=6))
def test_the_same_events_give_the_same_digest_and_asking_does_not_change_it(events):
    trace = Trace()
    for event in events:
        trace.add(*event)
        trace.digest()
    assert trace.digest() == digest(events)


@given(st.lists(EVENT, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_digest_depends_on_the_order_of_events(events, random):
    shuffled = random.sample(events, len(events))
    assume(shuffled != events)
    assert digest(shuffled) != digest(events)


@given(st.lists(EVENT, min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 4))
def test_the_digest_depends_on_every_field_of_every_event(events, which, field):
    which %= len(events)
    changed = list(events[which])
    changed[field] += 1
    assert digest([*events[:which], tuple(changed), *events[which + 1 :]]) != digest(events)


@given(st.lists(EVENT, max_size=4), EVENT)
def test_one_event_more_is_another_digest(events, last):
    assert digest([*events, last]) != digest(events)
