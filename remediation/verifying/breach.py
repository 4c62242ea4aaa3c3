"""What is wrong with a ledger, row by row, and what must hold instead."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Breach:
    """A row that breaks an invariant: its table, its key, and what is wrong with it, without anything personal."""

    table: str
    key: str
    problem: str


Find = Callable[[Connection, int], Iterator[Breach]]
"""Every row that breaks one invariant; the number is the present moment, in milliseconds since the epoch."""


def key(of_row: Iterable[object]) -> str:
    """The primary key of a row as one text."""
    return " ".join(map(str, of_row))


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: the sentence that must hold, what a person does where it does not, and how to find the rows.

    A check that `warns` finds what needs somebody; everything else it finds is broken.
    """

    demand: str
    to_do: str
    find: Find
    warns: bool = False
