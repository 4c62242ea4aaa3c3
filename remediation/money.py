"""Money is an integer of minor units with its ISO 4217 currency."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from babel.numbers import get_currency_precision


class CurrencyMismatchError(ValueError):
    """Two currencies met in one sum."""


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

    def share(self, ratio: Decimal) -> "Money":
        """The given share (0-1, or more), rounded half up: the one rounding rule of the house."""
        return Money(int((self.minor * ratio).quantize(Decimal(1), rounding=ROUND_HALF_UP)), self.currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, for display only; exponents follow ISO 4217 (JPY 0, USD 2, KWD 3)."""
        return Decimal(self.minor).scaleb(-get_currency_precision(self.currency))

    def _check(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} cannot be added: convert neither, ask")
