"""From TOML and ``key=value`` overrides to an `Experiment`, with one clear error for what is wrong."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fedras_ray.config.experiment import Experiment
from fedras_ray.errors import ConfigError

Tree = dict[str, Any]


def read(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in a TOML file, with ``key=value`` overrides laid over it.

    Raises:
        ConfigError: the file, a key or a value is wrong; the message names it.
    """
    return build(read_tree(path), overrides)


def read_tree(path: Path) -> Tree:
    """What a TOML file says, whatever it is about.

    Raises:
        ConfigError: it cannot be read, or is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read: {error}") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not valid TOML: {error}") from error


def build(tree: Tree, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in a tree that may leave out whatever should keep its default.

    Raises:
        ConfigError: a key or a value is wrong.
    """
    tree = merged(Experiment().model_dump(mode="json", exclude_none=True), tree)
    for override in overrides:
        _lay(tree, override)
    try:
        return Experiment.model_validate(tree)
    except ValidationError as error:
        raise first_problem(error, tree) from error


def merged(base: Tree, over: Tree) -> Tree:
    """`over` laid on `base`; where a section changes its ``kind``, nothing of the old kind stays."""
    same_kind = over.get("kind", base.get("kind")) == base.get("kind")
    both = dict(base) if same_kind else {}
    for name, value in over.items():
        old = both.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            both[name] = merged(old, value)
        else:
            both[name] = copy.deepcopy(value)
    return both


def _lay(tree: Tree, override: str) -> None:
    """Set ``a.b=c`` in the tree; a new ``kind`` discards the options of the old one."""
    key, equals, text = override.partition("=")
    names = [name.strip() for name in key.split(".")]
    if not equals or not all(names):
        raise ConfigError(override, "an override has the form key.name=value, e.g. training.epochs=3")
    section = tree
    for name in names[:-1]:
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            raise ConfigError(key, f"'{name}' is a value, not a section")
    value = _value(text.strip())
    if names[-1] == "kind" and "options" not in names and section.get("kind") != value:
        section.clear()
    section[names[-1]] = value


def _value(text: str) -> Any:
    """A TOML value, or the text itself where it is none: ``codec.kind=dense`` needs no quotes."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text


def first_problem(error: ValidationError, tree: Tree) -> ConfigError:
    """The first thing pydantic found wrong, with its path as a user would write it."""
    found = error.errors(include_url=False)[0]
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] not in ("value_error", "missing", "union_tag_invalid", "union_tag_not_found"):
        message = f"{message}, got {found['input']!r}"
    return ConfigError(_path(found["loc"], tree) or "experiment", message)


def _path(location: tuple[int | str, ...], tree: Tree) -> str:
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
