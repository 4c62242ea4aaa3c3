# ruff: noqa: RUF001 - other scripts have letters that look like Latin ones
"""Figures as a customer reads them: exact, ordinary characters, their own clock."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from remediation.money import DIGITS, Money, UnknownCurrencyError
from remediation.notices.catalogues import words
from remediation.notices.display import Display
from remediation.preview.samples import MINUTE, NINE_IN_THE_EVENING


def display(locale: str = "en", language: str = "en") -> Display:
    return Display(words(language, "plain"), Locale.parse(locale))


@pytest.mark.parametrize(
    ("locale", "minor", "currency", "shown"),
    [
        ("en_US", 299, "USD", "$2.99"),
        ("en_GB", 299, "USD", "US$2.99"),
        ("ja_JP", 299, "USD", "$2.99"),
        ("de_DE", 299, "USD", "2,99 $"),
        ("ja_JP", 299, "JPY", "¥299"),
        ("en_US", 299, "JPY", "¥299"),
        ("en_US", 1_250, "EUR", "€12.50"),
        ("fr_FR", 123_450, "EUR", "1 234,50 €"),
        ("en_US", 2_990, "KWD", "KWD 2.990"),
        ("ja_JP", 2_990, "KWD", "KWD 2.990"),
        ("en_US", 2_990, "IQD", "IQD 2.990"),
        ("en_US", 29_900, "RSD", "RSD 299.00"),
        ("de_AT", 299, "USD", "$ 2,99"),
        ("es_ES", 1_234_550, "EUR", "12.345,50 €"),
        ("es_MX", 299, "USD", "USD 2.99"),
        ("ar", 299, "USD", "\u200f2.99 US$\u200e"),
        ("ar_EG", 299, "USD", "\u200f٢٫٩٩ US$\u200e"),
        ("ar_EG", 29_900, "KRW", "\u200f٢٩٬٩٠٠ ₩"),
        ("ar_KW", 2_990, "KWD", "\u200f٢٫٩٩٠ د.ك.\u200f"),
    ],
)
def test_an_amount_reads_as_at_home(locale: str, minor: int, currency: str, shown: str) -> None:
    assert display(locale).money(Money(minor, currency)) == shown


@given(
    minor=st.integers(min_value=0, max_value=10**12),
    currency=st.sampled_from(sorted(DIGITS)),
    locale=st.sampled_from(["en_US", "ja_JP", "de_DE", "fr_FR", "ar_EG", "hi_IN"]),
)
def test_every_digit_of_an_amount_is_shown_and_none_is_made_up(minor: int, currency: str, locale: str) -> None:
    shown = display(locale).money(Money(minor, currency))

    assert int("".join(filter(str.isdecimal, shown))) == minor
    assert not set(shown) & set("\u00a0\u202f\uffe5")


def test_money_that_nobody_knows_is_not_shown() -> None:
    with pytest.raises(UnknownCurrencyError):
        display().money(Money(1, "XXX"))


@pytest.mark.parametrize(
    ("duration_ms", "english", "japanese"),
    [
        (300, "0.3 s", "0.3秒"),
        (2_349, "2.3 s", "2.3秒"),
        (2_350, "2.4 s", "2.4秒"),
        (9_960, "10 s", "10秒"),
        (10_900, "11 s", "11秒"),
        (59_500, "1 min 0 s", "1分0秒"),
        (250_000, "4 min 10 s", "4分10秒"),
        (3_580_000, "59 min 40 s", "59分40秒"),
        (3_599_500, "1 h 0 min", "1時間0分"),
        (4_350_000, "1 h 13 min", "1時間13分"),
    ],
)
def test_a_duration_is_as_exact_as_a_viewer_can_tell(duration_ms: int, english: str, japanese: str) -> None:
    assert display().duration(duration_ms) == english
    assert display("ja", "ja").duration(duration_ms) == japanese


@pytest.mark.parametrize(
    ("duration_ms", "shown"),
    [
        (2_349, "2.3 ثانية"),
        (1_000, "ثانية واحدة"),
        (9_000, "9 ثوانٍ"),
        (12_000, "12 ثانية"),
        (62_000, "دقيقة واحدة وثانيتان"),
        (250_000, "4 دقائق و10 ثوانٍ"),
        (6_000_000, "ساعة واحدة و40 دقيقة"),
        (111_000_000, "30 ساعة و50 دقيقة"),
    ],
)
def test_arabic_counts_seconds_minutes_and_hours_in_its_six_forms(duration_ms: int, shown: str) -> None:
    assert display("ar", "ar").duration(duration_ms) == shown


def test_one_mail_has_one_kind_of_digits() -> None:
    egyptian = display("ar_EG", "ar")

    assert egyptian.figure(1_234) == "١٬٢٣٤"
    assert egyptian.duration(250_000) == "٤ دقائق و١٠ ثوانٍ"
    assert egyptian.day(date(2026, 11, 18)) == "الأربعاء، ١٨ نوفمبر ٢٠٢٦"
    assert egyptian.distance(12_345) == "١٢٫٣ كم"
    assert egyptian.span(NINE_IN_THE_EVENING, NINE_IN_THE_EVENING, ZoneInfo("Asia/Tokyo")) == (
        "السبت، ٢١ نوفمبر ٢٠٢٦، الساعة ٩:٠٤ م (توقيت اليابان الرسمي)"
    )


@pytest.mark.parametrize(
    ("lasting_ms", "zone", "shown"),
    [
        (27 * MINUTE, "Asia/Tokyo", "Saturday 21 November 2026, between 21:04 and 21:31, Japan Standard Time"),
        (
            27 * MINUTE,
            "Europe/Berlin",
            "Saturday 21 November 2026, between 13:04 and 13:31, Central European Standard Time",
        ),
        (20_000, "Asia/Tokyo", "Saturday 21 November 2026, at 21:04, Japan Standard Time"),
        (
            200 * MINUTE,
            "Asia/Tokyo",
            "Saturday 21 November 2026, 21:04 to Sunday 22 November 2026, 00:24, Japan Standard Time",
        ),
    ],
)
def test_the_time_is_that_of_the_clock_on_the_customers_wall(lasting_ms: int, zone: str, shown: str) -> None:
    span = display("en_GB").span(NINE_IN_THE_EVENING, NINE_IN_THE_EVENING + lasting_ms, ZoneInfo(zone))

    assert span.replace("day, 2", "day 2") == shown


@pytest.mark.parametrize(
    ("locale", "language", "zone", "shown"),
    [
        ("en_US", "en", "Asia/Tokyo", "Saturday, November 21, 2026"),
        ("en_US", "en", "Pacific/Kiritimati", "Sunday, November 22, 2026"),
        ("en_US", "en", "UTC", "Saturday, November 21, 2026, Coordinated Universal Time"),
        ("ja_JP", "ja", "Asia/Tokyo", "2026年11月21日土曜日"),
        ("ja_JP", "ja", "UTC", "2026年11月21日土曜日（協定世界時）"),
    ],
)
def test_a_moment_falls_on_the_day_that_its_zone_had(locale: str, language: str, zone: str, shown: str) -> None:
    assert display(locale, language).day_of(NINE_IN_THE_EVENING, ZoneInfo(zone)) == shown


def test_a_day_is_the_same_everywhere() -> None:
    assert display("en_GB").day(date(2026, 11, 18)).replace("day, 1", "day 1") == "Wednesday 18 November 2026"
    assert display("ja", "ja").day(date(2026, 11, 18)) == "2026年11月18日水曜日"


@pytest.mark.parametrize(
    ("distance_m", "locale", "shown"),
    [
        (0, "en", "0 m"),
        (430, "en", "430 m"),
        (999, "ja", "999 m"),
        (1_000, "en", "1 km"),
        (1_249, "ja", "1.2 km"),
        (1_250, "en", "1.3 km"),
        (12_345_678, "en", "12,345.7 km"),
        (12_345_678, "de", "12.345,7 km"),
    ],
)
def test_a_distance_is_in_metres_or_kilometres(distance_m: int, locale: str, shown: str) -> None:
    assert display(locale).distance(distance_m) == shown


def test_a_minute_past_midnight_is_the_next_day_in_japanese() -> None:
    span = display("ja", "ja").span(NINE_IN_THE_EVENING, NINE_IN_THE_EVENING + 200 * MINUTE, ZoneInfo("Asia/Tokyo"))

    assert span == "2026年11月21日土曜日 21:04〜2026年11月22日日曜日 0:24（日本標準時）"
