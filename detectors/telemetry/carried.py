"""CMCD out of what carried it through HTTP: a query argument or request headers."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

from detectors.telemetry.rejects import Code, FaultError

HEADERS: Final = ("cmcd-request", "cmcd-object", "cmcd-status", "cmcd-session")
"""The headers of CTA-5004, in lower case."""

_ARGUMENT: Final = "CMCD"
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ENCODED_QUOTE: Final = re.compile(r"%(?:22|2C|3D)", re.IGNORECASE)


def from_url(url: str) -> str:
    """The record in the query of a URL, or in a query alone.

    Raises:
      FaultError: There is none, there are two, or it is not URL-encoded.
    """
    _, mark, query = url.partition("?")
    arguments = (query if mark else url).lstrip("?").partition("#")[0].split("&")
    found = [value for name, equals, value in (a.partition("=") for a in arguments) if equals and name == _ARGUMENT]
    if not found:
        raise FaultError(Code.NO_CMCD, "The request carries no CMCD.")
    if len(found) > 1:
        raise FaultError(Code.DUPLICATE_KEY, "The request carries two CMCD arguments; which is meant nobody can say.")
    return from_query_value(found[0])


def from_query_value(value: str) -> str:
    """The record in the value of a `CMCD` argument; what a log encoded once more is decoded twice.

    Commas and equals signs may stand as they are, since a real player sends them so.

    Raises:
      FaultError: It is not URL-encoded.
    """
    if '"' in value or _BAD_ESCAPE.search(value):
        raise FaultError(Code.NOT_URL_ENCODED, "The CMCD argument is not URL-encoded.")
    text = _decode(value)
    if '"' not in text and _ENCODED_QUOTE.search(text):
        text = _decode(text)
    return text


def from_headers(values: Iterable[str | None]) -> str | None:
    """The record in the values of the four headers, which logs may have URL-encoded; null where all are absent.

    Raises:
      FaultError: A value is not text once decoded.
    """
    present = [value for value in values if value and value != "-"]
    return ",".join(v if '"' in v or "%" not in v else from_query_value(v) for v in present) or None


def _decode(value: str) -> str:
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise FaultError(Code.NOT_URL_ENCODED, "The CMCD argument does not decode to UTF-8 text.") from None
