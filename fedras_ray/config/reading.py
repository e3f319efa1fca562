"""From TOML and ``key=value`` overrides to an `Experiment`, with one clear error for what is wrong."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fedras_ray.config.experiment import Experiment
from fedras_ray.config.problems import first_problem
from fedras_ray.errors import ConfigError

Tree = dict[str, Any]

LONGEST_BITS = 256  # of a whole number; a seed may be long
DEEPEST = 32  # sections within sections; ours have 4, options of a codec of your own may have more


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
        text = path.read_bytes().decode("utf-8-sig")  # some editors put a mark before it
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise ConfigError(f"{path}:{line}", f"cannot be read: {problem}") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ConfigError(str(path), f"cannot be read: {error}") from error
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(str(path), f"is nested deeper than {DEEPEST} levels") from error
    except ValueError as error:  # TOMLDecodeError, and numbers of thousands of digits
        raise ConfigError(str(path), f"is not valid TOML: {error}") from error


def build(tree: Tree, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in a tree that may leave out whatever should keep its default.

    Raises:
        ConfigError: a key or a value is wrong.
    """
    _check(tree)
    tree = merged(Experiment().model_dump(mode="json", exclude_none=True), tree)
    for override in overrides:
        _lay(tree, override)
    _check(tree)
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
    try:
        override.encode()
    except UnicodeEncodeError as error:  # how Python hands over arguments that are no UTF-8
        raise ConfigError(ascii(override), "an override is text in UTF-8") from error
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
    except (ValueError, RecursionError):  # no TOML, or more digits or brackets than it can hold
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _check(tree: Tree) -> None:
    """Refuse what Python's own stack, or its way to write numbers, would end at; a level at a time.

    Raises:
        ConfigError: too deep, or a number that is too long.
    """
    level: list[Any] = [tree]
    for _ in range(DEEPEST):
        level = [inner for node in level for inner in _inside(node)]
        if any(isinstance(leaf, int) and leaf.bit_length() > LONGEST_BITS for leaf in level):
            raise ConfigError("experiment", f"has a number of more than {LONGEST_BITS} bits")
    if any(isinstance(node, dict | list) for node in level):
        raise ConfigError("experiment", f"is nested deeper than {DEEPEST} levels")


def _inside(node: Any) -> Iterable[Any]:
    """What is directly within a section or a list."""
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
