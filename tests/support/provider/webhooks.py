"""What the provider would tell by webhook: written down as it happens, told as often and in whatever order is asked."""

import hmac
import json
import random
import sqlite3

from tests.support.provider import wire
from tests.support.provider.model import Delivery, Status


def announce_made(
    database: sqlite3.Connection, refund: sqlite3.Row, charge: sqlite3.Row, refunded: int, now_ms: int
) -> None:
    """A refund was made."""
    _write(database, "refund.created", wire.refund(refund), now_ms)
    _write(database, "charge.refunded", wire.charge(charge, refunded), now_ms)


def announce_moved(database: sqlite3.Connection, refund: sqlite3.Row, now_ms: int) -> None:
    """A refund has another status."""
    kinds = ["refund.updated", "charge.refund.updated"]
    if refund["status"] == Status.FAILED:
        kinds.append("refund.failed")
    for kind in kinds:
        _write(database, kind, wire.refund(refund), now_ms)


def deliveries(
    database: sqlite3.Connection, secret: str, signed_at_ms: int, copies: int, seed: int | None
) -> list[Delivery]:
    """Everything announced so far, so many times over; shuffled by `seed`, else in order."""
    bodies = [row["body"].encode() for row in database.execute("SELECT body FROM events ORDER BY number")] * copies
    if seed is not None:
        random.Random(seed).shuffle(bodies)  # noqa: S311 - the same order every time is what is wanted
    return [Delivery(body, signature(secret, signed_at_ms // 1000, body)) for body in bodies]


def signature(secret: str, signed_at_s: int, body: bytes) -> str:
    """The header that proves who sent the body, and when."""
    digest = hmac.new(secret.encode(), f"{signed_at_s}.".encode() + body, "sha256").hexdigest()
    return f"t={signed_at_s},v1={digest}"


def _write(database: sqlite3.Connection, kind: str, subject: dict[str, object], now_ms: int) -> None:
    (count,) = database.execute("SELECT count(*) FROM events").fetchone()
    event = {
        "id": f"evt_fake{count + 1:08d}",
        "object": "event",
        "type": kind,
        "created": now_ms // 1000,
        "data": {"object": subject},
    }
    database.execute("INSERT INTO events (body) VALUES (?)", (json.dumps(event),))
