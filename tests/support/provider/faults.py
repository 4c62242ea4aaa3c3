"""Which call goes wrong, and how it looks from outside."""

import json
import random
import sqlite3
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from tests.support.provider.model import Answer, Fate, Fault, Kind, Moment
from tests.support.provider.wire import ApiError

RETRY_AFTER_S: Final = 2

BROKEN: Final = ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "An unknown error occurred", kind="api_error").answer
_CONFLICT: Final = ApiError(
    HTTPStatus.CONFLICT, "This key is in use", code="idempotency_key_in_use", kind="idempotency_error"
).answer
_RATE_LIMITED: Final = replace(
    ApiError(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", code="rate_limit").answer,
    headers={"Retry-After": str(RETRY_AFTER_S)},
)
_UNAVAILABLE: Final = Answer(
    HTTPStatus.SERVICE_UNAVAILABLE, b"<html><h1>503 Service Unavailable</h1></html>", {"Content-Type": "text/html"}
)


def next_fault(database: sqlite3.Connection) -> Fault | None:
    """Counts a call, and says what goes wrong with it: by the script, else by the draw."""
    database.execute("UPDATE state SET calls = calls + 1")
    state = database.execute("SELECT calls, seed, share FROM state").fetchone()
    scripted = database.execute("SELECT fault FROM faults WHERE call = ?", (state["calls"],)).fetchone()
    if scripted:
        return Fault.parse(scripted["fault"])
    # By seed and number: the same calls go wrong again, also after the process was killed and started anew.
    lots = random.Random(f"{state['seed']}:{state['calls']}")  # noqa: S311 - chance that can be repeated
    if lots.random() >= state["share"]:
        return None
    return Fault(lots.choice(list(Kind)), lots.choice(list(Moment)))


def spoiled(honest: Answer, kind: Kind) -> Answer:
    """What is seen of an honest answer."""
    match kind:
        case Kind.LOST:
            return replace(honest, fate=Fate.LOST)
        case Kind.SLOW:
            return replace(honest, fate=Fate.LATE)
        case Kind.GARBLED:
            return replace(honest, body=honest.body[: len(honest.body) // 2])
        case Kind.WRONG:
            return replace(honest, body=_wrong(honest.body))
    return {
        Kind.CONFLICT: _CONFLICT,
        Kind.RATE_LIMITED: _RATE_LIMITED,
        Kind.BROKEN: BROKEN,
        Kind.UNAVAILABLE: _UNAVAILABLE,
    }[kind]


def _wrong(body: bytes) -> bytes:
    """One unit more than is true, in a refund or in every refund of a list."""
    content = json.loads(body)
    for refund in content.get("data", [content]):
        if "amount" in refund:
            refund["amount"] += 1
    return json.dumps(content).encode()
