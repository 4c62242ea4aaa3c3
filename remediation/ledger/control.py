"""The switch that stands over everything: whether, and for whom, anything is sent at all."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, select, update

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.control_tables import CONTROL

PERCENTILES = 100


class Mode(StrEnum):
    """What may leave the house.

    `OFF` is the kill switch: nothing, from the next item on. `SHADOW` sends
    nothing either, and what is found meanwhile stays held until a person releases
    it. `CANARY` serves a fixed share of the customers, the rest waits. `NORMAL`
    serves all.
    """

    OFF = "off"
    SHADOW = "shadow"
    CANARY = "canary"
    NORMAL = "normal"


class ModeError(ValueError):
    """A mode that cannot be set so; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Control:
    """The switch as it stands. `salt` is this ledger's own secret, for choices and digests that nobody can foresee."""

    mode: Mode
    canary_percent: int
    salt: str

    @property
    def in_words(self) -> str:
        """As a person sets it: `canary 5 %`."""
        return f"{self.mode} {self.canary_percent} %" if self.mode is Mode.CANARY else str(self.mode)


def control(connection: Connection) -> Control:
    """The switch as this transaction sees it."""
    row = connection.execute(select(CONTROL)).one()
    return Control(Mode(row.mode), row.canary_percent, row.salt)


def set_mode(engine: Engine, mode: Mode, author: Author, reason: str, canary_percent: int | None = None) -> Control:
    """Turns the switch, and writes down who did it and why. What is being sent at this moment is not called back.

    Raises:
      ModeError: No reason, or a share that is none.
    """
    if not reason.strip():
        raise ModeError("the mode is changed for a reason: name it")
    if canary_percent is not None and not 0 <= canary_percent <= PERCENTILES:
        raise ModeError(f"{canary_percent} is no share of the customers: write a percentage from 0 to 100")
    with writing(engine) as connection:
        before = control(connection)
        share = before.canary_percent if canary_percent is None else canary_percent
        after = Control(mode, share, before.salt)
        connection.execute(update(CONTROL).values(mode=mode, canary_percent=share))
        note(connection, author, [Change("control", "mode", before.in_words, after.in_words, reason.strip())])
    return after


def percentile(customer_id: str, salt: str) -> int:
    """From 0 to 99, the same for a customer on every day, and another choice on every ledger."""
    digest = hmac.new(salt.encode(), customer_id.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8]) % PERCENTILES
