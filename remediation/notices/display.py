"""Amounts, durations and times as a customer reads them. Nothing here is ever parsed back."""

import re
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.numbers import format_decimal
from babel.units import format_unit

from remediation.money import DIGITS, Money
from remediation.notices.catalogues import Words

_CODE_BEFORE_DIGIT: Final = re.compile(r"(?<=[A-Z]{3})(?=\d)")
"""CLDR sets `KWD 2.990` apart (currencySpacing), Babel writes `KWD2.990`."""

_LETTERS_AND_SIGN: Final = re.compile(r"[A-Z]+[^\w\s.]")
"""A currency such as `US$`: from right to left its sign would jump before its letters, unless a mark follows it."""

_SHOWN_WITH_TENTHS_MS: Final = 10_000
_MINUTES_AN_HOUR: Final = 60
_METRES_A_KILOMETRE: Final = 1000
_ORDINARY: Final = str.maketrans(
    {
        "\u00a0": " ",  # no-break space
        "\u202f": " ",  # narrow no-break space
        "\uffe5": "\u00a5",  # the fullwidth yen sign that Babel writes in Japanese
        "\uffe1": "\u00a3",  # fullwidth pound
    }
)
"""Characters that some mail programs show as boxes or double-width, and searches do not find."""

_DIGITS: Final = {"arab": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")}
"""Digits other than ours, by CLDR's name of them; Babel knows their separators, and writes ours between those."""


@dataclass(frozen=True, slots=True)
class Display:
    """How figures read in one language (`words`) under the conventions of one `locale`."""

    words: Words
    locale: Locale

    def money(self, money: Money) -> str:
        """The exact amount with its currency sign, such as `$2.99`, `2,99 €` or `¥299`.

        It shows as many decimals as the minor unit has: Babel's own choice is
        what people write by habit, and rounds three currencies' money away.
        Its no-break spaces and fullwidth signs become ordinary ones.

        Raises:
          UnknownCurrencyError: ISO 4217 does not list the currency.
        """
        exact = money.decimal
        pattern = copy(self.locale.currency_formats["standard"])
        pattern.frac_prec = (DIGITS[money.currency], DIGITS[money.currency])
        shown: str = pattern.apply(
            exact, self.locale, currency=money.currency, currency_digits=False, numbering_system=self._numbering
        )
        if self.locale.text_direction == "rtl":
            shown = _LETTERS_AND_SIGN.sub("\\g<0>\u200e", shown)
        return _CODE_BEFORE_DIGIT.sub(" ", self._shown(shown))

    def figure(self, value: int | Decimal) -> str:
        """A bare number in the digits and separators of the locale, such as `1,234`."""
        return self._shown(format_decimal(value, locale=self.locale, numbering_system=self._numbering))

    def duration(self, duration_ms: int) -> str:
        """A duration of milliseconds, such as `4 min 10 s`, rounded half up to what is shown.

        Below ten seconds tenths show; from an hour on, minutes are the least that shows.
        """
        if duration_ms < _SHOWN_WITH_TENTHS_MS:
            tenths = _rounded(Decimal(duration_ms) / 1000, Decimal("0.1"))
            if tenths % 1:
                return self.words.gettext("%(seconds)s s") % {"seconds": self.figure(tenths)}
        minutes, seconds = divmod(int(_rounded(Decimal(duration_ms) / 1000, Decimal(1))), 60)
        if minutes >= _MINUTES_AN_HOUR:
            hours, minutes = divmod(int(_rounded(Decimal(duration_ms) / 60_000, Decimal(1))), 60)
            return self._together(self._hours(hours), self._minutes(minutes))
        if minutes:
            return self._together(self._minutes(minutes), self._seconds(seconds))
        return self._seconds(seconds)

    def span(self, first: int, last: int, zone: tzinfo) -> str:
        """The day and the clock times in `zone` of two moments (milliseconds since the epoch), with the zone's name.

        Clock times are cut to the minute, as a clock on the wall shows them.
        The zone is named because a zone that we do not know is shown as UTC.
        """
        start, end = (datetime.fromtimestamp(moment // 1000, UTC).astimezone(zone) for moment in (first, last))
        figures = {
            "date": self.day(start),
            "start": self._time(start),
            "end_date": self.day(end),
            "end": self._time(end),
            "zone": self._shown(get_timezone_name(start, locale=self.locale)),
        }
        if figures["date"] != figures["end_date"]:
            return self.words.gettext("%(date)s, %(start)s to %(end_date)s, %(end)s, %(zone)s") % figures
        if figures["start"] != figures["end"]:
            return self.words.gettext("%(date)s, between %(start)s and %(end)s, %(zone)s") % figures
        return self.words.gettext("%(date)s, at %(start)s, %(zone)s") % figures

    def day(self, day: date) -> str:
        """A calendar day with its weekday, such as `Saturday, November 21, 2026`."""
        return self._shown(format_date(day, "full", locale=self.locale))

    def day_of(self, moment: int, zone: tzinfo) -> str:
        """The day in `zone` of a moment (milliseconds since the epoch).

        Only UTC is named: there, the day may not be that of the customer's wall calendar.
        """
        local = datetime.fromtimestamp(moment // 1000, UTC).astimezone(zone)
        figures = {"date": self.day(local), "zone": self._shown(get_timezone_name(local, locale=self.locale))}
        return self.words.gettext("%(date)s, %(zone)s") % figures if str(zone) == "UTC" else figures["date"]

    def distance(self, distance_m: int) -> str:
        """A distance of metres, such as `430 m`; from a kilometre on in kilometres with one decimal."""
        if distance_m < _METRES_A_KILOMETRE:
            return self._measured(distance_m, "length-meter")
        return self._measured(_rounded(Decimal(distance_m) / _METRES_A_KILOMETRE, Decimal("0.1")), "length-kilometer")

    def _measured(self, value: int | Decimal, unit: str) -> str:
        return self._shown(format_unit(value, unit, "short", locale=self.locale, numbering_system=self._numbering))

    def _hours(self, count: int) -> str:
        return self.words.ngettext("%(count)s h", "%(count)s h", count) % {"count": self.figure(count)}

    def _minutes(self, count: int) -> str:
        return self.words.ngettext("%(count)s min", "%(count)s min", count) % {"count": self.figure(count)}

    def _seconds(self, count: int) -> str:
        return self.words.ngettext("%(count)s s", "%(count)s s", count) % {"count": self.figure(count)}

    def _together(self, longer: str, shorter: str) -> str:
        return self.words.gettext("%(longer)s %(shorter)s") % {"longer": longer, "shorter": shorter}

    def _time(self, moment: datetime) -> str:
        return self._shown(format_time(moment, "short", locale=self.locale))

    @property
    def _numbering(self) -> str:
        """The locale's own numbering where we have its digits; one mail never mixes two kinds."""
        own: str = self.locale.default_numbering_system
        return own if own in _DIGITS else "latn"

    def _shown(self, text: str) -> str:
        return text.translate(_ORDINARY).translate(_DIGITS.get(self._numbering, {}))


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, rounding=ROUND_HALF_UP)
