"""Amounts as Stripe writes them: its number of digits is not always ISO 4217's.

Source: Stripe's documentation, "Supported currencies", with its special cases. Of
ISO's three-digit currencies it names five; how it would write the others it does
not say, and a guess could be wrong by a factor of a thousand.
"""

from dataclasses import dataclass
from typing import Final

from remediation.gateways.errors import RefusedError, SilentError
from remediation.money import DIGITS, Money


@dataclass(frozen=True, slots=True)
class _Writing:
    """Stripe's digits of the minor unit, and the number that every amount must be a multiple of."""

    digits: int
    step: int = 1


_TWO_DIGITS: Final = 2
_WHOLE: Final = (
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"  # Madagascar's ariary has two digits at ISO
)
_WHOLE_AS_HUNDREDTHS: Final = "ISK UGX"  # written with two digits, as in former times, though no fraction can be paid
_THREE_DIGITS: Final = "BHD JOD KWD OMR TND"  # card networks carry only two of the three: the last one must be 0
_WRITINGS: Final = {
    **{currency: _Writing(digits) for currency, digits in DIGITS.items() if digits == _TWO_DIGITS},
    **dict.fromkeys(_WHOLE.split(), _Writing(0)),
    **dict.fromkeys(_WHOLE_AS_HUNDREDTHS.split(), _Writing(2, step=100)),
    **dict.fromkeys(_THREE_DIGITS.split(), _Writing(3, step=10)),
}


def to_stripe(money: Money) -> int:
    """The amount in Stripe's units.

    Raises:
      RefusedError: Stripe cannot pay exactly this amount, or not in this currency.
    """
    writing = _WRITINGS.get(money.currency)
    if writing is None:
        raise RefusedError(f"Stripe does not say how it writes amounts in {money.currency!r}: pay it in another way")
    amount, rest = _rescaled(money.minor, DIGITS[money.currency], writing.digits)
    if amount <= 0 or rest or amount % writing.step:
        raise RefusedError(
            f"Stripe cannot refund exactly {money.minor} minor units of {money.currency}: pay them in another way"
        )
    return amount


def from_stripe(amount: int, currency: str) -> Money:
    """What Stripe writes as `amount` of `currency` (in lower case, as it does), in ISO's minor units.

    Raises:
      SilentError: It is not a whole number of minor units, or the currency is not known.
    """
    code = currency.upper()
    writing = _WRITINGS.get(code)
    if writing is None:
        raise SilentError(f"Stripe names an amount in {code!r}, which cannot be read: look it up there")
    minor, rest = _rescaled(amount, writing.digits, DIGITS[code])
    if rest:
        raise SilentError(f"Stripe names {amount} of {code}, no whole number of minor units: look it up there")
    return Money(minor, code)


def _rescaled(amount: int, digits: int, other_digits: int) -> tuple[int, int]:
    """The same sum with other digits, and what is left over where it has too many."""
    up: int = 10**other_digits
    down: int = 10**digits
    return divmod(amount * up, down)
