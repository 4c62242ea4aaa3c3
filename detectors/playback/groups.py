"""Rows that lie together by group, and what can be said of each group in one pass."""

from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]

Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Groups:
    """Row numbers by group, where rows of one group are neighbours and a group may have none.

    `of` names each row's group and never falls; `starts` is the first row of
    every group in `present`, the groups that have rows; there are `count` groups.
    """

    of: Ints
    count: int
    starts: Ints
    present: Ints

    @classmethod
    def by(cls, of: Ints, count: int) -> Self:
        """The groups of rows that are already sorted by `of`."""
        starts = np.flatnonzero(changes(of))
        return cls(of=of, count=count, starts=starts, present=of[starts])

    def sizes(self) -> Ints:
        """Rows in each group."""
        sizes = np.zeros(self.count, np.int64)
        sizes[self.present] = np.diff(self.starts, append=self.of.size)
        return sizes

    def sum(self, values: Ints | Bools) -> Ints:
        """Sum of `values` in each group, 0 where there is no row."""
        total = np.zeros(self.count, np.int64)
        if self.of.size:
            total[self.present] = np.add.reduceat(values, self.starts, dtype=np.int64)
        return total

    def total(self, values: Floats) -> Floats:
        """Sum of `values` in each group as a float, 0 where there is no row."""
        total = np.zeros(self.count)
        if self.of.size:
            total[self.present] = np.add.reduceat(values, self.starts)
        return total

    def least(self, values: Ints, default: int) -> Ints:
        """Smallest of `values` in each group, `default` where there is no row."""
        return self._reduce(np.minimum, values, default)

    def greatest(self, values: Ints, default: int) -> Ints:
        """Largest of `values` in each group, `default` where there is no row."""
        return self._reduce(np.maximum, values, default)

    def first(self, where: Bools) -> Ints:
        """Number of each group's first row of those marked, -1 where none is."""
        rows = np.flatnonzero(where)[::-1]
        return self._place(rows)

    def last(self, where: Bools) -> Ints:
        """Number of each group's last row of those marked, -1 where none is."""
        return self._place(np.flatnonzero(where))

    def rows(self, groups: Ints) -> tuple[Ints, Self]:
        """The row numbers of some groups, which ascend, and those rows as groups numbered from 0."""
        place = np.searchsorted(self.present, groups)
        some = place < self.present.size
        some[some] = self.present[place[some]] == groups[some]
        ends = np.append(self.starts[1:], self.of.size)
        start, end = self.starts[place[some]], ends[place[some]]
        sizes = end - start
        owner = np.repeat(np.flatnonzero(some), sizes)
        within = np.arange(owner.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.repeat(start, sizes) + within, type(self).by(owner, groups.size)

    def heads(self) -> Ints:
        """For each row, the first row of its group."""
        return np.repeat(self.starts, np.diff(self.starts, append=self.of.size))

    def carried(self, known: Bools) -> Ints:
        """For each row, the nearest marked row of its group at or before it, -1 where there is none."""
        at = np.maximum.accumulate(np.where(known, np.arange(known.size), -1))
        return np.where(at >= self.heads(), at, -1)

    def _reduce(self, by: np.ufunc, values: Ints, default: int) -> Ints:
        result = np.full(self.count, default, np.int64)
        if self.of.size:
            result[self.present] = by.reduceat(values, self.starts)
        return result

    def _place(self, rows: Ints) -> Ints:
        # Of several values for one place, numpy keeps the last.
        result = np.full(self.count, -1, np.int64)
        result[self.of[rows]] = rows
        return result


def taken(values: NDArray[Kind], rows: Ints) -> NDArray[Kind]:
    """The values at row numbers that ascend: where those are all of them, the values themselves, not to be written."""
    return values if rows.size == values.size else values[rows]


def changes(values: Ints | Codes) -> Bools:
    """Marks each row that differs from the one before; the first always does."""
    marks = np.ones(values.size, np.bool_)
    np.not_equal(values[1:], values[:-1], out=marks[1:])
    return marks
