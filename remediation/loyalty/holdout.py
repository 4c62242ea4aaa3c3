"""The hold-out: a share of the customers, whom nobody can foresee, gets all that is owed and no goodwill."""

import hmac
import re
from dataclasses import dataclass, field
from typing import Final, Self

from remediation.ledger.control import percentile
from remediation.remedy import Arm

_HEX_KEY: Final = re.compile(r"[0-9a-fA-F]{64,256}")


class HoldoutKeyError(ValueError):
    """A key that cannot be used; the sentence does not repeat it."""


@dataclass(frozen=True, slots=True)
class Holdout:
    """How many customers of a hundred are held out, and the secret key that chooses them."""

    percent: int
    key: str = field(repr=False)

    @classmethod
    def of(cls, percent: int, key: str) -> Self:
        """The hold-out under a key of 32 to 128 bytes in hexadecimal digits.

        Raises:
          HoldoutKeyError: It is no such key.
        """
        if not _HEX_KEY.fullmatch(key):
            raise HoldoutKeyError("must be 64 to 256 hexadecimal digits, as `openssl rand -hex 32` prints them")
        return cls(percent, key.lower())

    @property
    def sha256(self) -> str:
        """Hex digest that changes with the key, and from which it cannot be found."""
        return hmac.digest(bytes.fromhex(self.key), b"hold-out", "sha256").hex()

    def arm_of(self, customer_id: str) -> Arm:
        """The same for a customer on every night, whatever else is known of them."""
        return "holdout" if percentile(customer_id, self.key) < self.percent else "goodwill"
