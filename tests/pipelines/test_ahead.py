from collections.abc import Iterator
from contextlib import closing
from threading import Barrier

import pytest

from pipelines.ahead import Ahead


def test_every_item_comes_once_and_in_order() -> None:
    assert list(Ahead(3)(str, range(20))) == [str(number) for number in range(20)]
    assert list(Ahead(3)(str, ())) == []


def test_an_error_comes_where_the_item_would_have_come() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    made = Ahead(3)(int, items())
    assert next(made) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(made)


def test_an_error_in_making_one_lets_those_before_it_pass() -> None:
    made = Ahead(3)(lambda number: 6 // (3 - number), range(9))
    assert [next(made), next(made), next(made)] == [2, 3, 6]
    with pytest.raises(ZeroDivisionError):
        next(made)


@pytest.mark.parametrize("threads", [1, 3])
def test_so_many_are_made_at_once_and_no_more(threads: int) -> None:
    together = Barrier(threads)
    given: list[int] = []

    def items() -> Iterator[int]:
        for number in range(12):
            given.append(number)
            yield number

    def make(number: int) -> int:
        together.wait(timeout=30)  # breaks unless so many are at it
        return number

    for taken, _ in enumerate(Ahead(threads)(make, items())):
        assert len(given) <= taken + threads + 2


def test_who_takes_no_more_ends_the_work() -> None:
    given: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1_000):
            given.append(number)
            yield number

    with closing(Ahead(2)(str, items())) as made:
        assert next(made) == "0"
    assert len(given) <= 5
