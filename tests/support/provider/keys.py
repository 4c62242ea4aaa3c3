"""Idempotency keys: the first answer to each, kept for a day by the provider's own clock."""

import json
import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from tests.support.provider.model import HOUR_MS, Answer, Request
from tests.support.provider.wire import ApiError

LIFETIME_MS: Final = 24 * HOUR_MS


def forget_old(database: sqlite3.Connection) -> None:
    """Prunes keys that are a day old: whoever sends one again is paid again."""
    database.execute("DELETE FROM keys WHERE saved_ms <= (SELECT now_ms FROM state) - ?", (LIFETIME_MS,))


def is_known(database: sqlite3.Connection, key: str | None) -> bool:
    """Whether a call with this key was answered before."""
    return database.execute("SELECT 1 FROM keys WHERE key = ?", (key,)).fetchone() is not None


def remembered(database: sqlite3.Connection, request: Request) -> Answer | None:
    """The first answer to this call's key; an error where the call differs from the first one."""
    row = database.execute("SELECT * FROM keys WHERE key = ?", (request.key,)).fetchone()
    if row is None:
        return None
    if row["params"] != _text(request.params):
        raise ApiError(HTTPStatus.BAD_REQUEST, "The key was used with other parameters", kind="idempotency_error")
    return Answer(row["status"], row["body"], {"Idempotent-Replayed": "true"})


def remember(database: sqlite3.Connection, request: Request, answer: Answer) -> None:
    """Keeps the answer for the next call with the same key."""
    if request.key:
        database.execute(
            "INSERT OR REPLACE INTO keys SELECT ?, ?, ?, ?, now_ms FROM state",
            (request.key, _text(request.params), answer.status, answer.body),
        )


def _text(params: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(params.items())))
