"""Checkpoints on disk: whole or refused, the newest whole one is taken, only for its own experiment."""

import errno
import hashlib
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import fs

from fedras_ray.checkpoints import take
from fedras_ray.config import build
from fedras_ray.errors import ExecutorError, RunError, SnapshotError
from fedras_ray.snapshots import container
from fedras_ray.snapshots.container import Contents, packed, unpacked
from tests.checkpoints.stopped import begun, told
from tests.simulation.worlds import SCHEDULES, world
from workloads.checkpoints import files
from workloads.checkpoints.files import about, checkpoints, newest
from workloads.checkpoints.keeper import CheckpointKeeper, InStore, clear
from workloads.checkpoints.store import SPARE, LocalStore, RemoteStore, open_store
from workloads.course import Course
from workloads.running import SerialSession
from workloads.stopping import Stopped, Wish

EVERY = ["checkpoint.every_versions=1"]


@pytest.fixture(params=["folder", "pyarrow"])
def store(request, tmp_path):
    if request.param == "folder":
        return LocalStore(tmp_path / "kept")
    return RemoteStore(fs.LocalFileSystem(), str(tmp_path / "kept"))


@pytest.fixture
def run():
    return world(*SCHEDULES["buffered"], *EVERY)


class Cut(SerialSession):
    """A session whose machines are lost after so many pieces of what it tells."""

    left = 0

    def stretches(self):
        for said in super().stretches():
            if Cut.left == 0:
                Cut.left = -1
                raise ExecutorError("the coordinator died")
            Cut.left -= 1
            yield said


def course(run, folder, store, wish=None):
    folder.mkdir(exist_ok=True)
    return Course(*run, folder, store, [], wish or Wish())


def complete(run, folder, store, restarts=0, kind=SerialSession):
    its = course(run, folder, store)
    last, end = its.run(lambda *on: kind(*run, *on), None, restarts)
    return last, end, (folder / "records.parquet").read_bytes()


def test_a_store_has_what_was_written_and_nothing_half_written(store, tmp_path):
    assert store.names() == []
    store.write("b", [b"12", memoryview(b"34")])
    store.write("a", [b"x"])
    store.write("a", [b"y"])

    def broken():
        yield b"half"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        store.write("c", broken())
    assert store.names() == ["a", "b"]
    assert (store.read("a"), store.read("b")) == (b"y", b"1234")
    store.remove("a")
    store.remove("a")
    assert store.names() == ["b"]
    store.write("d", [b"longer"])
    store.remove("d")
    store.write("e", [b"less"])  # over what was removed
    store.remove("b")
    assert (store.names(), store.read("e")) == (["e"], b"less")
    store.close()
    assert not (tmp_path / "kept" / SPARE).exists()


def test_of_a_run_that_is_over_nothing_is_left(store, tmp_path):
    for name in ("version-1.checkpoint", "version-2.checkpoint", "records-1.part"):
        store.write(name, [b"12"])
    clear(store)
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_url_names_a_place_and_nonsense_is_refused(tmp_path):
    store = open_store(tmp_path, (tmp_path / "there").as_uri())
    store.write("a", [b"x"])
    assert (tmp_path / "there" / "a").read_bytes() == b"x"
    with pytest.raises(RunError, match=r"checkpoint\.to is 'nowhere://x'"):
        open_store(tmp_path, "nowhere://x")


def test_a_byte_that_changed_anywhere_is_noticed():
    whole = b"".join(packed(Contents({"a": 1}, [["l", 1]], [[np.arange(40, dtype=np.float32)]])))
    assert np.array_equal(unpacked(whole).arrays[0][0], np.arange(40))
    rng = np.random.default_rng(1)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(SnapshotError):
            unpacked(bytes(damaged))
        with pytest.raises(SnapshotError):
            unpacked(whole[:place])


def test_another_format_is_told_from_damage(monkeypatch):
    whole = b"".join(packed(Contents({}, [], [])))
    monkeypatch.setattr(container, "FORMAT", container.FORMAT + 1)
    ours = container.FORMAT
    told = f"has format {ours - 1}, and this program reads format {ours}"
    with pytest.raises(container.ForeignSnapshotError, match=told):
        unpacked(whole)


@pytest.mark.parametrize(
    "header",
    [
        b"{]",
        b"\xff",
        b"[]",
        b'{"about":1}',
        b"[" * 3_000,
        b'{"about":{},"trees":[],"arrays":[[["|O",[0]]]]}',
        b'{"about":{},"trees":[],"arrays":[[["<f4,(",[0]]]]}',
        b'{"about":{},"trees":[],"arrays":[[["<f4",[9]]]]}',
        b'{"about":{},"trees":[],"arrays":[[["<f4",[0],7]]]}',
    ],
)
def test_a_made_up_header_is_refused_though_its_checksum_is_right(header):
    written = container._START.pack(container.MAGIC, container.FORMAT, len(header)) + header
    with pytest.raises(SnapshotError, match="has a header that says nothing"):
        unpacked(written + hashlib.sha256(written).digest())


@given(st.lists(st.integers(0, 2 * container._TOGETHER_BYTES // 8), max_size=4), st.randoms())
def test_arrays_of_any_size_come_back_and_one_of_the_same_bytes_is_written_once(sizes, random):
    arrays = [np.full(size, random.randrange(3), np.int64) for size in sizes]
    arrays += [one[:].view(np.float64) for one in arrays] + [one.copy() for one in arrays]
    pieces = list(packed(Contents({}, [], [arrays[:2], arrays[2:]])))
    back = [one for some in unpacked(b"".join(pieces)).arrays for one in some]
    for one, other in zip(arrays, back, strict=True):
        assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())
    once = sum({one.tobytes(): one.nbytes for one in arrays}.values())
    small = sum(one.nbytes for one in arrays if one.nbytes < container._LARGE_BYTES)
    assert sum(map(len, pieces)) <= once + small + 2_000


def test_arrays_that_come_back_are_apart_even_where_their_bytes_were_one():
    table = np.zeros((40, 40), np.float32)
    one, other = unpacked(b"".join(packed(Contents({}, [], [[table, table]])))).arrays[0]
    one[:] = 1
    assert not other.any()


@pytest.mark.parametrize("part_records", [1, 7, 5_000])
def test_a_run_that_loses_its_machines_ends_as_if_it_had_not(run, store, tmp_path, monkeypatch, part_records):
    monkeypatch.setattr("workloads.checkpoints.keeper.PART_RECORDS", part_records)
    monkeypatch.setattr("actors.keeping.MOST", 1)  # told as soon as said
    expected = complete(run, tmp_path / "whole", LocalStore(tmp_path / "other"))
    for cut in (0, 3, 9):
        Cut.left = cut
        assert complete(run, tmp_path / f"cut {cut}", store, 1, Cut) == expected
        clear(store)
        assert store.names() == []


def test_without_restarts_it_is_an_error(run, store, tmp_path, monkeypatch):
    monkeypatch.setattr("actors.keeping.MOST", 1)
    Cut.left = 3
    with pytest.raises(ExecutorError, match="the coordinator died"):
        complete(run, tmp_path / "cut", store, 0, Cut)


troubled = []  # by what, of those who kept last


def kept(run, store, count, keep=2):
    """Checkpoints of the first versions, written one after the other."""
    experiment, dataset = run
    keeper = InStore.of(store, about(experiment, dataset), keep, None).begin()
    simulation, executor = begun(experiment, dataset)
    for _ in simulation.events():
        if simulation.said.others and simulation.version:
            keeper.said(simulation.tell())
            keeper.take(take(simulation, executor))
            assert keeper.wait(30)
            if simulation.version == count:
                break
    keeper.close(is_over=False)
    troubled[:] = keeper.troubles()
    return [files.checkpoint_name(version) for version in range(1, count + 1)]


def test_so_many_stay_as_are_asked_for(run, store):
    names = kept(run, store, 5, keep=3)
    assert checkpoints(store) == names[-3:]


def test_a_damaged_newest_is_passed_over_and_said(run, store, capsys):
    names = kept(run, store, 3)
    store.write(names[2], [store.read(names[2])[:-40]])
    found = newest(store, about(*run))
    assert found.plain.version == 2
    assert f"checkpoint {names[2]} is damaged: its checksum is another one; the one before is taken" in (
        capsys.readouterr().err
    )
    store.write(names[1], [b""])
    assert newest(store, about(*run)) is None


def test_damage_anywhere_in_the_newest_means_the_one_before(run, store, capsys):
    names, rng = kept(run, store, 3), np.random.default_rng(1)
    whole, told = bytes(store.read(names[2])), about(*run)
    for number in range(100):
        damaged, place = bytearray(whole), int(rng.integers(len(whole)))
        if number % 2:
            damaged[place] ^= 1 << int(rng.integers(8))
        else:
            del damaged[place:]
        store.write(names[2], [bytes(damaged)])
        assert newest(store, told).plain.version == 2
    assert capsys.readouterr().err.count("the one before is taken") == 100
    store.write(names[2], [whole])
    assert newest(store, told).plain.version == 3


def test_a_missing_part_is_damage_too(run, store, monkeypatch):
    monkeypatch.setattr("workloads.checkpoints.keeper.PART_RECORDS", 1)
    kept(run, store, 3)
    last = [name for name in store.names() if name.endswith(files.PART)][-1]
    store.remove(last)
    assert newest(store, about(*run)).plain.version == 2


def test_another_experiment_is_refused_with_the_difference(run, store):
    kept(run, store, 2)
    other = build(run[0].model_dump(mode="json", exclude_none=True), ["training.epochs=3", "seed=9"])
    with pytest.raises(RunError, match=r"another experiment: seed was 1, is 9; training\.epochs was 2"):
        newest(store, about(other, run[1]))


def test_where_it_is_computed_may_change(run, store):
    kept(run, store, 2)
    tree = run[0].model_dump(mode="json", exclude_none=True)
    other = build(tree, ["execution.pools=3", "checkpoint.keep=9", "tracking.mlflow=false"])
    assert newest(store, about(other, run[1])).plain.version == 2


def test_other_data_and_another_program_are_refused(run, store):
    kept(run, store, 2)
    now = about(*run)
    with pytest.raises(RunError, match="is of other data"):
        newest(store, now | {"dataset": "0"})
    with pytest.raises(RunError, match=r"was written by version .* and this is 9\.9"):
        newest(store, now | {"program": "9.9"})


class Full:
    """A store on a full disk, but for the first files."""

    def __init__(self, store, room):
        self._store, self._room = store, room
        self.read, self.names, self.remove, self.close = store.read, store.names, store.remove, store.close

    def write(self, name, pieces):
        self._room -= 1
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._store.write(name, pieces)


class Stuck(LocalStore):
    """A store that does not answer."""

    def __init__(self, folder):
        super().__init__(folder)
        self.answers = threading.Event()

    def write(self, name, pieces):
        self.answers.wait(60)


def test_a_store_that_does_not_answer_is_not_waited_for_for_ever(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("workloads.checkpoints.keeper.CLOSE_LIMIT_S", 0.2)
    stuck = Stuck(tmp_path / "kept")
    last, end, _ = complete(run, tmp_path / "run", stuck)
    stuck.answers.set()
    assert (last, end) == complete(run, tmp_path / "other", LocalStore(tmp_path / "else"))[:2]
    assert "given up: it was not written within 0.2 s" in capsys.readouterr().err


class Broken(LocalStore):
    """A store with a fault of ours in it."""

    def write(self, name, pieces):
        raise ZeroDivisionError("of ours")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_is_gone_ends_the_run_and_not_the_checkpoints_alone(run, tmp_path):
    why = "checkpoints are no longer written: their thread ended with ZeroDivisionError: of ours"
    with pytest.raises(RunError, match=why):
        complete(run, tmp_path / "run", Broken(tmp_path / "kept"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_is_gone_by_the_end_is_told(run, tmp_path):
    keeper = InStore.of(Broken(tmp_path / "kept"), about(*run), 2, None).begin()
    keeper.take(take(*begun(*run)))
    keeper.close(is_over=False)
    assert keeper.troubles() == [
        "checkpoints are no longer written: their thread ended with ZeroDivisionError: of ours"
    ]


def test_a_full_disk_is_told_and_what_is_there_stays_good(run, store):
    kept(run, Full(store, 2), 4)
    assert [one.split(";")[0] for one in troubled] == [
        f"the checkpoint of version {version} cannot be kept: [Errno 28] No space left on device"
        for version in (3, 4)
    ]
    assert newest(store, about(*run)).plain.version == 2


def test_a_run_on_a_full_disk_says_so_and_comes_to_its_end(run, tmp_path, capsys, monkeypatch):
    expected = complete(run, tmp_path / "whole", LocalStore(tmp_path / "other"))
    full = Full(LocalStore(tmp_path / "kept"), 0)
    hand_over = CheckpointKeeper.take

    def tried(self, taken):  # before the next one comes, which overtakes one that waits
        hand_over(self, taken)
        assert self.wait(60)

    monkeypatch.setattr(CheckpointKeeper, "take", tried)
    assert complete(run, tmp_path / "run", full) == expected
    assert "the checkpoint of version 1 cannot be kept: [Errno 28] No space left" in capsys.readouterr().err


def test_a_wish_to_stop_gets_a_last_checkpoint_and_the_run_goes_on_from_it(run, tmp_path, monkeypatch):
    monkeypatch.setattr("actors.keeping.SOON_S", 0.0)  # tell each version, however quick the machine is
    never = (
        build(run[0].model_dump(mode="json", exclude_none=True), ["checkpoint.every_versions=0"]),
        run[1],
    )
    expected = complete(never, tmp_path / "whole", LocalStore(tmp_path / "other"))
    store, wish = LocalStore(tmp_path / "kept"), Wish()

    class Told(SerialSession):
        def stretches(self):
            for number, said in enumerate(super().stretches()):
                if number == 0:
                    wish.hear(15, None)
                yield said

    with pytest.raises(Stopped) as stopped:
        course(never, tmp_path / "run", store, wish).run(lambda *on: Told(*never, *on), None, 0)
    assert stopped.value.exit_status == 143
    its = course(never, tmp_path / "run", store)
    found = its.found()
    assert found.plain.version >= 1
    last, end = its.run(lambda *on: SerialSession(*never, *on), found, 0)
    assert (last, end, (tmp_path / "run" / "records.parquet").read_bytes()) == expected


def test_records_before_a_checkpoint_are_those_of_the_undisturbed_run(run, store):
    kept(run, store, 4)
    found = newest(store, about(*run))
    records = [record for stretch in [*found.parted, *found.tail] for record in stretch]
    assert records == told(begun(*run)[0])[: len(records)]
