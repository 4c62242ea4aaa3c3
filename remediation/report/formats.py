"""Figures and foreign text as the report, the summary and the explanation print them: English, UTC, exact."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from remediation.money import Money, UnknownCurrencyError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_UP_TO_MS: Final = 120_000
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"  # Persian, Indic scripts and emoji are misspelt without them
_MAIL_MARKS: Final = _JOINERS + "\u200e\u200f\u2066\u2067\u2068\u2069\n"  # a mail isolates its right-to-left parts
_REPLACEMENT: Final = "\ufffd"


def duration(ms: int) -> str:
    """A duration from milliseconds: `250 ms`, `10.9 s`, `4 min 10 s`, `1 h 32 min`."""
    if ms < 1_000:  # noqa: PLR2004 - a second
        return f"{ms} ms"
    if ms < _SECONDS_UP_TO_MS:
        tenths = (ms + 50) // 100
        return f"{tenths // 10}.{tenths % 10} s"
    seconds = (ms + 500) // 1_000
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(ms: int) -> str:
    """A moment from milliseconds since the epoch: `2026-11-21 20:04:31 UTC`."""
    return f"{_utc(ms):%Y-%m-%d %H:%M:%S} UTC"


def span(first_ms: int, last_ms: int) -> str:
    """Two moments with the date once where they share it: `2026-11-21 20:04:31 to 20:31:07 UTC`."""
    first, last = _utc(first_ms), _utc(last_ms)
    if f"{first:%Y-%m-%d %H:%M:%S}" == f"{last:%Y-%m-%d %H:%M:%S}":
        return moment(first_ms)
    end = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    return f"{first:%Y-%m-%d %H:%M:%S} to {end} UTC"


def day(ms: int) -> str:
    """A moment as a heading: `22 November 2026, 06:00 UTC`."""
    at = _utc(ms)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def short_date(ms: int, *, year: bool = False) -> str:
    """A date as an axis or a table has it: `22 Nov`, `22 Nov 2026`."""
    at = _utc(ms)
    return f"{at.day} {at:%b}{at: %Y}" if year else f"{at.day} {at:%b}"


def amount(money: Money) -> str:
    """An exact amount: `2.99 USD`, `1,200 JPY`, `2.990 KWD`; minor units where the currency's digits are not known."""
    try:
        return f"{money.decimal:,f} {money.currency}"
    except UnknownCurrencyError:
        return f"{money.minor:,} minor units of {one_line(money.currency)}"


def amounts(by_currency: tuple[Money, ...]) -> str:
    """Sums of several currencies, never added up: `2.99 USD and 400 JPY`; `nothing` where there is none."""
    return listed(tuple(amount(money) for money in by_currency)) or "nothing"


def sums(items: Iterable[Money]) -> tuple[Money, ...]:
    """One sum a currency, by currency."""
    by_currency: dict[str, Money] = {}
    for money in items:
        by_currency[money.currency] = by_currency.get(money.currency, Money(0, money.currency)) + money
    return tuple(by_currency[currency] for currency in sorted(by_currency))


def listed(items: Sequence[str]) -> str:
    """Items as a sentence lists them: `a`, `a and b`, `a, b and c`; empty where there is none."""
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else "".join(items)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun: `1 stall`, `2,000 stalls`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def percent(ratio: float) -> str:
    """A share with one decimal: `12.6 %`."""
    return f"{ratio * 100:.1f} %"


def one_line(text: str, limit: int = 200) -> str:
    """Foreign text (an id, a title, a reason) that can not leave its line, steer a terminal or turn the text around.

    Control, bidirectional and other unseen characters become U+FFFD, so that a
    reader sees that something was there; white space collapses; what exceeds
    `limit` characters is cut with an ellipsis.
    """
    spaced = " ".join(text[: 4 * limit].split())
    seen = "".join(_seen(character, keep=_JOINERS) for character in spaced)
    return seen if len(seen) <= limit and len(text) <= 4 * limit else seen[: limit - 1] + "…"


def block(text: str) -> str:
    """Text of several lines, such as a mail's, with its line breaks and direction marks but nothing that steers."""
    return "".join(_seen(character, keep=_MAIL_MARKS) for character in text.replace("\r\n", "\n").replace("\t", "    "))


def _seen(character: str, *, keep: str) -> str:
    return _REPLACEMENT if unicodedata.category(character) in _UNSEEN and character not in keep else character


def _utc(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
