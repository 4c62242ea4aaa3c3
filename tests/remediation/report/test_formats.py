import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.money import Money
from remediation.report.formats import amount, amounts, block, day, duration, listed, moment, one_line, span, sums
from tests.remediation.report.nights import EVENING, MORNING


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 ms"),
        (250, "250 ms"),
        (1_000, "1.0 s"),
        (10_949, "10.9 s"),
        (10_950, "11.0 s"),
        (86_200, "86.2 s"),
        (250_000, "4 min 10 s"),
        (5_520_000, "1 h 32 min"),
    ],
)
def test_a_duration_shows_what_matters_at_its_size(ms: int, words: str) -> None:
    assert duration(ms) == words


def test_moments_name_their_zone() -> None:
    assert moment(EVENING) == "2026-11-21 20:04:31 UTC"
    assert day(MORNING) == "22 November 2026, 06:00 UTC"


def test_a_span_says_the_date_once_where_it_is_the_same() -> None:
    assert span(EVENING, EVENING + 81_000) == "2026-11-21 20:04:31 to 20:05:52 UTC"
    assert span(EVENING, MORNING) == "2026-11-21 20:04:31 to 2026-11-22 06:00:00 UTC"
    assert span(EVENING, EVENING + 400) == "2026-11-21 20:04:31 UTC"


@pytest.mark.parametrize(
    ("money", "words"),
    [
        (Money(299, "USD"), "2.99 USD"),
        (Money(1_200, "JPY"), "1,200 JPY"),
        (Money(2_990, "KWD"), "2.990 KWD"),
        (Money(5, "EUR"), "0.05 EUR"),
        (Money(299, "QQQ"), "299 minor units of QQQ"),
    ],
    ids=["USD", "JPY", "KWD", "cents", "unknown currency"],
)
def test_an_amount_is_exact(money: Money, words: str) -> None:
    assert amount(money) == words


def test_currencies_are_never_added_up() -> None:
    total = sums([Money(299, "USD"), Money(400, "JPY"), Money(1, "USD")])

    assert total == (Money(400, "JPY"), Money(300, "USD"))
    assert amounts(total) == "400 JPY and 3.00 USD"
    assert amounts(()) == "nothing"


def test_a_list_reads_as_a_sentence() -> None:
    assert [listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("a\r\nb\tc", "a b c"),
        ("\u202efdp.exe", "\ufffdfdp.exe"),
        ("\u2067a", "\ufffda"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("न\u200dत", "न\u200dत"),
    ],
    ids=["escape", "lines", "override", "isolate", "surrogate", "joiner"],
)
def test_foreign_text_stays_on_its_line(hostile: str, shown: str) -> None:
    assert one_line(hostile) == shown


@given(st.text(alphabet=st.characters()), st.integers(1, 50))
def test_one_line_never_exceeds_its_limit_nor_hides_anything(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(line) <= limit
    assert all(unicodedata.category(character)[0] != "C" or character in "\u200c\u200d" for character in line)


def test_a_mail_keeps_its_lines_and_its_direction_marks() -> None:
    assert block("Dear\r\n\u2068קזבלנקה\u2069\x1b[0m") == "Dear\n\u2068קזבלנקה\u2069\ufffd[0m"
