"""What pydantic found wrong, as one error in the words of the person who wrote the configuration."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fedras_ray.config.base import unknown
from fedras_ray.errors import ConfigError, excerpt

SAYS_ALL = ("value_error", "missing", "union_tag_not_found")  # their message needs no value beside it


def first_problem(error: ValidationError, tree: dict[str, Any]) -> ConfigError:
    """The first thing pydantic found wrong, with its path as a user would write it."""
    found = error.errors(include_url=False)[0]
    key = _path(found["loc"], tree) or "experiment"
    return ConfigError(key, _message(found, key))


def _message(found: ErrorDetails, key: str) -> str:
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "union_tag_invalid":
        return _no_such_kind(found)
    if found["type"] in ("model_type", "model_attributes_type"):
        return f"is a section, not a value, got {shown(found['input'])}; to choose one, set {key}.kind"
    return message if found["type"] in SAYS_ALL else f"{message}, got {shown(found['input'])}"


def _no_such_kind(found: ErrorDetails) -> str:
    known = [name.strip("'") for name in str(found["ctx"]["expected_tags"]).split(", ")]
    return unknown(str(found["ctx"]["tag"]), known, "kind")


def shown(value: object) -> str:
    """A value as it stood there, cut where it is long."""
    try:
        return excerpt(repr(value))
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number too long to be shown"


def _path(location: tuple[int | str, ...], tree: dict[str, Any]) -> str:
    """A dotted path without the tags that pydantic adds for the members of a union."""
    names: list[str] = []
    node: Any = tree
    tag: Any = None  # the kind of the section just entered, which pydantic may name once
    for part in location:
        if part == tag:
            tag = None
            continue
        names.append(str(part))
        node = node.get(part) if isinstance(node, dict) else None
        tag = node.get("kind") if isinstance(node, dict) else None
    return ".".join(names)
