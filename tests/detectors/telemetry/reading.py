"""Small builders shared by the decoder's tests."""

import io
import json
from collections.abc import Sequence

import polars as pl

from detectors import schemas
from detectors.telemetry.decode import decode
from detectors.telemetry.keys import KeyRing
from detectors.telemetry.limits import DEFAULT_LIMITS, Limits

NOW = 1_795_291_010_509  # 2026-11-21T19:56:50.509Z

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class Read:
    """Everything that one file gave."""

    def __init__(self, data: bytes, limits: Limits = DEFAULT_LIMITS, keys: KeyRing | None = None) -> None:
        self.blocks = list(decode(io.BytesIO(data), "night.log", limits, keys))
        frames = [schemas.complete(block.events, schemas.EVENTS) for block in self.blocks]
        self.events = pl.concat([pl.DataFrame(schema=schemas.EVENTS), *frames])
        self.rejects = pl.concat([pl.DataFrame(schema=schemas.REJECTS), *(b.rejects for b in self.blocks)])
        self.scans = pl.concat([pl.DataFrame(schema=schemas.TRACKING), *(b.scans for b in self.blocks)])
        self.contacts = pl.concat([pl.DataFrame(schema=schemas.CONTACTS), *(b.contacts for b in self.blocks)])
        for block in self.blocks:
            outside = block.rejects.filter(pl.col("scope") != "field")["count"].sum()
            used = block.events.height + block.scans.height + block.contacts.height
            assert block.record_count == used + outside

    @property
    def records(self) -> int:
        return sum(block.record_count for block in self.blocks)

    @property
    def codes(self) -> list[str]:
        """Codes of records and files, in order."""
        return self.rejects.filter(pl.col("scope") != "field")["code"].to_list()

    @property
    def ignored(self) -> list[tuple[str, str, int]]:
        """Fields left out: name, code, how many."""
        return self.rejects.filter(pl.col("scope") == "field").select("field", "code", "count").rows()

    @property
    def sessions(self) -> list[str]:
        return self.events["session_id"].to_list()

    def event(self) -> dict[str, object]:
        """The only event, without what it does not say."""
        return self._only(self.events)

    def scan(self) -> dict[str, object]:
        """The only scan, without what it does not say."""
        return self._only(self.scans)

    def contact(self) -> dict[str, object]:
        """The only contact, without what it does not say."""
        return self._only(self.contacts)

    def _only(self, rows: pl.DataFrame) -> dict[str, object]:
        assert rows.height == 1, self.rejects["reason"].to_list()
        return {name: value for name, value in rows.row(0, named=True).items() if value is not None}


def jsonl(records: Sequence[dict[str, Json] | str | bytes]) -> bytes:
    lines = [
        record
        if isinstance(record, bytes)
        else record.encode()
        if isinstance(record, str)
        else json.dumps(record).encode()
        for record in records
    ]
    return b"".join(line + b"\n" for line in lines)


def a_beacon(**fields: Json) -> dict[str, Json]:
    """A beacon with all that is required, and what the test is about."""
    return {"session_id": "s-1", "event_time": NOW, **fields}


def a_scan(**fields: Json) -> dict[str, Json]:
    """A scan of a parcel with all that is required, and what the test is about."""
    return {"tracking_number": "1Z-1", "event_time": NOW, "status": "in_transit", **fields}


def a_contact(**fields: Json) -> dict[str, Json]:
    """A contact with all that is required, and what the test is about."""
    return {"contact_id": "k-1", "customer_id": "c-1", "event_time": NOW, "topic": "not_received", **fields}


def a_report(cmcd: str, *, mode: str = "event", received_at: int | None = None) -> dict[str, Json]:
    """A collector line; the record gets a session and, in event mode, a time."""
    said = 'sid="s-1"' + (f",ts={NOW}" if mode == "event" else "")
    return {"received_at": received_at or NOW + 50, "cmcd": f"{cmcd},{said}" if cmcd else said, "mode": mode}
