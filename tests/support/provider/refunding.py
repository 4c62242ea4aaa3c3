"""The part of the API that is about refunds: making one, finding one, listing them."""

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from tests.support.provider.model import Answer, Status
from tests.support.provider.webhooks import announce_made
from tests.support.provider.wire import REFUNDS, UNDONE, ApiError, answered, refund, refund_id, refund_list

MAX_LISTED: Final = 100
_METADATA: Final = re.compile(r"metadata\[([^\]]{1,40})\]")
_WHOLE: Final = re.compile(r"[0-9]{1,12}")
_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
_FILTERS: Final = {
    "charge": "charge_id = ?",
    "payment_intent": "payment_intent = ?",
    "created[gte]": "created_ms / 1000 >= CAST(? AS INTEGER)",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A refund as it was asked for, its parameters being well-formed."""

    column: str
    payment_id: str
    amount: int | None
    reason: str | None
    metadata: Mapping[str, str]

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Self:
        """The parameters of `POST /v1/refunds`."""
        metadata = {match[1]: value for name, value in params.items() if (match := _METADATA.fullmatch(name))}
        named = {name: value for name, value in params.items() if not _METADATA.fullmatch(name)}
        _refuse_unknown(named, {"charge", "payment_intent", "amount", "reason"})
        if ("charge" in named) == ("payment_intent" in named):
            raise ApiError(HTTPStatus.BAD_REQUEST, "Name either a charge or a payment intent", param="charge")
        if named.get("reason", "duplicate") not in _REASONS:
            raise ApiError(HTTPStatus.BAD_REQUEST, "Invalid reason", param="reason")
        column, name = ("charge_id", "charge") if "charge" in named else ("payment_intent", "payment_intent")
        amount = _whole(named, "amount", at_least=1)
        return cls(column, named[name], amount, named.get("reason"), metadata)


def make(database: sqlite3.Connection, wanted: Wanted, status: Status, now_ms: int) -> Answer:
    """Makes the refund, if the charge has so much left."""
    charge = database.execute(
        f"SELECT * FROM charges WHERE {wanted.column} = ?",  # noqa: S608 - one of two names above
        (wanted.payment_id,),
    ).fetchone()
    if charge is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "No such payment", code="resource_missing", param=wanted.column)
    left = charge["amount"] - refunded(database, charge["charge_id"])
    if left == 0:
        raise ApiError(HTTPStatus.BAD_REQUEST, "The charge is refunded already", code="charge_already_refunded")
    amount = left if wanted.amount is None else wanted.amount
    if amount > left:
        raise ApiError(HTTPStatus.BAD_REQUEST, "The amount is greater than what is left", param="amount")
    number = database.execute(
        "INSERT INTO refunds (charge_id, amount, status, metadata, reason, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (charge["charge_id"], amount, status, json.dumps(wanted.metadata), wanted.reason, now_ms),
    ).lastrowid
    made = database.execute(f"{REFUNDS} WHERE number = ?", (number,)).fetchone()
    announce_made(database, made, charge, refunded(database, charge["charge_id"]), now_ms)
    return answered(refund(made))


def refunded(database: sqlite3.Connection, charge_id: str) -> int:
    """How much of a charge is refunded, or will be."""
    rows = database.execute("SELECT amount, status FROM refunds WHERE charge_id = ?", (charge_id,))
    return sum(row["amount"] for row in rows if row["status"] not in UNDONE)


def retrieve(database: sqlite3.Connection, reference: str) -> Answer:
    """One refund."""
    return answered(refund(find(database, reference)))


def find(database: sqlite3.Connection, reference: str) -> sqlite3.Row:
    """The row of `REFUNDS` that has this name."""
    digits = reference.removeprefix("re_fake")
    number = int(digits) if _WHOLE.fullmatch(digits) else 0
    row: sqlite3.Row | None = database.execute(f"{REFUNDS} WHERE number = ?", (number,)).fetchone()
    if row is None or refund_id(number) != reference:
        raise ApiError(HTTPStatus.NOT_FOUND, "No such refund", code="resource_missing", param="id")
    return row


def listed(database: sqlite3.Connection, params: Mapping[str, str]) -> Answer:
    """A page of refunds, the newest first."""
    _refuse_unknown(params, {*_FILTERS, "limit", "starting_after"})
    _whole(params, "created[gte]")
    limit = _whole(params, "limit", at_least=1) or 10
    if limit > MAX_LISTED:
        raise ApiError(HTTPStatus.BAD_REQUEST, "Invalid limit", param="limit")
    conditions = [_FILTERS[name] for name in params if name in _FILTERS]
    values: list[str | int] = [params[name] for name in params if name in _FILTERS]
    if "starting_after" in params:
        conditions.append("number < ?")
        values.append(find(database, params["starting_after"])["number"])
    query = f"{REFUNDS} WHERE {' AND '.join(conditions) or 'TRUE'} ORDER BY number DESC LIMIT ?"
    rows = database.execute(query, (*values, limit + 1)).fetchall()
    return refund_list(rows[:limit], has_more=len(rows) > limit)


def _refuse_unknown(params: Mapping[str, str], known: set[str]) -> None:
    for name in params.keys() - known:
        raise ApiError(HTTPStatus.BAD_REQUEST, "Unknown parameter", code="parameter_unknown", param=name)


def _whole(params: Mapping[str, str], name: str, at_least: int = 0) -> int | None:
    if name not in params:
        return None
    if not _WHOLE.fullmatch(params[name]) or int(params[name]) < at_least:
        raise ApiError(HTTPStatus.BAD_REQUEST, "Invalid integer", code="parameter_invalid_integer", param=name)
    return int(params[name])
