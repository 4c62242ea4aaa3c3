"""The fake provider itself, without any wire: one answer a call, one memory, one clock of its own."""

import json
import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Self

from tests.support.provider import keys, webhooks
from tests.support.provider.faults import BROKEN, next_fault, spoiled
from tests.support.provider.model import (
    EVENING,
    Answer,
    Delivery,
    Effect,
    Fault,
    Kind,
    Moment,
    Request,
    Status,
)
from tests.support.provider.refunding import Wanted, find, listed, make, retrieve
from tests.support.provider.store import Store
from tests.support.provider.wire import REFUNDS, ApiError, refund_id


class Provider:
    """Stripe's refunds with every failure that a real provider has.

    With a `store` it remembers across processes; without one it lives in memory.
    The first half of its methods is the API, the second is for tests.
    """

    def __init__(self, store: Path | None = None, now_ms: int = EVENING) -> None:
        self._store = Store(store, now_ms)

    def answer(self, request: Request) -> Answer:
        """What the API answers to one call; its effect is there when this returns."""
        with self._store.transaction() as database:
            fault = next_fault(database)
            keys.forget_old(database)
            is_new = not keys.is_known(database, request.key)
            database.execute("SAVEPOINT effect")
            answer = self._honest(database, request)
            if fault is None:
                return answer
            if fault.moment is Moment.BEFORE:
                database.execute("ROLLBACK TO effect")
            if fault.kind is Kind.BROKEN and is_new:
                keys.remember(database, request, BROKEN)
            return spoiled(answer, fault.kind)

    def _honest(self, database: sqlite3.Connection, request: Request) -> Answer:
        try:
            _authorise(request)
            return self._routed(database, request)
        except ApiError as error:
            return error.answer

    def _routed(self, database: sqlite3.Connection, request: Request) -> Answer:
        match request.method, request.path.split("/")[1:]:
            case "POST", ["v1", "refunds"]:
                return self._create(database, request)
            case "GET", ["v1", "refunds"]:
                return listed(database, request.params)
            case "GET", ["v1", "refunds", reference]:
                return retrieve(database, reference)
        raise ApiError(HTTPStatus.NOT_FOUND, "Unrecognized request URL")

    def _create(self, database: sqlite3.Connection, request: Request) -> Answer:
        """A refund, or what the key remembers; malformed parameters are not remembered."""
        wanted = Wanted.read(request.params)
        first_answer = keys.remembered(database, request)
        if first_answer:
            return first_answer
        state = database.execute("SELECT now_ms, next_status FROM state").fetchone()
        try:
            answer = make(database, wanted, Status(state["next_status"]), state["now_ms"])
        except ApiError as error:
            answer = error.answer
        keys.remember(database, request, answer)
        return answer

    def charge(self, charge_id: str, amount: int, currency: str = "usd", payment_intent: str | None = None) -> None:
        """Makes a payment known that can be refunded; `amount` in the provider's units."""
        with self._store.transaction() as database:
            database.execute("INSERT INTO charges VALUES (?, ?, ?, ?)", (charge_id, payment_intent, amount, currency))

    def script(self, faults: Mapping[int, Fault]) -> None:
        """From now on the calls with these numbers go wrong; the next one is number 1."""
        with self._store.transaction() as database:
            (calls,) = database.execute("SELECT calls FROM state").fetchone()
            database.executemany(
                "INSERT OR REPLACE INTO faults VALUES (?, ?)", [(calls + nth, str(it)) for nth, it in faults.items()]
            )

    def draw(self, seed: int, share: float) -> None:
        """From now on this share of calls (0-1) goes wrong, the same ones for the same seed."""
        self._set(seed=seed, share=share)

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self._set(share=0)
        with self._store.transaction() as database:
            database.execute("DELETE FROM faults")

    def advance(self, ms: int) -> None:
        """Moves the provider's clock; a key older than a day is forgotten."""
        with self._store.transaction() as database:
            database.execute("UPDATE state SET now_ms = now_ms + ?", (ms,))

    def refunds_become(self, status: Status) -> None:
        """Refunds made from now on have this status."""
        self._set(next_status=status)

    def move(self, refund_reference: str, status: Status) -> None:
        """Gives a refund another status, as it may get one days later."""
        with self._store.transaction() as database:
            number = find(database, refund_reference)["number"]
            database.execute("UPDATE refunds SET status = ? WHERE number = ?", (status, number))
            (now_ms,) = database.execute("SELECT now_ms FROM state").fetchone()
            webhooks.announce_moved(database, find(database, refund_reference), now_ms)

    def calls(self) -> int:
        """How many calls of the API there were, those that went wrong included."""
        with self._store.transaction() as database:
            (calls,) = database.execute("SELECT calls FROM state").fetchone()
            return int(calls)

    def effects(self) -> list[Effect]:
        """Every refund that was really made, in order."""
        with self._store.transaction() as database:
            rows = database.execute(f"{REFUNDS} ORDER BY number").fetchall()
        return [
            Effect(
                refund_id(row["number"]),
                json.loads(row["metadata"]).get("remedy_id"),
                row["charge_id"],
                row["amount"],
                row["currency"],
                Status(row["status"]),
                row["created_ms"],
            )
            for row in rows
        ]

    def deliveries(self, secret: str, copies: int = 1, seed: int | None = None) -> list[Delivery]:
        """All webhooks so far, signed now, so many times over; shuffled where a seed is given."""
        with self._store.transaction() as database:
            (now_ms,) = database.execute("SELECT now_ms FROM state").fetchone()
            return webhooks.deliveries(database, secret, now_ms, copies, seed)

    def twin(self) -> Self:
        """Another provider, in memory, with the past of this one: whatever becomes of it, this one stays as it is."""
        twin = type(self)()
        self._store.copy_to(twin._store)  # noqa: SLF001 - of the same class
        return twin

    def close(self) -> None:
        """Lets go of the store."""
        self._store.close()

    def _set(self, **values: str | float) -> None:
        with self._store.transaction() as database:
            for column, value in values.items():
                database.execute(f"UPDATE state SET {column} = ?", (value,))  # noqa: S608 - named above


def _authorise(request: Request) -> None:
    if request.secret.startswith("rk_test_"):
        raise ApiError(HTTPStatus.FORBIDDEN, "The key lacks the permission")
    if not request.secret.startswith("sk_test_"):
        raise ApiError(HTTPStatus.UNAUTHORIZED, "Invalid API Key provided")
