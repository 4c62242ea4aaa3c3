"""Access logs of a CDN or an origin whose requests carry CMCD.

Fields of CloudFront's logs after its developer guide, "Standard logging
reference": dates and times are UTC and those of the end of an answer, an absent
value is a hyphen, header values and queries are URL-encoded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl

from detectors.schemas import Channel
from detectors.telemetry.block import Block, line_places, settle
from detectors.telemetry.carried import HEADERS, from_headers, from_url
from detectors.telemetry.cmcd import records_to_events
from detectors.telemetry.cmcd_events import Carriers
from detectors.telemetry.jsontext import Json, parse_object
from detectors.telemetry.limits import Limits
from detectors.telemetry.lines import Lines
from detectors.telemetry.rejects import Code, FaultError, Reject, Tally

_URLS: Final = ("rawUrl", "cs-uri-query", "cs-uri-stem")  # real-time logs show the query in the stem
_STATUSES: Final = ("sc-status", "status")
_TIMES_MS: Final = ("t", "timestamp(ms)")
_TIME_S: Final = "timestamp"  # seconds with three decimals, in real-time logs
_TAKEN_S: Final = "time-taken"  # the same, from the request until the last byte was handed on
_FROM_MS, _UNTIL_MS = "t", "t_end"
_ABSENT: Final = ("", "-")
_COLUMNS_OF: Final = {header: f"cs({header})" for header in HEADERS}
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?", re.ASCII)
_STATUS: Final = re.compile(r"\d{1,3}", re.ASCII)
_SECONDS: Final = re.compile(r"\d{1,6}\.\d{1,6}", re.ASCII)  # other servers count whole milliseconds under this name
_DIRECTIVE: Final = b"#"
_FIELDS: Final = "#Fields:"


@dataclass(frozen=True, slots=True)
class _Request:
    """One line: its index, its CMCD record, and when the server was asked, what it answered and how long that took."""

    row: int
    cmcd: str
    time: int | None
    status: int | None
    transfer_ms: int | None


class AccessLog:
    """Decodes the portions of one log, W3C or JSON Lines.

    The time of a request is the server's, so event time and time of receipt are one.
    A line that names the values holds for all that follow it.
    """

    continues: Final = True

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._names: list[str] = []

    def decode(self, lines: Lines, tally: Tally) -> Block:
        """The events of some lines and the rejects of the others; lines of `#` are no records."""
        requests: list[_Request] = []
        rejects: list[Reject] = []
        skipped = 0
        for row in range(len(lines)):
            raw = lines.text(row)
            if raw.startswith(_DIRECTIVE):
                skipped += 1
                self._direct(raw)
                continue
            try:
                requests.append(_request(row, self._values(raw)))
            except FaultError as fault:
                code, reason = fault.code, fault.reason
                if lines.cut_at(row) and code in (Code.NOT_JSON, Code.WRONG_TYPE):
                    code, reason = Code.TRUNCATED_FILE, "The file ends within this record."
                line, offset = lines.place(row)
                rejects.append(Reject("record", code, reason, fault.name, line, offset))
        place = line_places(lines, np.array([request.row for request in requests], np.int64))
        texts = pl.Series([request.cmcd for request in requests], dtype=pl.String)
        carriers = Carriers(
            pl.Series([int(Channel.ACCESS_LOG)] * len(requests), dtype=pl.UInt8),
            pl.Series([request.time for request in requests], dtype=pl.Int64),
            pl.Series([request.status for request in requests], dtype=pl.Int32),
        )
        checked = records_to_events(texts, carriers, place, self._limits, tally)
        took = pl.Series("transfer_ms", [request.transfer_ms for request in requests], dtype=pl.Int64)
        checked = replace(checked, frame=checked.frame.with_columns(took))
        block = settle(checked, place, rejects)
        return Block(block.events, block.rejects, extra=-skipped)

    def _direct(self, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace")
        if text.startswith(_FIELDS):
            self._names = [name.lower() for name in text[len(_FIELDS) :].split()]

    def _values(self, raw: bytes) -> Mapping[str, str]:
        """The values that a line gives, by field name in lower case."""
        if raw.lstrip().startswith(b"{"):
            members = parse_object(raw, self._limits)
            texts = ((name.lower(), _text(value)) for name, value in members.items())
            return {name: text for name, text in texts if text not in _ABSENT}
        try:
            values = raw.decode("utf-8").split("\t")
        except UnicodeDecodeError:
            raise FaultError(Code.NOT_UTF8, "The record is not UTF-8 text.") from None
        if not self._names:
            raise FaultError(
                Code.MISSING_FIELD, "No #Fields line stands before the record, so its values have no names."
            )
        if len(values) != len(self._names):
            raise FaultError(Code.WRONG_TYPE, f"The record must have {len(self._names)} values, apart by tabs.")
        return {name: value for name, value in zip(self._names, values, strict=True) if value not in _ABSENT}


def _text(value: Json) -> str:
    """Numbers as text; what is no scalar says nothing here."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _request(row: int, values: Mapping[str, str]) -> _Request:
    record = from_headers(values.get(column) for column in _COLUMNS_OF.values()) or _record_in_url(values)
    answer = next((values[name] for name in _STATUSES if name in values), "")
    status = int(answer) if _STATUS.fullmatch(answer) else None
    time, took = _time(values), _transfer_ms(values)
    if time is not None and took is not None and _FROM_MS not in values:
        time -= took  # the log's time is that of the end
    return _Request(row, record, time, status, took)


def _transfer_ms(values: Mapping[str, str]) -> int | None:
    """Milliseconds from the request to the end of the answer; null where the line does not tell."""
    if _SECONDS.fullmatch(taken := values.get(_TAKEN_S, "")):
        return round(float(taken) * 1_000)
    since, until = values.get(_FROM_MS, ""), values.get(_UNTIL_MS, "")
    if _NUMBER.fullmatch(since) and _NUMBER.fullmatch(until):
        return max(round(float(until) - float(since)), 0)
    return None


def _record_in_url(values: Mapping[str, str]) -> str:
    for name in _URLS:
        url = values.get(name.lower(), "")
        if "CMCD=" in url:
            return from_url(url)
    raise FaultError(Code.NO_CMCD, "The request carries no CMCD, neither in its query nor in its headers.")


def _time(values: Mapping[str, str]) -> int | None:
    """Milliseconds since the epoch; null where the line has none.

    Raises:
      FaultError: It has one that is no time.
    """
    for name, factor in (*((name, 1) for name in _TIMES_MS), (_TIME_S, 1_000)):
        if name in values:
            if not _NUMBER.fullmatch(values[name]):
                raise FaultError(Code.BAD_TIME, f"The field {name} is not a time in numbers.", name)
            return round(float(values[name]) * factor)
    if "date" not in values or "time" not in values:
        return None
    written = f"{values['date']} {values['time']}"
    try:
        if _DATE_TIME.fullmatch(written):
            return round(datetime.fromisoformat(written + "+00:00").timestamp() * 1_000)
    except ValueError:
        pass
    raise FaultError(Code.BAD_TIME, "The fields date and time are no date and time.", "date")
