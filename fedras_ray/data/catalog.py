"""The data sets this project knows by name, as data: what they are, how they may be used, where they are.

None of them is part of this project. `sources` fetches the ones that may be fetched; the others are
read from a folder of yours, ``$FEDRAS_DATA/<name>/``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fedras_ray.config.base import unknown
from fedras_ray.data.folders import Presplit, read_folder
from fedras_ray.data.ratings import RawRatings
from fedras_ray.data.text import RATINGS_DAT, RECBOLE, RECBOLE_NAMES, SPACED, U_DATA, Layout, read_text
from fedras_ray.errors import ConfigError

Content = RawRatings | Presplit


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a data set lies in a folder."""

    files: tuple[str, ...]  # all of these are there
    read: Callable[[Path], Content]  # from the folder
    interactions: int  # as many as there must be, both sides together
    digest: str | None = None  # `ratings.content_digest`


@dataclass(frozen=True, slots=True)
class ZipSource:
    """One member of a zip behind a URL."""

    url: str
    sha256: str  # of the zip
    member: str
    file: str  # what it is called in the cache: a file of one of the forms


@dataclass(frozen=True, slots=True)
class WheelSource:
    """One member of a wheel that pip can download."""

    requirement: str
    member: str
    sha256: str  # of the member
    file: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A data set by its name."""

    name: str
    title: str
    users: int
    items: int
    interactions: int
    licence: str
    citation: str
    home: str  # where a person gets it
    forms: tuple[Form, ...]  # the first that is complete in a folder is read
    sources: tuple[ZipSource | WheelSource, ...] = ()  # the first that answers is used


def _text(file: str, layout: Layout, names: dict[str, str] | None = None) -> Callable[[Path], Content]:
    def read(folder: Path) -> Content:
        return read_text(folder / file, layout, names)

    return read


_GROUPLENS = (
    "research use; acknowledge GroupLens; no redistribution and no commercial use without permission "
    "(see the README in the archive)"
)
_HARPER = "Harper & Konstan, The MovieLens Datasets: History and Context, TiiS 2015, doi:10.1145/2827872"

# The 100,000 ratings have the same content whether they come as GroupLens' u.data or as RecBole's
# ml-100k.inter, so what is verified is the content, by one digest for every source and for a file of yours.
_ML_100K = "f7dde5dc55b648d848645090e8e50b34bbf9b56abd8c305bcae44ee5de7a1f06"

CATALOG: tuple[Entry, ...] = (
    Entry(
        "ml-100k",
        "MovieLens 100K",
        943,
        1_682,
        100_000,
        _GROUPLENS,
        _HARPER,
        "https://grouplens.org/datasets/movielens/100k/",
        (
            Form(("u.data",), _text("u.data", U_DATA), 100_000, _ML_100K),
            Form(("ml-100k.inter",), _text("ml-100k.inter", RECBOLE, RECBOLE_NAMES), 100_000, _ML_100K),
        ),
        (
            # The zips' SHA-256 are the ones TensorFlow Datasets records (url_checksums/movielens.txt).
            ZipSource(
                "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
                "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
                "ml-100k/u.data",
                "u.data",
            ),
            WheelSource(
                "recbole==1.2.1",
                "recbole/dataset_example/ml-100k/ml-100k.inter",
                "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
                "ml-100k.inter",
            ),
        ),
    ),
    Entry(
        "ml-1m",
        "MovieLens 1M",
        6_040,
        3_706,
        1_000_209,
        _GROUPLENS,
        _HARPER,
        "https://grouplens.org/datasets/movielens/1m/",
        (
            # NCF brings its own held-out items and negatives: numbers comparable with the literature.
            Form(("train.txt", "test.txt", "negatives.txt"), partial(read_folder, item_count=3_706), 998_539),
            Form(("ratings.dat",), _text("ratings.dat", RATINGS_DAT), 1_000_209),
        ),
        (
            ZipSource(
                "https://files.grouplens.org/datasets/movielens/ml-1m.zip",
                "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
                "ml-1m/ratings.dat",
                "ratings.dat",
            ),
        ),
    ),
    Entry(
        "gowalla",
        "Gowalla check-ins, 10-core (NGCF's split)",
        29_858,
        40_981,
        1_027_370,
        "no licence is stated; collected by SNAP",
        "Cho, Myers & Leskovec, Friendship and Mobility, KDD 2011; split of Wang et al., NGCF, SIGIR 2019",
        "https://github.com/gusye1234/LightGCN-PyTorch (data/gowalla)",
        (Form(("train.txt", "test.txt"), read_folder, 1_027_370),),
    ),
    Entry(
        "citeulike",
        "CiteULike (LightGCN++'s split)",
        5_551,
        16_980,
        210_504,
        "no licence is stated",
        "Wang & Blei, Collaborative Topic Modeling for Recommending Scientific Articles, KDD 2011",
        "https://github.com/geon0325/LightGCNpp (SELFRec/dataset/citeulike)",
        (Form(("train.txt", "test.txt"), partial(read_folder, pairs=True), 210_504),),
    ),
    Entry(
        "filmtrust",
        "FilmTrust",
        1_508,
        2_071,
        35_497,
        "no licence is stated",
        "Guo, Zhang & Yorke-Smith, A Novel Bayesian Similarity Measure for Recommender Systems, IJCAI 2013",
        "https://github.com/hongleizhang/FedCA (datasets/filmtrust)",
        (Form(("ratings.dat",), _text("ratings.dat", SPACED), 35_497),),  # three of them twice
    ),
)


def entry(name: str) -> Entry:
    """The entry with this name.

    Raises:
        ConfigError: there is none; the message has the nearest name.
    """
    for candidate in CATALOG:
        if candidate.name == name:
            return candidate
    raise ConfigError("data.name", unknown(name, [candidate.name for candidate in CATALOG]))
