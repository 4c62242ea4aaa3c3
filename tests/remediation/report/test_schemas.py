import io
import json
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from detectors import schemas
from remediation.orders import Grant
from remediation.report.files import write_findings, write_remedies
from remediation.report.schemas import JsonSchema, json_schemas
from tests.remediation.report.nights import a_finding, a_remedy

READ = [
    "playback_event",
    "cmcd_collector_line",
    "scan",
    "contact",
    "order_line",
    "customer",
    "stock",
    "grant",
    "policy",
    "answer",
    "unsubscription",
]
WRITTEN = ["session", "finding", "remedy", "declined", "ticket", "reject", "loyalty"]


def test_everything_read_or_written_has_its_schema() -> None:
    assert list(json_schemas()) == READ + WRITTEN


@pytest.mark.parametrize("name", READ + WRITTEN)
def test_a_schema_is_json_and_holds_no_other_keyword(name: str) -> None:
    schema = json_schemas()[name]

    assert json.loads(json.dumps(schema, allow_nan=False)) == schema
    assert not {"ge", "le", "gt", "lt"} & set(_keywords(schema))


def test_a_beacon_needs_only_its_session_and_its_time() -> None:
    event = json_schemas()["playback_event"]

    assert event["required"] == ["session_id", "event_time"]
    assert event["properties"]["state"] == {"anyOf": [{"enum": list(schemas.STATES)}, {"type": "null"}]}  # type: ignore[call-overload,index]  # JSON


def test_a_scan_may_have_a_status_that_nobody_knows_yet() -> None:
    scan = json_schemas()["scan"]

    assert scan["required"] == ["tracking_number", "event_time", "status"]
    columns = scan["properties"]
    assert isinstance(columns, dict)
    assert set(schemas.TRACKING) <= set(columns)
    assert columns["status"]["examples"] == list(schemas.PARCEL_STATUSES)  # type: ignore[call-overload,index]  # JSON
    assert columns["proof"] == {"anyOf": [{"enum": list(schemas.PROOFS)}, {"type": "null"}]}


def test_a_contact_has_a_topic_and_no_text() -> None:
    contact = json_schemas()["contact"]

    assert contact["required"] == ["contact_id", "customer_id", "event_time", "topic"]
    columns = contact["properties"]
    assert isinstance(columns, dict)
    assert set(columns) == set(schemas.CONTACTS)
    assert columns["topic"] == {"enum": list(schemas.TOPICS)}


def test_a_session_row_has_every_public_column() -> None:
    session = json_schemas()["session"]

    assert session["required"] == list(schemas.SESSIONS)
    columns = session["properties"]
    assert isinstance(columns, dict)
    assert columns["stall_ms"] == {"description": "milliseconds", "type": ["integer", "null"]}
    assert columns["failed"] == {"type": ["boolean", "null"]}
    assert columns["failures"] == {"type": ["array", "null"], "items": {"type": "string"}}
    assert columns["country"] == {"type": ["string", "null"]}
    assert columns["quality_score"] == {"description": "1 (bad) to 5 (excellent)", "type": ["number", "null"]}


def test_a_time_may_be_text_as_the_reader_takes_it() -> None:
    times = json_schemas()["grant"]["properties"]
    assert isinstance(times, dict)

    assert {"type": "string", "format": "date-time"} in times["granted_at"]["anyOf"]  # type: ignore[call-overload,index,operator]  # JSON
    grant = Grant.model_validate(
        {"session_id": "s", "customer_id": "c", "order_line_id": "l", "granted_at": "2026-11-21T20:04:31Z"}
    )
    assert grant.granted_at == 1_795_291_471_000


@pytest.mark.parametrize("name", ["finding", "remedy"])
def test_the_files_have_the_fields_of_their_schema(name: str) -> None:
    sink = io.BytesIO()
    write_findings(sink, [a_finding()]) if name == "finding" else write_remedies(sink, [a_remedy()])
    schema = json_schemas()[name]["$defs"]
    assert isinstance(schema, dict)
    record = schema[f"{name.capitalize()}Record"]
    assert isinstance(record, dict)

    assert list(json.loads(sink.getvalue())) == list(record["properties"]) == record["required"]  # type: ignore[arg-type]  # JSON


def _keywords(schema: JsonSchema) -> Iterator[str]:
    """The keywords of a schema; names of properties are not keywords."""
    for key, value in schema.items():
        yield key
        named = key in {"properties", "$defs"} and isinstance(value, dict)
        for part in value.values() if named and isinstance(value, dict) else [value]:
            yield from _nested(part)


def _nested(value: JsonValue) -> Iterator[str]:
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict):
            yield from _keywords(part)
