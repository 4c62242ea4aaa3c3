"""The JSON Schemas of everything that is read or written, taken from the declarations that the code itself obeys."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import polars as pl
from pydantic import JsonValue, TypeAdapter

from detectors import schemas
from detectors.telemetry.contacts import CONTACT_FIELDS
from detectors.telemetry.fields import FIELDS, Field, Kind
from detectors.telemetry.limits import DEFAULT_LIMITS
from detectors.telemetry.tracking import SCAN_FIELDS
from remediation.loyalty.replies import Answer, Unsubscription
from remediation.loyalty.telling import LoyaltyRecord
from remediation.orders import Customer, Grant, OrderLine, Stock
from remediation.policy.model import Policy
from remediation.remedy import Declined
from remediation.report.files import FindingRecord, RemedyRecord, TicketRecord
from remediation.report.night import RejectRow

JsonSchema = dict[str, JsonValue]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_UNITS: Final = {
    "ms": "milliseconds",
    "kbps": "kbit/s",
    "at": "milliseconds since the epoch",
    "time": "milliseconds since the epoch",
    "score": "1 (bad) to 5 (excellent)",
}
_TIME: Final[JsonSchema] = {
    "description": "milliseconds since the epoch, or RFC 3339 text",
    "anyOf": [
        {"type": "integer", "minimum": DEFAULT_LIMITS.earliest_ms, "exclusiveMaximum": DEFAULT_LIMITS.latest_ms},
        {"type": "string", "format": "date-time"},
    ],
}
_TEXT: Final[JsonSchema] = {"type": "string", "minLength": 1, "maxLength": DEFAULT_LIMITS.id_characters}


def json_schemas() -> Mapping[str, JsonSchema]:
    """One schema a record, by name: first what is read, then what is written."""
    found = {
        "playback_event": _playback_event(),
        "cmcd_collector_line": _collector_line(),
        "scan": _scan(),
        "contact": _contact(),
        "order_line": TypeAdapter(OrderLine).json_schema(),
        "customer": TypeAdapter(Customer).json_schema(),
        "stock": TypeAdapter(Stock).json_schema(),
        "grant": TypeAdapter(Grant).json_schema(),
        "policy": TypeAdapter(Policy).json_schema(),
        "answer": TypeAdapter(Answer).json_schema(),
        "unsubscription": TypeAdapter(Unsubscription).json_schema(),
        "session": _session(),
        "finding": msgspec.json.schema(FindingRecord),
        "remedy": msgspec.json.schema(RemedyRecord),
        "declined": msgspec.json.schema(Declined),
        "ticket": msgspec.json.schema(TicketRecord),
        "reject": msgspec.json.schema(RejectRow),
        "loyalty": msgspec.json.schema(LoyaltyRecord),
    }
    return {name: {"$schema": _DIALECT, **schema} for name, schema in found.items()}


def _playback_event() -> JsonSchema:
    return _telemetry("Playback event", "A canonical beacon.", FIELDS, schemas.EVENTS)


def _scan() -> JsonSchema:
    return _telemetry("Scan", "A canonical scan of a parcel.", SCAN_FIELDS, schemas.TRACKING)


def _contact() -> JsonSchema:
    return _telemetry("Contact", "A contact of a customer, without its text.", CONTACT_FIELDS, schemas.CONTACTS)


def _telemetry(title: str, what: str, fields: Sequence[Field], columns: pl.Schema) -> JsonSchema:
    return {
        "title": title,
        "description": f"{what} A field that is not known here is left out and counted; null is absent.",
        "type": "object",
        "properties": {field.name: _telemetry_field(field, columns) for field in fields},
        "required": [field.name for field in fields if field.required],
    }


def _telemetry_field(field: Field, columns: pl.Schema) -> JsonSchema:
    number: JsonSchema = {"minimum": field.low, "maximum": field.high}
    by_kind: dict[Kind, JsonSchema] = {
        Kind.TEXT: _TEXT,
        Kind.CODE: {"anyOf": [_TEXT, {"type": "integer"}]},
        Kind.TIME: _TIME,
        Kind.STATE: _words(field, columns),
        Kind.WHOLE: {"type": "integer", **number},
        Kind.NUMBER: {"type": "number", **number},
        Kind.FLAG: {"type": "boolean"},
        Kind.MARK: {"type": ["boolean", "object"]},
    }
    schema = by_kind[field.kind]
    described = schema if field.kind is Kind.TIME else {**_unit(field.name), **schema}
    return described if field.required else {"anyOf": [described, {"type": "null"}]}


def _words(field: Field, columns: pl.Schema) -> JsonSchema:
    """The list of a field's words; where others are read as one of them, it is a suggestion."""
    column = columns.get(field.name)
    words: list[JsonValue] = list(column.categories) if isinstance(column, pl.Enum) else []
    if field.otherwise is None:
        return {"enum": words}
    return {**_TEXT, "description": f"what is not among the examples is read as {field.otherwise}", "examples": words}


def _collector_line() -> JsonSchema:
    return {
        "title": "CMCD collector line",
        "description": "One CMCD record (CTA-5004, versions 1 and 2) as a collector received it.",
        "type": "object",
        "properties": {
            "received_at": _TIME,
            "cmcd": {"type": "string", "description": "the record, such as a line of an event-mode body"},
            "mode": {"enum": ["event", "request"]},
        },
        "required": ["cmcd"],
    }


def _session() -> JsonSchema:
    return {
        "title": "Session",
        "description": "A row of the session table. What is unknown is null.",
        "type": "object",
        "properties": {name: {**_unit(name), **_column(dtype)} for name, dtype in schemas.SESSIONS.items()},
        "required": list(schemas.SESSIONS),
        "additionalProperties": False,
    }


def _column(dtype: pl.DataType) -> JsonSchema:
    if isinstance(dtype, pl.List):
        return {"type": ["array", "null"], "items": {"type": "string"}}
    names = ((dtype.is_integer(), "integer"), (dtype.is_float(), "number"), (dtype == pl.Boolean, "boolean"))
    return {"type": [next((name for applies, name in names if applies), "string"), "null"]}


def _unit(name: str) -> JsonSchema:
    unit = _UNITS.get(name.rpartition("_")[2])
    return {} if unit is None else {"description": unit}
