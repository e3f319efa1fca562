"""Objects as one sequence of bytes, which travels and is kept as it is until somebody wants the objects."""

from __future__ import annotations

from typing import Any

from fedras_ray.errors import SnapshotError
from fedras_ray.snapshots.container import MADE_UP, Contents, packed, unpacked
from fedras_ray.snapshots.graph import image, value_of


def sealed(value: Any) -> bytes:
    """A container with the image of everything that can be reached from a value.

    Raises:
        SnapshotError: an object's class is not declared.
    """
    seen = image(value, copies=False)
    return b"".join(packed(Contents({}, [seen.tree], [seen.arrays])))


def opened(blob: bytes) -> Any:
    """What `sealed` was given.

    Raises:
        SnapshotError: it is damaged, or made of what is not known here.
    """
    found = unpacked(blob)
    try:
        return value_of(found.trees[0], found.arrays[0])
    except MADE_UP as error:
        raise SnapshotError(f"says nothing: {type(error).__name__}") from error
