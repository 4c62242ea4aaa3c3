"""How often something outside is asked again: a ladder for each item, a breaker and a pace for each gateway."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, select

from remediation.database import writing
from remediation.durations import HOUR_MS, MINUTE_MS
from remediation.ledger.control_tables import BREAKERS
from remediation.ledger.sql import insert

LADDER_MS: Final = (MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS)
"""How long an item rests after its first, second ... fruitless attempt; the last step holds for all later ones."""

MAX_ATTEMPTS: Final = 32
"""After a week on the ladder a person takes over."""

TRIPS_AFTER: Final = 3
"""So many calls in a row without any answer, and the gateway is taken to be down."""

PAUSES_MS: Final = (MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS)
"""How long it is then left alone; after each pause a single call shows whether it is back."""


def rest_ms(attempts: int) -> int:
    """How long an item rests after so many attempts, in milliseconds."""
    return LADDER_MS[min(attempts, len(LADDER_MS)) - 1]


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is known of a gateway: fruitless calls in a row, and until when it is left alone."""

    failures: int
    open_until: int


class Breaker:
    """A gateway's circuit breaker. It stands in the ledger, so that the next process knows what this one learnt."""

    def __init__(self, engine: Engine, gateway: str) -> None:
        self._engine = engine
        self._gateway = gateway
        self._standing = self._read()

    def is_open(self, now_ms: int) -> bool:
        """Whether the gateway is to be left alone at this moment (milliseconds since the epoch)."""
        return now_ms < self._standing.open_until

    def succeeded(self) -> None:
        """It has answered, whatever it said."""
        if self._standing.failures:
            self._write(_Standing(0, 0))

    def failed(self, now_ms: int) -> None:
        """It has not answered."""
        failures = self._standing.failures + 1
        beyond = failures - TRIPS_AFTER
        pause = PAUSES_MS[min(beyond, len(PAUSES_MS) - 1)] if beyond >= 0 else 0
        self._write(_Standing(failures, now_ms + pause))

    def asked_to_wait(self, now_ms: int, wait_ms: int) -> None:
        """It has answered that nothing may be asked of it for so long."""
        self._write(_Standing(self._standing.failures, now_ms + wait_ms))

    def _read(self) -> _Standing:
        with self._engine.connect() as connection:
            row = connection.execute(select(BREAKERS).where(BREAKERS.c.gateway == self._gateway)).first()
        return _Standing(row.failures, row.open_until) if row else _Standing(0, 0)

    def _write(self, standing: _Standing) -> None:
        values = {"failures": standing.failures, "open_until": standing.open_until}
        with writing(self._engine) as connection:
            statement = insert(connection, BREAKERS).values(gateway=self._gateway, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=[BREAKERS.c.gateway], set_=values))
        self._standing = standing


class Pace:
    """At most so many calls a second, evenly spaced. `clock` gives seconds, `rest` waits for some."""

    def __init__(self, per_second: float, clock: Callable[[], float], rest: Callable[[float], None]) -> None:
        self._gap_s = 1 / per_second
        self._clock = clock
        self._rest = rest
        self._next_s = 0.0

    def keep(self) -> None:
        """Returns when the next call may be made."""
        now = self._clock()
        if now < self._next_s:
            self._rest(self._next_s - now)
        self._next_s = max(now, self._next_s) + self._gap_s
