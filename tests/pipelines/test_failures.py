"""One sentence for whatever went wrong, and in it nothing that somebody else may have quoted."""

import sqlite3
from collections.abc import Callable

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from pipelines.failures import sentence
from pipelines.settings import UsageError, epoch_ms
from remediation.money import Money, UnknownCurrencyError

ILSA = "Ilsa Lund, ilsa@secret.example"


def raised(fail: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any of them
        fail()
    return caught.value


def chained(outer: Exception, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


def test_an_error_of_ours_says_itself_what_to_do() -> None:
    error = UsageError("--as-of 'x' is no ISO 8601 time; write for example 2026-11-22T06:00:00Z")

    assert sentence(error) == str(error)
    assert sentence(chained(RuntimeError(f"bundle failed: {ILSA}"), error)) == str(error)


@pytest.mark.parametrize("kind", [ValueError, KeyError, RuntimeError, UnicodeError, OSError])
def test_the_text_of_any_other_error_is_not_repeated(kind: type[Exception]) -> None:
    told = sentence(chained(RuntimeError(f"while running: {ILSA}"), kind(ILSA)))

    assert "Ilsa" not in told
    assert "secret.example" not in told
    assert told == "RuntimeError; the next run clears up what was begun"


def test_it_is_told_where_in_our_code_it_arose() -> None:
    error = raised(lambda: Money(ILSA, "USD").decimal)  # type: ignore[arg-type]

    assert sentence(error).startswith(f"{type(error).__name__} in remediation/money.py, line ")
    assert sentence(error).endswith("; the next run clears up what was begun")


def test_the_operating_systems_own_words_are_told() -> None:
    error = PermissionError(13, "Permission denied", "/srv/out")

    assert sentence(error) == "PermissionError: Permission denied (/srv/out); the next run clears up what was begun"


def test_of_a_database_only_sqlites_words_are_told_since_they_hold_no_values() -> None:
    full = OperationalError("INSERT ...", {"email": ILSA}, sqlite3.OperationalError("database or disk is full"))
    other = IntegrityError("INSERT ...", {"email": ILSA}, Exception(f"Key (email)=({ILSA}) already exists."))

    assert sentence(full) == "OperationalError: database or disk is full; the next run clears up what was begun"
    assert sentence(other) == "IntegrityError; the next run clears up what was begun"


@pytest.mark.parametrize("odd", ["\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u202e", "\r", "\u2028"], ids=ascii)
def test_nothing_in_a_sentence_steers_a_terminal(odd: str) -> None:
    told = sentence(UsageError(f"{odd}night.jsonl{odd}: no file is there"))

    assert told.isprintable()
    assert "night.jsonl" in told


def test_errors_that_cause_each_other_are_told_once() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first

    assert sentence(first) == "ValueError; the next run clears up what was begun"


def test_our_own_errors_are_known_by_where_they_come_from() -> None:
    assert "2026" in sentence(raised(lambda: epoch_ms("soon", "--as-of")))
    assert sentence(UnknownCurrencyError("ISO 4217 does not list the currency")).startswith("ISO 4217")
