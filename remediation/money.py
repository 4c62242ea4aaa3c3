"""Money is an integer of minor units with its ISO 4217 currency."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Self

# Babel's digits are CLDR's, which say what people write, not what a minor unit is: 0 for IQD (ISO: 3) and for
# AFN, ALL, LBP and RSD (ISO: 2). An amount read with them is wrong by a factor of a hundred or a thousand.
_TWO_DIGITS: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"
DIGITS: Final = {
    **dict.fromkeys(_TWO_DIGITS.split(), 2),
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
}
"""Digits of the minor unit of every currency in circulation. Source: ISO 4217, list one, without funds and metals."""


class CurrencyMismatchError(ValueError):
    """Two currencies met in one sum."""


class UnknownCurrencyError(ValueError):
    """A code that ISO 4217 does not list as money in circulation: how large its minor unit is, nobody can say."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`minor` units of `currency`: 299 USD is 2.99 dollars, 299 JPY is 299 yen, 2990 KWD is 2.990 dinars."""

    minor: int
    currency: str

    def __add__(self, other: Self) -> "Money":
        """The sum.

        Raises:
          CurrencyMismatchError: The currencies differ.
        """
        self._check(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Self) -> "Money":
        """The difference, which may be negative.

        Raises:
          CurrencyMismatchError: The currencies differ.
        """
        self._check(other)
        return Money(self.minor - other.minor, self.currency)

    def share(self, ratio: Decimal | Fraction) -> "Money":
        """The given share (0-1, or more), rounded half away from zero: the one rounding rule of the house.

        Reckoned exactly, so that one thirtieth of 45 is 1.5 and becomes 2, whatever
        the precision of the caller's decimal context.
        """
        exact = self.minor * Fraction(ratio)
        rounded = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
        return Money(rounded if exact >= 0 else -rounded, self.currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, for display only; exponents follow ISO 4217 (JPY 0, USD 2, KWD 3).

        Raises:
          UnknownCurrencyError: The currency is not in `DIGITS`.
        """
        if self.currency not in DIGITS:
            raise UnknownCurrencyError(f"{self.currency!r} is no ISO 4217 currency: correct it in the order line")
        return Decimal(self.minor).scaleb(-DIGITS[self.currency])

    def _check(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} cannot be added: convert neither, ask")
