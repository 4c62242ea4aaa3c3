"""Builders for parcels: a test names what matters, the rest is an ordinary order that arrived in time."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from detectors import schemas
from detectors.delivery.failures import find
from detectors.delivery.parcels import PROMISES
from detectors.delivery.reports import MIXUPS
from detectors.delivery.rules import CarrierDays, DeliveryRules, Late, Proof
from detectors.finding import Finding

HOME: Final = "America/New_York"
RULES: Final = DeliveryRules(
    merchant_country="US",
    carriers={
        "default": CarrierDays(lost_domestic=7, lost_abroad=20, never_scanned=5),
        "snail": CarrierDays(lost_domestic=14, lost_abroad=40, never_scanned=10),
    },
    late=Late(grace=0),
    proof=Proof(far_m=200, many_reports=3, reports_days=90),
)


def at(told: str, zone: str = HOME) -> int:
    """Milliseconds since the epoch of `11-05 14:30` in 2026, or of a whole ISO time, on the clocks of a zone."""
    whole = told if told.count("-") > 1 else f"2026-{told}"
    return round(datetime.fromisoformat(whole).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Ordered on Monday 2 November, promised for Thursday 5 November."""

    order_line_id: str = "line"
    order_id: str = "order"
    customer_id: str = "customer"
    item_id: str = "book"
    purchased_at: int | None = at("11-02 09:00")
    promised_date: date | None = date(2026, 11, 5)
    tracking_number: str | None = "parcel"
    carrier: str | None = "swift"
    country: str | None = "US"
    lat: float | None = 40.0
    lon: float | None = -75.0
    timezone: str | None = HOME
    orders_known: int | None = None


@dataclass(frozen=True, kw_only=True)
class Scan:
    event_time: int
    status: str
    tracking_number: str = "parcel"
    carrier: str | None = "swift"
    reason: str | None = None
    lat: float | None = None
    lon: float | None = None
    proof: str | None = None
    depot: str | None = None


@dataclass(frozen=True, kw_only=True)
class Contact:
    event_time: int
    topic: str
    contact_id: str = "contact"
    customer_id: str = "customer"
    order_line_id: str | None = "line"
    language: str | None = None
    voice: str | None = None
    received_item_id: str | None = None


@dataclass(frozen=True)
class Mixup:
    item_id: str
    received_item_id: str
    order_line_id: str
    customer_id: str


def scan(told: str, zone: str = HOME, **known: str | float | None) -> Scan:
    """A scan from `11-04 14:30 in_transit`."""
    day, clock, status = told.split()
    return Scan(event_time=at(f"{day} {clock}", zone), status=status, **known)  # type: ignore[arg-type]  # the test names fields


def contact(told: str, **known: str | None) -> Contact:
    """A contact from `11-06 09:00 not_received`."""
    day, clock, topic = told.split()
    return Contact(event_time=at(f"{day} {clock}"), topic=topic, **known)  # type: ignore[arg-type]  # the test names fields


ON_ITS_WAY: Final = (scan("11-03 08:00 picked_up"), scan("11-04 02:00 in_transit", depot="Newark"))
IN_TIME: Final = (*ON_ITS_WAY, scan("11-05 14:00 delivered", depot="Newark"))


def found(  # noqa: PLR0913  # each is a part of the story, and most stories name two
    lines: Line | Iterable[Line] = Line(),  # frozen
    scans: Iterable[Scan] = (),
    contacts: Iterable[Contact] = (),
    *,
    as_of: str | int = "11-30 12:00",
    mixups: Iterable[Mixup] = (),
    rules: DeliveryRules = RULES,
) -> list[Finding]:
    """What `find` makes of a story."""
    lines = [lines] if isinstance(lines, Line) else lines
    moment = at(as_of) if isinstance(as_of, str) else as_of
    told = find(
        _frame(lines, Line, PROMISES),
        _frame(scans, Scan, schemas.TRACKING),
        _frame(contacts, Contact, schemas.CONTACTS),
        _frame(mixups, Mixup, MIXUPS),
        moment,
        rules,
    )
    return list(told)


def kinds(findings: Iterable[Finding]) -> list[str]:
    return [finding.kind for finding in findings]


def sole(findings: list[Finding], kind: str) -> Finding:
    """The only finding, which is of that kind."""
    assert kinds(findings) == [kind]
    return findings[0]


def _frame(
    rows: Iterable[Line | Scan | Contact | Mixup],
    row_type: type[Line | Scan | Contact | Mixup],
    schema: Mapping[str, pl.DataType],
) -> pl.DataFrame:
    types = {field.name: schema[field.name] for field in fields(row_type)}
    return pl.DataFrame([asdict(row) for row in rows], schema=types)
