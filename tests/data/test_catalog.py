"""The catalogue: what it says, where it looks, and what it says when there is nothing."""

import functools
import json
import zipfile
from dataclasses import replace

import pytest

from fedras_ray.config.data import (
    CatalogData,
    FileData,
    LeaveLastOut,
    RatioSplit,
    SyntheticData,
    TemporalSplit,
)
from fedras_ray.data import CATALOG, describe, entry, load, obtain
from fedras_ray.data.catalog import Form, WheelSource, ZipSource
from fedras_ray.data.ratings import content_digest
from fedras_ray.data.text import RECBOLE, RECBOLE_NAMES, U_DATA, read_text
from fedras_ray.errors import ConfigError, DataError

TINY = "1\t1\t3\t10\n1\t2\t4\t20\n2\t1\t5\t30\n"


@pytest.fixture(scope="session")
def wheel_file(tmp_path_factory):
    """ml-100k as the wheel brings it: downloaded by pip once per session."""
    cache = tmp_path_factory.mktemp("cache")
    known = entry("ml-100k")
    (source,) = (source for source in known.sources if isinstance(source, WheelSource))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FEDRAS_DATA", raising=False)
        patch.setenv("FEDRAS_CACHE", str(cache))
        try:
            found = obtain(replace(known, sources=(source,)))
        except DataError as error:
            if "pip" in str(error):
                pytest.skip("pip reaches no package index with recbole==1.2.1")
            raise
        assert found.source == "the wheel of recbole==1.2.1"
    assert [path.name for path in cache.rglob("*") if path.is_file()] == ["ml-100k.inter"]
    return cache / "ml-100k" / "ml-100k.inter"


@pytest.fixture
def tiny(tmp_path):
    """A data set of three ratings behind a zip that no server has."""
    path = tmp_path / "tiny.data"
    path.write_text(TINY)
    digest = content_digest(read_text(path, U_DATA))
    form = Form(("tiny.data",), lambda folder: read_text(folder / "tiny.data", U_DATA), 3, digest)
    source = ZipSource("http://127.0.0.1:9/tiny.zip", "0" * 64, "tiny/tiny.data", "tiny.data")
    return replace(entry("ml-100k"), name="tiny", title="Tiny", forms=(form,), sources=(source,))


def test_entries_are_complete_and_told_apart():
    assert [known.name for known in CATALOG] == ["ml-100k", "ml-1m", "gowalla", "citeulike", "filmtrust"]
    for known in CATALOG:
        assert known.licence
        assert known.citation
        assert known.home.startswith("https://")
        for source in known.sources:
            assert len(source.sha256) == 64
            assert any(form.files == (source.file,) for form in known.forms)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'ml-100k'"):
        load(CatalogData(name="ml100k"), 1)


def test_ml_100k_from_the_wheel(wheel_file, alone, monkeypatch):
    monkeypatch.setenv("FEDRAS_CACHE", str(wheel_file.parent.parent))
    found = load(CatalogData(), 1)
    assert found.source == "cache, ml-100k.inter"
    assert (found.user_count, found.item_count) == (943, 1682)
    assert len(found.train) + len(found.test) == 100_000
    assert (found.test.counts() == 1).all()
    assert load(CatalogData(), 2).digest() == found.digest()  # nothing of it is random
    told = describe(found)
    assert json.loads(json.dumps(told)) == told
    assert (told["users"], told["interactions"], told["per_user_least"]) == (943, 100_000, 20)
    assert told["density"] == pytest.approx(0.06305, abs=1e-5)


def test_ml_100k_is_the_same_from_the_official_file(wheel_file, alone, monkeypatch, tmp_path):
    own = tmp_path / "own" / "ml-100k"
    own.mkdir(parents=True)
    _, *lines = wheel_file.read_text().splitlines()
    (own / "u.data").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("FEDRAS_DATA", str(own.parent))
    official = load(CatalogData(), 1)
    assert official.source == "$FEDRAS_DATA/ml-100k/u.data"
    monkeypatch.setenv("FEDRAS_DATA", "")
    monkeypatch.setenv("FEDRAS_CACHE", str(wheel_file.parent.parent))
    assert load(CatalogData(), 1).digest() == official.digest()


def test_ml_100k_with_one_rating_changed_is_refused(wheel_file, alone, monkeypatch, tmp_path):
    own = tmp_path / "own" / "ml-100k"
    own.mkdir(parents=True)
    text = wheel_file.read_text()
    assert len(read_text(wheel_file, RECBOLE, RECBOLE_NAMES)) == 100_000
    (own / "ml-100k.inter").write_text(text.replace("\t242\t3\t881250949", "\t242\t4\t881250949", 1))
    monkeypatch.setenv("FEDRAS_DATA", str(own.parent))
    with pytest.raises(DataError, match="is not MovieLens 100K: content digest"):
        load(CatalogData(), 1)


def test_what_was_tried_is_listed(tiny, alone):
    heard = []
    with pytest.raises(DataError) as caught:
        obtain(tiny, heard.append)
    message = str(caught.value)
    for part in (
        "$FEDRAS_DATA: not set",
        f"cache: nothing in {alone / 'tiny'}",
        "tiny.zip: cannot be fetched",
    ):
        assert part in message
    assert "put tiny.data into SOME_FOLDER/tiny/ and set FEDRAS_DATA=SOME_FOLDER" in message
    assert len(heard) == 2  # what is fetched, and that it failed


def test_a_set_without_sources_says_where_it_is_from(alone):
    with pytest.raises(DataError, match="LightGCN-PyTorch"):
        load(CatalogData(name="gowalla"), 1)


def test_the_order_of_places(tiny, alone, monkeypatch, tmp_path):
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("tiny/tiny.data", TINY)
    fetched = []

    def instead(url, target, sha256):
        fetched.append(url)
        return archive

    monkeypatch.setattr("fedras_ray.data.places.fetch", instead)
    assert obtain(tiny).source == "http://127.0.0.1:9/tiny.zip"
    assert obtain(tiny).source == "cache, tiny.data"
    (alone / "tiny" / "tiny.data").write_text(TINY[:-10])  # damaged: it is fetched again
    assert obtain(tiny).source == "http://127.0.0.1:9/tiny.zip"
    assert len(fetched) == 2
    (tmp_path / "own" / "tiny").mkdir(parents=True)
    (tmp_path / "own" / "tiny" / "tiny.data").write_text(TINY)
    monkeypatch.setenv("FEDRAS_DATA", str(tmp_path / "own"))
    assert obtain(tiny).source == "$FEDRAS_DATA/tiny/tiny.data"


def test_a_source_with_other_content_leaves_nothing(tiny, alone, monkeypatch, tmp_path):
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("tiny/tiny.data", TINY.replace("\t4\t", "\t2\t"))
    monkeypatch.setattr("fedras_ray.data.places.fetch", lambda *_: archive)
    with pytest.raises(DataError, match="is not Tiny: content digest"):
        obtain(tiny)
    assert not list((alone / "tiny").iterdir())


def test_a_truncated_copy_of_yours_is_refused(tiny, alone, monkeypatch, tmp_path):
    (tmp_path / "own" / "tiny").mkdir(parents=True)
    (tmp_path / "own" / "tiny" / "tiny.data").write_text("1\t1\t3\t10\n")
    monkeypatch.setenv("FEDRAS_DATA", str(tmp_path / "own"))
    with pytest.raises(DataError, match="1 interactions where Tiny has 3"):
        obtain(tiny)


@functools.cache
def loaded(name):
    """Each large set is read once for all tests; FEDRAS_DATA does not change meanwhile."""
    return load(CatalogData(name=name), 1)


@pytest.mark.parametrize("name", [known.name for known in CATALOG])
def test_sets_of_your_folder_are_what_the_catalogue_says(name, shared):
    if not (shared / name).is_dir():
        pytest.skip(f"FEDRAS_DATA has no {name}")
    found, known = loaded(name), entry(name)
    assert (found.user_count, found.item_count) == (known.users, known.items)
    assert found.source.startswith(f"$FEDRAS_DATA/{name}/")


def test_ml_1m_brings_its_own_test_and_negatives(shared):
    if not (shared / "ml-1m" / "negatives.txt").is_file():
        pytest.skip("FEDRAS_DATA has no ml-1m in the NCF form")
    found = loaded("ml-1m")
    assert found.negatives.shape == (6040, 99)
    assert ((found.negatives[:, 0] >= 0) == (found.test.counts() == 1)).all()
    assert len(found.test) == 5967
    with pytest.raises(ConfigError, match=r"data\.split.*comes already split"):
        load(CatalogData(name="ml-1m", split=RatioSplit(kind="ratio")), 1)


def test_a_file_of_your_own(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("user_id,item_id,at\nann,x,1\nann,y,2\nbob,y,1\nbob,z,3\n")
    for split, held_out in (
        (LeaveLastOut(), [[1], [2]]),
        (TemporalSplit(kind="temporal", test_fraction=0.3), [[], [2]]),
    ):
        found = load(FileData(kind="file", path=str(path), timestamp="at", split=split), 1)
        assert [found.test.of(user).tolist() for user in range(2)] == held_out
        assert (found.name, found.source) == ("mine", str(path))


def test_a_split_that_leaves_nothing_is_refused(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("user_id,item_id\nann,x\nbob,y\n")
    with pytest.raises(DataError, match="leaves nothing in test"):
        load(FileData(kind="file", path=str(path)), 1)


def test_synthetic_needs_nothing(alone):
    config = SyntheticData(kind="synthetic", users=50, items=100, mean_interactions=10)
    found = load(config, 3)
    assert found.name == "synthetic-50x100"
    assert found.digest() == load(config, 3).digest() != load(config, 4).digest()
    with pytest.raises(DataError, match="needs timestamps"):
        load(config.model_copy(update={"split": TemporalSplit(kind="temporal")}), 3)
    assert not alone.exists()
