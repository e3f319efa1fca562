"""Records in a row: turns as numbers in one table, as there are many, and what else was said between them.

A turn is a row of whole numbers in the order of the fields of `TurnRecord`; its device class and its fate are
numbers in it. Whoever wants records reads them one by one, and whoever wants columns has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fedras_ray.records import Fate, Record, TurnRecord

Row: TypeAlias = tuple[int, ...]
Table: TypeAlias = NDArray[np.int64]

FIELDS: tuple[str, ...] = tuple(TurnRecord.__slots__)
DEVICE_CLASS, FATE = FIELDS.index("device_class"), FIELDS.index("fate")


class Stretch:
    """See the module.

    Args:
        class_names: of device classes, by their number.
        table: (n, fields) turns to begin with.
        others: every other record, and how many turns came before it.
    """

    def __init__(
        self,
        class_names: tuple[str, ...],
        table: Table | None = None,
        others: list[tuple[int, Record]] | None = None,
    ) -> None:
        self.class_names = class_names
        self._tables = [] if table is None else [table]
        self.rows: list[Row] = []  # after those of the tables
        self.others = [] if others is None else others

    @classmethod
    def joined(cls, some: Sequence[Stretch]) -> Stretch:
        """One or more, of one run, in a row."""
        if len(some) == 1:
            return some[0]
        tables, others, turns = [], [], 0
        for one in some:
            tables.append(one.table())
            others += [(turns + place, record) for place, record in one.others]
            turns += one.turns
        return cls(some[0].class_names, np.concatenate(tables), others)

    def say(self, record: Record) -> None:
        """A record that is no turn comes next."""
        self.others.append((self.turns, record))

    def extend(self, table: Table) -> None:
        """Turns (n, fields) come next."""
        self._tables += [self._new(), table] if self.rows else [table]
        self.rows = []

    @property
    def turns(self) -> int:
        """How many there are."""
        return len(self.rows) + sum(map(len, self._tables))

    def __len__(self) -> int:
        return self.turns + len(self.others)

    def __iter__(self) -> Iterator[Record]:
        """All records, in the order in which they were said."""
        turns = [self._record(row) for row in self.table().tolist()]
        begin = 0
        for end, record in self.others:
            yield from turns[begin:end]
            yield record
            begin = end
        yield from turns[begin:]

    def table(self) -> Table:
        """(n, fields) the turns; made once of those that are here."""
        if self.rows or len(self._tables) != 1:
            self._tables, self.rows = [np.concatenate([*self._tables, self._new()])], []
        return self._tables[0]

    def _new(self) -> Table:
        return np.array(self.rows, dtype=np.int64).reshape(len(self.rows), len(FIELDS))

    def _record(self, row: list[int]) -> TurnRecord:
        """The record of a row, which is lost."""
        values: list[Any] = row
        values[DEVICE_CLASS], values[FATE] = self.class_names[row[DEVICE_CLASS]], Fate(row[FATE])
        return TurnRecord(*values)

    def __reduce__(self) -> tuple[type[Stretch], tuple[tuple[str, ...], Table, list[tuple[int, Record]]]]:
        """All turns cross between processes as one array."""
        return Stretch, (self.class_names, self.table(), self.others)
