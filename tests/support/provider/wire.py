"""Stripe's objects and errors as JSON. Field names are checked against Stripe's own mock by `-m servers`."""

import json
import sqlite3
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from tests.support.provider.model import Answer, Status

UNDONE: Final = frozenset({Status.FAILED, Status.CANCELED})
"""The customer has not got this money, so that the charge can be refunded again."""

REFUNDS: Final = """
SELECT number, charge_id, payment_intent, refunds.amount AS amount, currency, status, metadata, reason, created_ms
FROM refunds JOIN charges USING (charge_id)
"""


class ApiError(Exception):
    """A call that Stripe would refuse."""

    def __init__(
        self, status: HTTPStatus, message: str, *, code: str | None = None, param: str | None = None, kind: str = ""
    ) -> None:
        super().__init__(message)
        members = {"type": kind or "invalid_request_error", "code": code, "param": param, "message": message}
        self.answer = answered({"error": {name: value for name, value in members.items() if value}}, status)


def answered(content: object, status: int = HTTPStatus.OK) -> Answer:
    """The content as it goes over the wire."""
    return Answer(status, json.dumps(content).encode())


def refund_id(number: int) -> str:
    """The name of the refund with this number."""
    return f"re_fake{number:08d}"


def refund(row: sqlite3.Row) -> dict[str, object]:
    """A row of `REFUNDS`."""
    return {
        "id": refund_id(row["number"]),
        "object": "refund",
        "amount": row["amount"],
        "balance_transaction": None,
        "charge": row["charge_id"],
        "created": row["created_ms"] // 1000,
        "currency": row["currency"],
        "metadata": json.loads(row["metadata"]),
        "payment_intent": row["payment_intent"],
        "reason": row["reason"],
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": row["status"],
        "transfer_reversal": None,
    }


def charge(row: sqlite3.Row, refunded: int) -> dict[str, object]:
    """A row of `charges`, of which so much is refunded."""
    return {
        "id": row["charge_id"],
        "object": "charge",
        "amount": row["amount"],
        "amount_refunded": refunded,
        "currency": row["currency"],
        "metadata": {},
        "payment_intent": row["payment_intent"],
        "refunded": refunded == row["amount"],
    }


def refund_list(rows: Sequence[sqlite3.Row], *, has_more: bool) -> Answer:
    """A page of refunds."""
    return answered(
        {"object": "list", "url": "/v1/refunds", "has_more": has_more, "data": [refund(row) for row in rows]}
    )
