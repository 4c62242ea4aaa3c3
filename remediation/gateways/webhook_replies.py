"""What the answers of a goods desk over HTTP mean."""

import re
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from typing import Annotated, Final

import msgspec

from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError

MAX_REPLY_BYTES: Final = 65_536
MAX_RETRY_AFTER_MS: Final = 86_400_000
"""One day; more is taken for a slip."""

_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_DEFERRING: Final = {
    408: "had not received the whole order in time",
    409: "is still busy with the same order",
    425: "will not risk a replay on a connection this young",
    429: "takes fewer orders at a time",
}
"""Answers of a receiver that certainly did not act, each with what it says."""

_MISDIRECTED: Final = frozenset({401, 403, 404, 405, 410})
"""Answers that speak of the URL or the secret and never of the one order."""

_UNAVAILABLE: Final = 503
_TAKEN, _REDIRECTED, _REFUSED = 2, 3, 4


class _Taken(msgspec.Struct):
    """What is read of the body of a success; whatever else it holds is the receiver's own."""

    reference: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,200}\Z")]


def taken(response: HTTPResponse) -> bool:
    """Whether the receiver has the order, which its status alone decides."""
    return response.status // 100 == _TAKEN


def failure(response: HTTPResponse, now_ms: int) -> DeferredError | RefusedError | SilentError | UnusableError:
    """What any other answer means. The bodies of failures are not read: they may repeat anything."""
    status, wait_ms = response.status, _retry_after_ms(response.headers["Retry-After"], now_ms)
    if said := _DEFERRING.get(status):
        return DeferredError(f"The goods desk {said} ({status}).", wait_ms)
    if status == _UNAVAILABLE and wait_ms is not None:
        # With a time to come back it is the receiver's own word; without, a proxy may have lost the answer.
        return DeferredError(f"The goods desk is not available now ({status}).", wait_ms)
    if status in _MISDIRECTED or status // 100 == _REDIRECTED:
        return UnusableError(f"The goods desk does not take our orders ({status}): check its URL and the secret.")
    if status // 100 == _REFUSED:
        return RefusedError(f"The goods desk refused the order ({status}): ask the warehouse why.")
    return SilentError(f"The goods desk failed over the order ({status}).")


def reference(response: HTTPResponse) -> str | None:
    """The receiver's reference; None where the body holds none. The order is taken, so nothing in it is an error."""
    try:
        return msgspec.json.decode(response.read(MAX_REPLY_BYTES), type=_Taken).reference
    except (OSError, HTTPException, ValueError, RecursionError):  # msgspec has errors of the last two kinds
        return None


def _retry_after_ms(text: str | None, now_ms: int) -> int | None:
    """The wish of a Retry-After header (RFC 9110, 10.2.3), in seconds or as a date; None where it cannot be read."""
    if text is None:
        return None
    if _SECONDS.fullmatch(text):
        wait_ms = int(text) * 1_000
    else:
        try:
            moment = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        except ValueError:
            return None
        wait_ms = int(moment.timestamp()) * 1_000 - now_ms
    return min(max(wait_ms, 0), MAX_RETRY_AFTER_MS)
